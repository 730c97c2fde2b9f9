"""From any photo to the framing the prior knows: find the one face, and cut the FFHQ square around it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from shared.errors import FaceError
from transmitter.face_crop import (
    FFHQ_LANDMARKS,
    FRAMED_BY,
    Points,
    cut_square,
    fit_similarity,
    framing,
    invert,
    transform,
)
from transmitter.face_detector import Detection, FaceDetector

Picture = NDArray[np.uint8]

SEARCH_SIDES = (640, 320, 1280)  # the detector misses faces that fill a large picture, and small ones in a reduced one
VIEW_SIDE = 256
VIEW_SQUARES = (88, 104, 120, 136, 152, 168, 184, 200)  # FFHQ side in a view, px: where the landmarks scatter least
MIRRORED = [1, 0, 2, 4, 3]
NOSE_DEPTH = 0.12  # how far the nose tip stands out before the plane of eyes and mouth, in FFHQ sides


@dataclass(frozen=True)
class AlignmentRules:
    """Which faces are accepted.

    Attributes:
        min_score: detector confidence below which something is not a face.
        min_eye_distance_px: eyes closer than this hold too little of a person to send.
        max_yaw_deg: generous; a three-quarter view is about 45.
        bystander: faces narrower than this part of the widest one are background and do not count.
    """

    min_score: float = 0.7
    min_eye_distance_px: float = 20.0
    max_yaw_deg: float = 60.0
    bystander: float = 0.4


@dataclass(frozen=True)
class AlignedFace:
    """A face in FFHQ framing, and where it was.

    Attributes:
        image: RGB `(S, S, 3)` uint8.
        landmarks: `(5, 2)` x, y in the photo: eyes, nose tip, corners of the mouth, the person's right ones first.
        face_px: side of the square in photo pixels; below S the image holds less detail than pixels.
        yaw_deg: a rough estimate from the landmarks; positive when the nose points to the picture's right.
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

    def __init__(self, detector: FaceDetector, rules: AlignmentRules = AlignmentRules()) -> None:
        self._detector = detector
        self._rules = rules

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Return an aligner with the detector at `path`, by default the pulled one; raises `WeightsMissing`."""
        return cls(FaceDetector.load(path))

    def align(self, photo: Picture, side: int, *, largest: bool = False) -> AlignedFace:
        """Cut the face out of an RGB photo `(H, W, 3)` as a level FFHQ square of `side` pixels.

        Raises `FaceError` when there is no face, when there are several (unless `largest` asks for the largest), and
        when the face is too small or turned too far away.
        """
        faces = self._find(photo)
        if not faces:
            raise FaceError("no face was found: send a photo of one well-lit face that looks towards the camera")
        if len(faces) > 1 and not largest:
            raise FaceError(
                f"{len(faces)} faces were found: crop the photo to the one that is meant, or ask for the largest"
            )
        landmarks = self._refine(photo, faces[0].landmarks)
        self._check(landmarks)
        square, face_px = framing(landmarks)
        return AlignedFace(
            image=cut_square(photo, landmarks, side),
            landmarks=landmarks,
            face_px=face_px,
            yaw_deg=_yaw_deg(landmarks),
            roll_deg=math.degrees(math.atan2(square[1, 0], square[0, 0])),
            score=faces[0].score,
        )

    def _find(self, photo: Picture) -> list[Detection]:
        """Return the faces that count, the widest first, in photo coordinates; sideways only if none is upright."""
        for quarter_turns in range(4):
            turned = np.rot90(photo, quarter_turns)
            for reduced, scale in _search_sizes(turned):
                faces = self._detector.detect(reduced, self._rules.min_score)
                if faces:
                    widest = faces[0].box[2]
                    counted = [face for face in faces if face.box[2] >= self._rules.bystander * widest]
                    return [_in_photo(face, scale, quarter_turns, photo.shape) for face in counted]
        return []

    def _refine(self, photo: Picture, landmarks: Points) -> Points:
        """Look again at the levelled face, at several sizes and mirrored, and take the median.

        One look scatters by about one hundredth of the square's side per landmark, sixteen by a third of that.
        """
        looks = [landmarks]
        base = 2 * VIEW_SQUARES[-1]
        level = cut_square(photo, landmarks, base)
        from_unit, _ = framing(landmarks)
        for square_px in VIEW_SQUARES:
            view = np.full((VIEW_SIDE, VIEW_SIDE, 3), 127, np.uint8)
            margin = (VIEW_SIDE - square_px) // 2
            inner = slice(margin, margin + square_px)
            view[inner, inner] = cv2.resize(level, (square_px, square_px), interpolation=cv2.INTER_AREA)
            for mirrored in (False, True):
                found = self._detector.detect(np.ascontiguousarray(view[:, ::-1]) if mirrored else view)
                if found:
                    points = found[0].landmarks
                    if mirrored:
                        points = (np.array([VIEW_SIDE - 1, 0]) + points * (-1, 1))[MIRRORED]
                    looks.append(transform(from_unit, (points - margin + 0.5) / square_px))
        refined: Points = np.median(looks, axis=0)
        return refined

    def _check(self, landmarks: Points) -> None:
        eye_distance_px = float(np.hypot(*(landmarks[1] - landmarks[0])))
        if eye_distance_px < self._rules.min_eye_distance_px:
            raise FaceError(
                f"the face is too small: its eyes are {eye_distance_px:.0f} pixels apart and at least "
                f"{self._rules.min_eye_distance_px:.0f} are needed; send a closer or larger photo"
            )
        yaw_deg = _yaw_deg(landmarks)
        if abs(yaw_deg) > self._rules.max_yaw_deg:
            raise FaceError(
                f"the face is turned away by about {abs(yaw_deg):.0f} degrees and at most "
                f"{self._rules.max_yaw_deg:.0f} can be sent: use a photo that shows both eyes"
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


def _yaw_deg(landmarks: Points) -> float:
    """Estimate the yaw: a nose tip standing out by a known depth moves sideways by its sine."""
    to_unit = invert(fit_similarity(FFHQ_LANDMARKS[FRAMED_BY], landmarks[FRAMED_BY]))
    aside = float(transform(to_unit, landmarks)[2, 0] - FFHQ_LANDMARKS[2, 0])
    return math.degrees(math.asin(max(-1.0, min(1.0, aside / NOSE_DEPTH))))
