"""A solid-state power amplifier that saturates."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from channel_sim.channel_model import Stage
from channel_sim.impairments.base import SampleImpairment
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples


class Rapp(SampleImpairment):
    """Amplitude ``g(a) = a / (1 + (a/A)^(2p))^(1/(2p))``, phase as it was.

    Rapp, "Effects of HPA-nonlinearity on a 4-DPSK/OFDM-signal for a digital sound broadcasting system" (ECSC 1991). The
    output is scaled back to the frame's mean power, as a sender's power control does: the model distorts the signal
    and does not weaken it, so the declared SNR holds.

    Attributes:
        backoff_db: saturation power A^2 over the signal's mean power, in dB.
        smoothness: p; 2 to 3 for solid-state amplifiers, towards a hard limiter as it grows.
    """

    kind: Literal["rapp"] = "rapp"
    stage: ClassVar[Stage] = Stage.AMPLIFIER

    backoff_db: float = Field(default=6.0, ge=-20.0, le=60.0)
    smoothness: float = Field(default=2.0, ge=0.5, le=50.0)

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:  # noqa: ARG002
        power = np.abs(samples).astype(np.float64) ** 2
        mean = float(power.mean())
        if not mean:
            return samples.copy()
        drive = power / (mean * 10.0 ** (self.backoff_db / 10.0))
        gain = (1.0 + drive**self.smoothness) ** (-0.5 / self.smoothness)
        gain *= np.sqrt(mean / np.mean(power * gain**2))
        amplified: Samples = samples * gain.astype(np.float32)
        return amplified
