"""A carrier that turns in the stream's own time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from channel_sim.randomness import FrameContext


def turning(frame: FrameContext, count: int, frequency_hz: float, phase: float = 0.0) -> NDArray[np.complex64]:
    """``exp(j (2 pi f t + p))`` at the ``count`` samples of a frame, continuous over the frames of a stream."""
    turns = np.arange(count) * (frequency_hz / frame.sample_rate_hz) + frequency_hz * frame.start_s
    # Whole turns are taken off while the numbers are still exact to 1e-16.
    carrier: NDArray[np.complex64] = np.exp(1j * (2 * np.pi * (turns % 1.0) + phase)).astype(np.complex64)
    return carrier
