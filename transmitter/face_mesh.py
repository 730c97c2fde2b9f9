"""Where exactly the eyes and the mouth are: the 478 points of MediaPipe's face mesh, through OpenVINO.

The detector's own five points scatter by a hundredth of the FFHQ square; these by a fifth of that, which decides how
well an aligned photo sits in the frame the prior was trained on (Kartynnik et al., arXiv 1907.06724).
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import openvino
from numpy.typing import NDArray

from shared.errors import WeightsCorrupt, WeightsMissing
from shared.models.catalogue import model_path
from transmitter.face_crop import Picture, Points, cut_square, framing, transform

MESH_SIDE = 256
NUM_POINTS = 478
# Points of the mesh, by the side of the picture on which they lie in an upright face.
LEFT_EYE = [33, 160, 158, 133, 153, 144]  # the six contour points of each eye that the FFHQ recipe averages
RIGHT_EYE = [362, 385, 387, 263, 373, 380]
NOSE_TIP = 1
MOUTH_LEFT, MOUTH_RIGHT = 61, 291
LEFT_OF_FACE = [33, MOUTH_LEFT, 234]  # an eye's outer corner, a mouth corner, a cheek
RIGHT_OF_FACE = [263, MOUTH_RIGHT, 454]


@dataclass(frozen=True)
class MeshFit:
    """One look at a face.

    Attributes:
        landmarks: `(5, 2)` x, y in photo pixels: eye centres, nose tip, corners of the mouth.
        presence: whether it is a face at all, 0 to 1.
        yaw_deg: how far it is turned; positive when the nose points to the picture's right.
    """

    landmarks: Points
    presence: float
    yaw_deg: float


class FaceMesh:
    """Fits the mesh to a face that is roughly found. May be shared between threads.

    Raises `WeightsMissing` when there is no such file, `WeightsCorrupt` when it does not open.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise WeightsMissing(f"{path} is not there; run: deepsc models pull")
        core = openvino.Core()
        try:
            network = core.read_model(path)
            network.reshape([1, MESH_SIDE, MESH_SIDE, 3])
            self._network = core.compile_model(network, "CPU", {"INFERENCE_NUM_THREADS": 1})
        except RuntimeError as error:
            raise WeightsCorrupt(f"{path} does not open as a network; delete it and run: deepsc models pull") from error

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Return the mesh network at `path`, by default the pulled one."""
        return cls(path or model_path("facemesh"))

    def fit(self, photo: Picture, landmarks: Points) -> MeshFit:
        """Fit the mesh inside the FFHQ square that rough `landmarks (5, 2)` give in an RGB photo `(H, W, 3)`."""
        square = cut_square(photo, landmarks, MESH_SIDE)
        request = self._network.create_infer_request()  # one per call: requests are not shared between threads
        outputs = request.infer([square[None].astype(np.float32) / 255])
        mesh = np.asarray(outputs[0], dtype=np.float64).reshape(NUM_POINTS, 3)  # x, y, z in pixels of the square
        presence_logit = float(np.asarray(outputs[1]).item())
        from_unit, _ = framing(landmarks)
        return MeshFit(
            landmarks=transform(from_unit, _five(mesh[:, :2] / MESH_SIDE)),
            presence=1 / (1 + math.exp(-presence_logit)),
            yaw_deg=_yaw_deg(mesh),
        )


def _five(points: NDArray[np.float64]) -> Points:
    eyes = [points[LEFT_EYE].mean(axis=0), points[RIGHT_EYE].mean(axis=0)]
    return np.array([*eyes, points[NOSE_TIP], points[MOUTH_LEFT], points[MOUTH_RIGHT]])


def _yaw_deg(mesh: NDArray[np.float64]) -> float:
    """Return the angle between the picture plane and the line across the face; z grows away from the camera."""
    across = mesh[RIGHT_OF_FACE].mean(axis=0) - mesh[LEFT_OF_FACE].mean(axis=0)
    return math.degrees(math.atan2(across[2], math.hypot(across[0], across[1])))
