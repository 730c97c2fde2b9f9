"""The geometry of the FFHQ framing, and the cut itself (Karras et al., arXiv 1812.04948, appendix A).

Pixel coordinates have whole numbers at pixel centres, as OpenCV counts them. A similarity is a `(2, 3)` matrix
`[sR | t]` that maps points as `R_s p + t`.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Points = NDArray[np.float64]
Similarity = NDArray[np.float64]

# The recipe's own constants, then two measured on samples of the prior: what its frames are to our landmarks' squares.
EYES_PER_HALF_SIDE = 2.0
EYE_TO_MOUTH_PER_HALF_SIDE = 1.8
CENTRE_TOWARDS_MOUTH = 0.1
SIDE_CORRECTION = 1.009
PREFILTER = 2  # samples per output pixel and axis where the photo is finer than the output

_FADE_WIDTH = 0.12  # of the side: how far past the photo's edge the mirrored picture is gone
_BLUR = 0.02  # of the side


def transform(similarity: Similarity, points: Points) -> Points:
    """Map `points (N, 2)`."""
    mapped: Points = points @ similarity[:, :2].T + similarity[:, 2]
    return mapped


def framing(landmarks: Points) -> tuple[Similarity, float]:
    """Return the similarity from the unit FFHQ square into the photo, and the square's side in photo pixels.

    The recipe of FFHQ: from the eyes' middle a tenth of the way to the mouth's lies the centre; the horizontal is the
    mean of the eyes' direction and the right angle to the eyes-mouth direction; the half side is the larger of 2 eye
    distances and 1.8 eyes-mouth distances. Takes `landmarks (5, 2)`: eyes, nose tip, corners of the mouth.
    """
    eyes_middle, mouth_middle = landmarks[:2].mean(axis=0), landmarks[3:].mean(axis=0)
    eye_to_eye, eye_to_mouth = landmarks[1] - landmarks[0], mouth_middle - eyes_middle
    horizontal = eye_to_eye + np.array([eye_to_mouth[1], -eye_to_mouth[0]])
    horizontal /= np.hypot(*horizontal)
    half = max(EYES_PER_HALF_SIDE * np.hypot(*eye_to_eye), EYE_TO_MOUTH_PER_HALF_SIDE * np.hypot(*eye_to_mouth))
    side_px = float(2 * half * SIDE_CORRECTION)
    centre = eyes_middle + CENTRE_TOWARDS_MOUTH * eye_to_mouth
    turn = side_px * np.array([[horizontal[0], -horizontal[1]], [horizontal[1], horizontal[0]]])
    return np.column_stack([turn, centre - turn @ (0.5, 0.5)]), side_px


def cut_square(photo: Picture, landmarks: Points, side: int) -> Picture:
    """Cut the FFHQ-framed square `(side, side, 3)` that the landmarks define out of an RGB photo `(H, W, 3)`.

    Where the photo is finer than the output it is averaged, where it is coarser, interpolated cubically. What lies
    beyond the photo is its mirror image, ever more blurred and fading to its median colour, as in FFHQ.
    """
    square, square_px = framing(landmarks)
    pitch = square_px / side  # photo pixels per output pixel
    shrink = max(1, int(pitch))
    photo_scaled, to_scaled = _shrunk(photo, shrink)
    samples = side * (PREFILTER if pitch > 1 else 1)
    # Output pixel i has its centre at (i + 0.5) / samples of the unit square.
    grid = np.array([[1 / samples, 0, 0.5 / samples], [0, 1 / samples, 0.5 / samples]])
    to_photo = _chain(square, grid)
    sampled = cv2.warpAffine(
        photo_scaled,
        _chain(to_scaled, to_photo),
        (samples, samples),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    outside = _distance_outside(photo.shape[:2], to_photo, samples) / square_px
    if outside.max() > 0:
        sampled = _fade(sampled, outside)
    if samples != side:
        sampled = cv2.resize(sampled, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(sampled, dtype=np.uint8)


def _chain(second: Similarity, first: Similarity) -> Similarity:
    """Return the map that applies `first`, then `second`."""
    return np.column_stack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]])


def _shrunk(photo: Picture, factor: int) -> tuple[Picture, Similarity]:
    """Average blocks of `factor` pixels; also return the map from the photo's coordinates to the result's."""
    height, width = photo.shape[0] // factor, photo.shape[1] // factor
    if factor == 1 or min(height, width) == 0:
        return photo, np.array([[1.0, 0, 0], [0, 1.0, 0]])
    blocks = photo[: height * factor, : width * factor]
    shift = (1 - factor) / (2 * factor)
    small = cv2.resize(blocks, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, dtype=np.uint8), np.array([[1 / factor, 0, shift], [0, 1 / factor, shift]])


def _distance_outside(size: tuple[int, ...], to_photo: Similarity, samples: int) -> NDArray[np.float32]:
    """Return how far, in photo pixels, each sample `(samples, samples)` lies beyond the photo; 0 inside."""
    rows, columns = np.mgrid[:samples, :samples].astype(np.float32)
    x = to_photo[0, 0] * columns + to_photo[0, 1] * rows + to_photo[0, 2]
    y = to_photo[1, 0] * columns + to_photo[1, 1] * rows + to_photo[1, 2]
    beyond_x = np.maximum(0, np.maximum(-x, x - (size[1] - 1)))
    beyond_y = np.maximum(0, np.maximum(-y, y - (size[0] - 1)))
    distance: NDArray[np.float32] = np.hypot(beyond_x, beyond_y).astype(np.float32)
    return distance


def _fade(picture: Picture, outside: NDArray[np.float32]) -> Picture:
    """Blur, then flatten to the median colour, what lies `outside` (fractions of the side) the photo."""
    blurred = cv2.GaussianBlur(picture, (0, 0), _BLUR * picture.shape[0]).astype(np.float32)
    depth = np.clip(outside / _FADE_WIDTH, 0, 1)[..., None]
    soft = picture + (blurred - picture) * np.clip(3 * depth, 0, 1)
    median = np.median(picture[outside <= 0] if (outside <= 0).any() else picture.reshape(-1, 3), axis=0)
    faded: Picture = np.round(soft + (median - soft) * depth).clip(0, 255).astype(np.uint8)
    return faded
