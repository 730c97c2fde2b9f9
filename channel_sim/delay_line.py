"""Delays of a fraction of a sample, and signals that arrive over several paths."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from channel_sim.doppler import Gains
from shared.phy.cf32 import Samples

# Coefficients of an interpolation; with Kaiser's window of this shape its error is below -45 dB up to 0.8 of the band.
_LENGTH = 32
_KAISER_BETA = 4.0

#: The interpolation's coefficients reach this many samples ahead of the whole delay, and one more behind it.
AHEAD = _LENGTH // 2 - 1


def interpolation(fraction: float | NDArray[np.float64]) -> NDArray[np.float32]:
    """Windowed-sinc coefficients c_m, m = -15..16, with ``x(k - fraction) = sum_m c_m x(k - m)``.

    Laakso, Valimaki, Karjalainen and Laine, "Splitting the unit delay" (IEEE Signal Processing Magazine 13(1), 1996).

    Args:
        fraction: 0 to 1, of shape ``s``.

    Returns:
        Coefficients of shape ``s + (32,)``; exactly a single one for the fraction 0.
    """
    offsets = np.arange(-AHEAD, _LENGTH - AHEAD) - np.asarray(fraction)[..., None]
    inside = np.clip(1 - (offsets / (_LENGTH / 2)) ** 2, 0, None)
    window = np.i0(_KAISER_BETA * np.sqrt(inside)) / np.i0(_KAISER_BETA)
    coefficients: NDArray[np.float32] = (np.sinc(offsets) * window).astype(np.float32)
    return coefficients


def delayed(samples: Samples, delay_samples: float) -> Samples:
    """``(n,)`` samples later by any number of samples; silence stands before the frame and the end falls off."""
    whole = math.floor(delay_samples)
    filtered = np.convolve(samples, _kept(delay_samples - whole))[AHEAD:][: samples.size].astype(
        np.complex64, copy=False
    )
    if not whole:
        return filtered
    later = np.zeros_like(samples)
    later[whole:] = filtered[: max(samples.size - whole, 0)]
    return later


def over_paths(samples: Samples, delays_samples: Sequence[float], gains: Sequence[Gains]) -> Samples:
    """``y_k = sum_l g_l(k) x(k - d_l)``: a tapped delay line with one gain sequence per path.

    A fraction of a sample costs white samples the edge of their band, up to 0.2 dB; every path is scaled by as much, so
    that it has the power of its gain.
    """
    total = np.zeros_like(samples)
    for delay_samples, gain in zip(delays_samples, gains, strict=True):
        coefficients = _kept(delay_samples - math.floor(delay_samples))
        scale = np.float32(1.0 / math.sqrt(float(np.sum(coefficients.astype(np.float64) ** 2))))
        total += (gain * scale) * delayed(samples, delay_samples)
    return total


@lru_cache(maxsize=1024)
def _kept(fraction: float) -> NDArray[np.float32]:
    """The interpolation of a fraction, computed once: a link's delays are the same for every frame."""
    coefficients = interpolation(fraction)
    coefficients.flags.writeable = False
    return coefficients
