"""Sampling frequency offset."""

from __future__ import annotations

from functools import cache
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from channel_sim.channel_model import Stage
from channel_sim.delay_line import AHEAD, interpolation
from channel_sim.impairments.base import SampleImpairment
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples

# Interpolated positions between two samples: their rounding stays below the interpolation's own error.
_POSITIONS = 1024


class Sfo(SampleImpairment):
    """``y_k = x(k (1 + e))``: the receiver's clock is slow by e, so that it takes its samples ever later in the signal.

    The frame's first sample is taken on time; what the clock still wants after the frame's end is silence.

    Attributes:
        offset_ppm: e in parts per million.
    """

    kind: Literal["sfo"] = "sfo"
    stage: ClassVar[Stage] = Stage.SAMPLING

    offset_ppm: float = Field(default=10.0, ge=-1e4, le=1e4)

    def apply(self, samples: Samples, frame: FrameContext) -> Samples:  # noqa: ARG002
        steps = np.round(np.arange(samples.size) * ((1.0 + 1e-6 * self.offset_ppm) * _POSITIONS)).astype(np.int64)
        # x(w - f) with whole w at or after the wanted instant and f a fraction of a sample, 0 <= f < 1.
        whole = -(-steps // _POSITIONS)
        coefficients = _bank()[whole * _POSITIONS - steps]  # (n, 32)
        behind = coefficients.shape[1] - 1 - AHEAD
        surrounded = np.pad(samples, (behind, max(0, int(whole[-1]) + AHEAD + 1 - samples.size)))
        total = np.zeros_like(samples)
        for tap in range(coefficients.shape[1]):
            total += coefficients[:, tap] * surrounded[whole + (behind + AHEAD - tap)]
        return total


@cache
def _bank() -> NDArray[np.float32]:
    """Coefficients for every position, shape ``(1024, 32)``."""
    return interpolation(np.arange(_POSITIONS) / _POSITIONS)
