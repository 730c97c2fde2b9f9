"""Test signals, and the places in streams where they are sent."""

from __future__ import annotations

import numpy as np

from channel_sim.randomness import FrameContext, complex_normal
from shared.phy.cf32 import Samples

SEED = 20


def place(frame: int, stream: int | str = 0, start_s: float = 0.0, sample_rate_hz: float = 1e6) -> FrameContext:
    """A frame of the calibration's own streams; frames are numbered from 1."""
    return FrameContext(SEED, f"calibration {stream}", frame, start_s, sample_rate_hz)


def white_frame(count: int) -> Samples:
    """``(count,)`` complex Gaussian samples of mean power exactly 1."""
    frame = complex_normal(np.random.Generator(np.random.Philox(SEED)), count)
    frame /= np.sqrt(np.mean(np.abs(frame) ** 2))
    return frame
