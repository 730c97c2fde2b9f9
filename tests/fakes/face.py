"""The world of the fakes: a latent's degrees, and their picture of five grey bars."""

from __future__ import annotations

import time

import numpy as np
from numpy.typing import NDArray

from shared.attributes import attribute_names
from shared.codec.codec import Latent

COUNT = len(attribute_names())
DARKEST, PER_DEGREE = 20, 40


def latent_of(degrees: NDArray[np.floating] | list[float]) -> Latent:
    """A latent ``(16, 512)`` that shows ``degrees`` ``(5,)``."""
    w_plus = np.zeros((16, 512), np.float32)
    w_plus[0, :COUNT] = degrees
    return w_plus


class FakeBackend:
    """Draws bars, in ``seconds``. Counts its calls, because drawing twice is a fault."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.calls = 0
        self.seconds = seconds

    def render(self, w_plus: NDArray[np.float32], resolution: int) -> NDArray[np.uint8]:
        """``(B, 16, 512)`` to ``(B, resolution, resolution, 3)``."""
        self.calls += 1
        time.sleep(self.seconds)
        degrees = np.clip(w_plus[:, 0, :COUNT], 0, 5)
        bar = np.minimum(np.arange(resolution) * COUNT // resolution, COUNT - 1)
        levels = np.rint(DARKEST + PER_DEGREE * degrees).astype(np.uint8)[:, bar]  # (B, resolution)
        return np.broadcast_to(levels[:, None, :, None], (len(w_plus), resolution, resolution, 3)).copy()


class FakePredictor:
    """Reads the bars back."""

    def degrees(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(B, S, S, 3)`` to ``(B, 5)``."""
        side = images.shape[1]
        middles = (np.arange(COUNT) * 2 + 1) * side // (2 * COUNT)
        levels = images[:, side // 2, middles, 0].astype(np.float32)
        return np.clip((levels - DARKEST) / PER_DEGREE, 0, 5).astype(np.float32)
