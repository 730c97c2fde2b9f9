"""Imbalance of a direct-conversion receiver's two branches."""

from __future__ import annotations

import cmath
import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from channel_sim.channel_model import Stage
from channel_sim.impairments.base import SampleImpairment
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples


class IqImbalance(SampleImpairment):
    """``y = K1 x + K2 x*``, ``K1 = (1 + g e^{-jp}) / 2``, ``K2 = (1 - g e^{jp}) / 2``, scaled to |K1|^2 + |K2|^2 = 1.

    g and p are gain and phase of the Q branch relative to I; the mirrored signal lies 20 log10 |K1/K2| dB below
    (Schenk, "RF Imperfections in High-rate Wireless Systems", Springer 2008, section 5.2).

    Attributes:
        gain_db: g, in dB.
        phase_deg: p, in degrees.
    """

    kind: Literal["iq_imbalance"] = "iq_imbalance"
    stage: ClassVar[Stage] = Stage.MIXER

    gain_db: float = Field(default=0.5, ge=-20.0, le=20.0)
    phase_deg: float = Field(default=2.0, ge=-90.0, le=90.0)

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:  # noqa: ARG002
        straight, mirrored = self.coefficients()
        return np.complex64(straight) * samples + np.complex64(mirrored) * samples.conj()

    def coefficients(self) -> tuple[complex, complex]:
        """K1 and K2."""
        branch = cmath.rect(10.0 ** (self.gain_db / 20.0), math.radians(self.phase_deg))
        straight, mirrored = (1 + branch.conjugate()) / 2, (1 - branch) / 2
        scale = math.hypot(abs(straight), abs(mirrored))
        return straight / scale, mirrored / scale
