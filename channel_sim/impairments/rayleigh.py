"""Rayleigh fading, flat in frequency."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from channel_sim.channel_model import Stage
from channel_sim.doppler import scattered_gains
from channel_sim.impairments.base import SampleImpairment
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples


class Rayleigh(SampleImpairment):
    """``y = h x`` with complex Gaussian h, E|h|^2 = 1: no line of sight.

    ``|h|`` is Rayleigh, ``|h|^2`` exponential of mean 1, the phase uniform (Proakis and Salehi, "Digital
    Communications", 5th ed., section 13.1). Complex, not its magnitude: the receiver has to find the phase as well.

    Attributes:
        doppler_hz: 0 for block fading, one independent h per frame; otherwise the maximal shift of Clarke's process.
    """

    kind: Literal["rayleigh"] = "rayleigh"
    stage: ClassVar[Stage] = Stage.PROPAGATION

    doppler_hz: float = Field(default=0.0, ge=0.0, le=1e6)

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        return np.multiply(samples, scattered_gains(frame, self.kind, samples.size, self.doppler_hz))
