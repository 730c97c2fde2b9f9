"""From any photo to the framing the prior knows: find the one face, and cut the FFHQ square around it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.errors import FaceError
from transmitter.face_crop import Points, cut_square, framing
from transmitter.face_detector import Detection, FaceDetector
from transmitter.face_mesh import FaceMesh, MeshFit

Picture = NDArray[np.uint8]

SEARCH_SIDES = (640, 320, 1280)  # the detector misses faces that fill a large picture, and small ones in a reduced one
NO_FACE = "no face was found: send a photo of one well-lit face that looks towards the camera"
FITS = 2  # the second look at the levelled face settles what the detector's rough points left open


@dataclass(frozen=True)
class AlignmentRules:
    """Which faces are accepted.

    Attributes:
        min_score: detector confidence below which something is not a face.
        sure_score: confidence from which a face is taken for upright without looking at the photo turned; the
            detector also sees faces upside down, with lower confidence and nonsense for landmarks.
        min_presence: the mesh's confidence below which it is not a face after all.
        min_eye_distance_px: eyes closer than this hold too little of a person to send.
        max_yaw_deg: generous, and on the mesh's scale, which flattens turned heads: a three-quarter view reads about
            30, a face of which one eye is almost hidden 50.
        bystander: faces narrower than this part of the widest one are background and do not count.
    """

    min_score: float = 0.7
    sure_score: float = 0.88
    min_presence: float = 0.5
    min_eye_distance_px: float = 16.0
    max_yaw_deg: float = 50.0
    bystander: float = 0.4


@dataclass(frozen=True)
class AlignedFace:
    """A face in FFHQ framing, and where it was.

    Attributes:
        image: RGB `(S, S, 3)` uint8.
        landmarks: `(5, 2)` x, y in the photo: eyes, nose tip, corners of the mouth, the person's right ones first.
        face_px: side of the square in photo pixels; below S the image holds less detail than pixels.
        yaw_deg: how far the head is turned; positive when the nose points to the picture's right.
        roll_deg: how far the head was turned in the photo, clockwise positive; the square is level.
        score: the detector's confidence, 0 to 1.
    """

    image: Picture
    landmarks: Points
    face_px: float
    yaw_deg: float
    roll_deg: float
    score: float


class FaceAligner:
    """Aligns faces; the same photo always gives the same square. May be shared between threads.

    Example::

        aligner = FaceAligner.load()
        face = aligner.align(read_photo(data), side=256)
        face.image                                      # (256, 256, 3)
    """

    def __init__(self, detector: FaceDetector, mesh: FaceMesh, rules: AlignmentRules = AlignmentRules()) -> None:
        self._detector = detector
        self._mesh = mesh
        self._rules = rules

    @classmethod
    def load(cls) -> Self:
        """Return an aligner with the pulled networks; raises `WeightsMissing`."""
        return cls(FaceDetector.load(), FaceMesh.load())

    def align(self, photo: Picture, side: int, *, largest: bool = False) -> AlignedFace:
        """Cut the face out of an RGB photo `(H, W, 3)` as a level FFHQ square of `side` pixels.

        Raises `FaceError` when there is no face, when there are several (unless `largest` asks for the largest), and
        when the face is too small or turned too far away.
        """
        faces = self._find(photo)
        if not faces:
            raise FaceError(NO_FACE)
        if len(faces) > 1 and not largest:
            raise FaceError(
                f"{len(faces)} faces were found: crop the photo to the one that is meant, or ask for the largest"
            )
        fit = self._fit(photo, faces[0].landmarks)
        self._check(fit)
        square, face_px = framing(fit.landmarks)
        return AlignedFace(
            image=cut_square(photo, fit.landmarks, side),
            landmarks=fit.landmarks,
            face_px=face_px,
            yaw_deg=fit.yaw_deg,
            roll_deg=math.degrees(math.atan2(square[1, 0], square[0, 0])),
            score=faces[0].score,
        )

    def _find(self, photo: Picture) -> list[Detection]:
        """Return the faces that count, the widest first, in photo coordinates.

        Unless the upright photo settles it, the photo is also searched on its sides and upside down.
        """
        best: list[Detection] = []
        for quarter_turns in range(4):
            faces = self._find_turned(photo, quarter_turns)
            if faces and (not best or faces[0].score > best[0].score):
                best = faces
            if best and best[0].score >= self._rules.sure_score:
                break
        return best

    def _find_turned(self, photo: Picture, quarter_turns: int) -> list[Detection]:
        turned = np.rot90(photo, quarter_turns)
        for reduced, scale in _search_sizes(turned):
            faces = self._detector.detect(reduced, self._rules.min_score)
            if faces:
                least = self._rules.bystander * faces[0].box[2]
                return [_in_photo(face, scale, quarter_turns, photo.shape) for face in faces if face.box[2] >= least]
        return []

    def _fit(self, photo: Picture, rough: Points) -> MeshFit:
        for _ in range(FITS):
            fit = self._mesh.fit(photo, rough)
            rough = fit.landmarks
        return fit

    def _check(self, fit: MeshFit) -> None:
        # First: of a profile the mesh's presence drops too, and "turned away" says more than "no face".
        if abs(fit.yaw_deg) > self._rules.max_yaw_deg:
            raise FaceError(
                f"the face is turned away by {abs(fit.yaw_deg):.0f} degrees and at most "
                f"{self._rules.max_yaw_deg:.0f} can be sent: use a photo that shows both eyes"
            )
        if fit.presence < self._rules.min_presence:
            raise FaceError(NO_FACE)
        eye_distance_px = float(np.hypot(*(fit.landmarks[1] - fit.landmarks[0])))
        if eye_distance_px < self._rules.min_eye_distance_px * math.cos(math.radians(fit.yaw_deg)):
            raise FaceError(
                f"the face is too small: its eyes are {eye_distance_px:.1f} pixels apart and at least "
                f"{self._rules.min_eye_distance_px:.0f} are needed; send a closer or larger photo"
            )


def _search_sizes(photo: Picture) -> Iterator[tuple[Picture, float]]:
    """Yield the photo reduced to each search side, with the factor; never enlarged, and each size once."""
    longest, seen = max(photo.shape[:2]), set[tuple[int, int]]()
    for side in SEARCH_SIDES:
        scale = min(1.0, side / longest)
        size = max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale))
        if size not in seen:
            seen.add(size)
            yield np.asarray(cv2.resize(photo, size, interpolation=cv2.INTER_AREA), dtype=np.uint8), scale


def _in_photo(face: Detection, scale: float, quarter_turns: int, shape: tuple[int, ...]) -> Detection:
    """Undo the reduction and the quarter turns (counter-clockwise, as `np.rot90` counts) of a detection's landmarks."""
    points = (face.landmarks + 0.5) / scale - 0.5
    height, width = shape[0], shape[1]
    x, y = points[:, 0], points[:, 1]
    turned = {
        0: (x, y),
        1: (width - 1 - y, x),
        2: (width - 1 - x, height - 1 - y),
        3: (y, height - 1 - x),
    }[quarter_turns]
    left, top, box_width, box_height = (value / scale for value in face.box)
    return Detection((left, top, box_width, box_height), np.column_stack(turned), face.score)
