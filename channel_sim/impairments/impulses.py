"""Impulse noise."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from channel_sim.channel_model import Stage
from channel_sim.impairments.base import SampleImpairment
from channel_sim.randomness import FrameContext, complex_normal
from shared.phy.cf32 import Samples


class Impulses(SampleImpairment):
    """``y = x + b n``: Bernoulli-Gaussian, b is 1 with a small probability, ``n ~ CN(0, P)``.

    Ghosh, "Analysis of the effect of impulse noise on multicarrier and single carrier QAM systems" (IEEE Trans.
    Commun. 44(2), 1996). Its mean power is probability * P; it is no part of the declared thermal ``snr_db``.

    Attributes:
        probability: that a sample is hit.
        power_db: P over the power 1 of the signal.
    """

    kind: Literal["impulses"] = "impulses"
    stage: ClassVar[Stage] = Stage.INTERFERENCE

    probability: float = Field(default=0.01, ge=0.0, le=1.0)
    power_db: float = Field(default=10.0, ge=-60.0, le=60.0)

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        generator = frame.generator(self.kind)
        hit = np.flatnonzero(generator.random(samples.size, np.float32) < np.float32(self.probability))
        struck = samples.copy()
        struck[hit] += complex_normal(generator, hit.size) * np.float32(10.0 ** (self.power_db / 20.0))
        return struck
