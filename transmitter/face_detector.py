"""Faces in a picture: YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", 2023) through OpenCV."""

import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.errors import WeightsCorrupt, WeightsMissing
from shared.models.catalogue import model_path

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]

NMS_OVERLAP = 0.3
MAX_CANDIDATES = 200


@dataclass(frozen=True)
class Detection:
    """One face, in pixels of the picture it was found in.

    `box` is left, top, width, height. `landmarks (5, 2)` are x, y of the eyes, the nose tip and the corners of the
    mouth, the one on the picture's left first (of an upright face). `score` is the network's confidence, 0 to 1.
    """

    box: tuple[float, float, float, float]
    landmarks: Points
    score: float


class FaceDetector:
    """Finds faces of about 10 to 300 pixels. May be shared between threads: they take turns.

    Raises `WeightsMissing` when there is no such file, `WeightsCorrupt` when OpenCV cannot read it.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise WeightsMissing(f"{path} is not there; run: deepsc models pull")
        self._network = _create(path)
        self._lock = threading.Lock()

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Return the detector with the network at `path`, by default the pulled one."""
        return cls(path or model_path("yunet"))

    def detect(self, picture: Picture, min_score: float = 0.6) -> list[Detection]:
        """Return the faces of an RGB picture `(H, W, 3)`, the widest first."""
        blue_first = np.ascontiguousarray(picture[..., ::-1])
        with self._lock:  # the network keeps its input size between the two calls
            self._network.setInputSize((picture.shape[1], picture.shape[0]))
            self._network.setScoreThreshold(min_score)
            _, rows = self._network.detect(blue_first)
        faces = [] if rows is None else [_detection(row) for row in rows]
        return sorted(faces, key=lambda face: face.box[2], reverse=True)


def _create(path: Path) -> Any:
    # OpenCV 5 warns on every creation that its new engine ignores the target, on the process's own error output.
    level = cv2.utils.logging.getLogLevel()
    cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
    try:
        return cv2.FaceDetectorYN.create(str(path), "", (320, 320), 0.6, NMS_OVERLAP, MAX_CANDIDATES)
    except cv2.error as error:
        raise WeightsCorrupt(f"{path} does not open as a network; delete it and run: deepsc models pull") from error
    finally:
        cv2.utils.logging.setLogLevel(level)


def _detection(row: NDArray[np.float32]) -> Detection:
    left, top, width, height = (float(value) for value in row[:4])
    return Detection((left, top, width, height), row[4:14].reshape(5, 2).astype(np.float64), float(row[14]))
