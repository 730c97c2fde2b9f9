"""Narrow-band interference."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from channel_sim.channel_model import Stage
from channel_sim.impairments.base import SampleImpairment
from channel_sim.randomness import FrameContext
from channel_sim.rotation import turning
from shared.phy.cf32 import Samples


class Tone(SampleImpairment):
    """``y = x + sqrt(P) exp(j (2 pi f t + p))``: one carrier of another system, running through all frames.

    Its phase p is uniform over streams. It is no part of the declared thermal ``snr_db``.

    Attributes:
        frequency_hz: f, off the signal's centre; beyond half the sample rate it folds back.
        power_db: P over the power 1 of the signal.
    """

    kind: Literal["tone"] = "tone"
    stage: ClassVar[Stage] = Stage.INTERFERENCE

    frequency_hz: float = Field(default=50e3, ge=-1e9, le=1e9)
    power_db: float = Field(default=-10.0, ge=-100.0, le=60.0)

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        phase = frame.stream_generator(self.kind).uniform(-math.pi, math.pi)
        return samples + turning(frame, samples.size, self.frequency_hz, phase) * np.float32(
            10.0 ** (self.power_db / 20.0)
        )
