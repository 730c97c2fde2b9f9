"""Phase noise of a free-running oscillator."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from channel_sim.channel_model import Stage
from channel_sim.impairments.base import SampleImpairment
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples


class PhaseNoise(SampleImpairment):
    """``y = x e^{j p}`` with a Wiener phase: independent steps ``N(0, 2 pi B / sample rate)``.

    The carrier's spectrum is Lorentzian with the width B between its half-power points, its autocorrelation
    ``exp(-pi B |tau|)`` (Demir, Mehrotra and Roychowdhury, "Phase noise in oscillators", IEEE Trans. Circuits Syst. I
    47(5), 2000). Every frame begins at a uniform phase of its own.

    Attributes:
        linewidth_hz: B.
    """

    kind: Literal["phase_noise"] = "phase_noise"
    stage: ClassVar[Stage] = Stage.OSCILLATOR

    linewidth_hz: float = Field(default=10.0, ge=0.0, le=1e9)

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        generator = frame.generator(self.kind)
        phase = generator.standard_normal(samples.size) * math.sqrt(
            2 * math.pi * self.linewidth_hz / frame.sample_rate_hz
        )
        phase[0] = generator.uniform(-math.pi, math.pi)
        np.cumsum(phase, out=phase)
        turned: Samples = samples * np.exp(1j * phase).astype(np.complex64)
        return turned
