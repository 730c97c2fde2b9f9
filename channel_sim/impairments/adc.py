"""An analog-to-digital converter: clipping and quantisation."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from channel_sim.channel_model import Stage
from channel_sim.impairments.base import SampleImpairment
from channel_sim.power import mean_power
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples


class Adc(SampleImpairment):
    """I and Q each limited to +-A and rounded to one of 2^bits levels, ``s (floor(v / s) + 1/2)``, ``s = 2A / 2^bits``.

    The gain control in front of it sets A over the frame's own root-mean-square value. An unclipped value is off by a
    noise of power s^2 / 12 (Widrow and Kollar, "Quantization Noise", Cambridge 2008).

    Attributes:
        bits: resolution of I and of Q.
        headroom_db: A over the root-mean-square value of one branch, in dB.
    """

    kind: Literal["adc"] = "adc"
    stage: ClassVar[Stage] = Stage.ADC

    bits: int = Field(default=10, ge=1, le=16)
    headroom_db: float = Field(default=12.0, ge=-20.0, le=60.0)

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:  # noqa: ARG002
        full_scale = math.sqrt(mean_power(samples) / 2) * 10.0 ** (self.headroom_db / 20.0)
        if not full_scale:
            return samples.copy()
        half = 2 ** (self.bits - 1)
        branches = samples.view(np.float32) * np.float32(half / full_scale)
        levels: NDArray[np.float32] = np.clip(np.floor(branches), -half, half - 1) + np.float32(0.5)
        levels *= np.float32(full_scale / half)
        return levels.view(np.complex64)
