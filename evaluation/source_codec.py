"""The seam of the image codecs that stand for separate source coding, and how one is fitted to a number of bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.errors import InvalidInput

Picture = NDArray[np.uint8]
"""RGB, ``(S, S, 3)``."""

SIDES = (1024, 512, 256, 192, 128, 96, 64, 48, 32)
"""Sides that a picture may be reduced to before it is coded."""


class SourceCodec(Protocol):
    """Turns a picture into bytes at one of several qualities, and back."""

    #: Name in tables.
    name: str

    #: Quality settings, the worst first; the file grows with them, nearly always.
    qualities: Sequence[int]

    def encode(self, picture: Picture, quality: int) -> bytes:
        """Codes ``(S, S, 3)``."""
        ...

    def decode(self, data: bytes, side: int, quality: int) -> Picture:
        """Decodes to ``(side, side, 3)``.

        Side and quality are what both ends know; a codec whose files say them itself need not look.

        Raises:
            InvalidInput: if the bytes cannot be decoded.
        """
        ...


@dataclass(frozen=True)
class Fitted:
    """A picture coded into a number of bytes.

    Attributes:
        data: what is sent: two bytes for side and quality, then the codec's own.
        quality: the setting found.
        side: side that was coded, at most that of the picture.
    """

    data: bytes
    quality: int
    side: int


def fit(codec: SourceCodec, picture: Picture, budget: int) -> Fitted | None:
    """The best that the codec can do in ``budget`` bytes: quality and side are searched, the least squared error wins.

    Returns:
        None if even the smallest picture at the worst quality is larger.
    """
    best: tuple[float, Fitted] | None = None
    for side in (side for side in SIDES if side <= picture.shape[0]):
        small = resized(picture, side)
        found = _largest_fitting(codec, small, budget - 2)
        if found is None:
            continue
        quality, data = found
        fitted = Fitted(bytes([SIDES.index(side), codec.qualities.index(quality)]) + data, quality, side)
        shown = resized(codec.decode(data, side, quality), picture.shape[0])
        error = float(np.mean((shown.astype(np.float64) - picture) ** 2))
        if best is not None and error > best[0]:
            break  # smaller still is worse still
        best = error, fitted
    return None if best is None else best[1]


def unfit(codec: SourceCodec, data: bytes, side: int) -> Picture:
    """Reads what `fit` made, as ``(side, side, 3)``.

    Raises:
        InvalidInput: if it cannot be decoded.
    """
    if len(data) < 2 or data[0] >= len(SIDES) or data[1] >= len(codec.qualities):
        raise InvalidInput("these bytes name no side and quality")
    coded_side, quality = SIDES[data[0]], codec.qualities[data[1]]
    return resized(codec.decode(data[2:], coded_side, quality), side)


def resized(picture: Picture, side: int) -> Picture:
    """Bicubic, with antialiasing where it shrinks; the same array where the size fits."""
    if picture.shape[0] == side:
        return picture
    return np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC))


def grey(side: int) -> Picture:
    """What an undecodable frame shows."""
    return np.full((side, side, 3), 128, np.uint8)


def _largest_fitting(codec: SourceCodec, picture: Picture, budget: int) -> tuple[int, bytes] | None:
    """Quality and data of the largest file within the budget, by bisection over the qualities."""
    low, high = 0, len(codec.qualities) - 1
    best: tuple[int, bytes] | None = None
    while low <= high:
        middle = (low + high) // 2
        data = codec.encode(picture, codec.qualities[middle])
        if len(data) <= budget:
            best = codec.qualities[middle], data
            low = middle + 1
        else:
            high = middle - 1
    return best
