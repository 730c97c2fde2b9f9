"""Several paths with given delays and powers."""

from __future__ import annotations

import math
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field, model_validator

from channel_sim.channel_model import Stage
from channel_sim.delay_line import over_paths
from channel_sim.doppler import scattered_gains
from channel_sim.impairments.base import SampleImpairment
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples


class Taps(SampleImpairment):
    """``y_k = sum_l g_l(k) x(k - d_l)``: a tapped delay line, selective in frequency.

    The powers are scaled to sum 1, so that E|y|^2 = E|x|^2 (Proakis and Salehi, "Digital Communications", 5th ed.,
    section 13.5). Delays of a fraction of a sample are interpolated; silence stands before the frame, and what comes
    after its last sample is cut off.

    Attributes:
        delays_us: of the paths, in microseconds.
        powers_db: of the paths, relative to each other; as many as delays.
        doppler_hz: as of ``rayleigh``, every path fading by itself.
        fixed: the paths do not fade, their gains are the roots of their powers.
    """

    kind: Literal["taps"] = "taps"
    stage: ClassVar[Stage] = Stage.PROPAGATION

    delays_us: tuple[float, ...] = Field(default=(0.0, 1.0), min_length=1, max_length=64)
    powers_db: tuple[float, ...] = Field(default=(0.0, -6.0), min_length=1, max_length=64)
    doppler_hz: float = Field(default=0.0, ge=0.0, le=1e6)
    fixed: bool = False

    @model_validator(mode="after")
    def _paths_make_sense(self) -> Taps:
        if len(self.delays_us) != len(self.powers_db):
            raise ValueError(f"{len(self.delays_us)} delays_us and {len(self.powers_db)} powers_db: give one per path")
        if min(self.delays_us) < 0 or max(self.delays_us) > 1e5:
            raise ValueError("delays_us are 0 to 100000")
        if max(map(abs, self.powers_db)) > 200:
            raise ValueError("powers_db are -200 to 200")
        return self

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:
        powers = [10.0 ** (power_db / 10.0) for power_db in self.powers_db]
        gains = []
        for path, power in enumerate(powers):
            amplitude = np.float32(math.sqrt(power / sum(powers)))
            steady = np.ones(1, np.complex64)
            faded = scattered_gains(frame, f"taps {path}", samples.size, self.doppler_hz)
            gains.append((steady if self.fixed else faded) * amplitude)
        delays_samples = [delay_us * 1e-6 * frame.sample_rate_hz for delay_us in self.delays_us]
        return over_paths(samples, delays_samples, gains)
