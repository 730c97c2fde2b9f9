"""Carrier frequency offset."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from channel_sim.channel_model import Stage
from channel_sim.impairments.base import SampleImpairment
from channel_sim.randomness import FrameContext
from channel_sim.rotation import turning
from shared.phy.cf32 import Samples


class Cfo(SampleImpairment):
    """``y(t) = x(t) exp(j 2 pi f t)``: the two oscillators differ by f; t runs through all frames of a stream.

    Attributes:
        offset_hz: f.
    """

    kind: Literal["cfo"] = "cfo"
    stage: ClassVar[Stage] = Stage.OSCILLATOR

    offset_hz: float = Field(default=100.0, ge=-1e9, le=1e9)

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        return np.multiply(samples, turning(frame, samples.size, self.offset_hz))
