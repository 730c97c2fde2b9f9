"""Rician fading, flat in frequency."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from channel_sim.channel_model import Stage
from channel_sim.doppler import line_of_sight_gains, scattered_gains
from channel_sim.impairments.base import SampleImpairment
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples


class Rician(SampleImpairment):
    """``y = h x``, ``h = sqrt(K/(K+1)) e^{j p} + sqrt(1/(K+1)) s``: a line of sight beside Rayleigh scattering s.

    E|h|^2 = 1; K is the power of the line of sight over that of the scattering (Proakis and Salehi, "Digital
    Communications", 5th ed., section 13.1). The phase p is uniform: a line of sight does not tell its length.

    Attributes:
        k_db: the factor K, in dB.
        doppler_hz: 0 for block fading, one independent h per frame; otherwise the maximal shift: the scattering follows
            Clarke's process, the line of sight turns at 0.7 of it (3GPP TR 38.901, section 7.7.2).
    """

    kind: Literal["rician"] = "rician"
    stage: ClassVar[Stage] = Stage.PROPAGATION

    k_db: float = Field(default=6.0, ge=-30.0, le=60.0)
    doppler_hz: float = Field(default=0.0, ge=0.0, le=1e6)

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        k = 10.0 ** (self.k_db / 10.0)
        seen = line_of_sight_gains(frame, "rician line of sight", samples.size, self.doppler_hz)
        scattered = scattered_gains(frame, "rician scattering", samples.size, self.doppler_hz)
        h = seen * np.float32(math.sqrt(k / (k + 1))) + scattered * np.float32(math.sqrt(1 / (k + 1)))
        return np.multiply(samples, h)
