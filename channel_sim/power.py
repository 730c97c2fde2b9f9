"""Powers of frames, and decibels at the border."""

from __future__ import annotations

import math

import numpy as np

from shared.phy.cf32 import Samples

# -300 dB: keeps the logarithm of an all-zero frame finite.
SILENCE = 1e-30


def mean_power(samples: Samples) -> float:
    """Mean of ``|x|^2`` over a frame, linear."""
    return float(np.vdot(samples, samples).real) / samples.size


def to_db(power: float) -> float:
    """``10 log10`` of a power ratio, with a floor of -300 dB."""
    return 10.0 * math.log10(max(power, SILENCE))
