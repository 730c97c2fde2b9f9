"""Rayleigh block fading."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from channel_sim.channel_model import Stage
from channel_sim.impairments.base import Parameters
from channel_sim.randomness import FrameContext, complex_normal
from shared.phy.cf32 import Samples


class Rayleigh(Parameters):
    """``y = h x`` with one ``h ~ CN(0, 1)`` per frame: no line of sight, coherence time of one frame.

    ``|h|`` is Rayleigh, ``|h|^2`` exponential of mean 1, the phase uniform (Proakis and Salehi, "Digital
    Communications", 5th ed., section 13.1). Complex, not its magnitude: the receiver has to find the phase as well.
    """

    kind: Literal["rayleigh"] = "rayleigh"
    stage: ClassVar[Stage] = Stage.PROPAGATION

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        h = complex_normal(frame.generator(self.kind), 1)
        return np.multiply(samples, h)
