"""Latent and digital code: the same coefficients as the linear codec, quantised and protected by LDPC.

Each coefficient gets whole bits by reverse water-filling over the weighted variances, and the Lloyd-Max quantiser of a
Gaussian with so many levels (Max, IRE Trans. Inf. Theory 6(1), 1960). Both ends know the allocation from the size.
"""

from __future__ import annotations

from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from shared.codec.basis import CodecBasis
from shared.codec.codec import Latent

MAX_BITS = 6
_NORMAL = NormalDist()


@cache
def lloyd_max(bits: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Thresholds ``(2^bits - 1,)`` and levels ``(2^bits,)`` of least squared error for a unit Gaussian."""
    count = 1 << bits
    levels = np.array([_NORMAL.inv_cdf((index + 0.5) / count) for index in range(count)])
    for _ in range(300):
        thresholds = (levels[:-1] + levels[1:]) / 2
        density = np.array([0.0, *(_NORMAL.pdf(t) for t in thresholds), 0.0])
        mass = np.diff([0.0, *(_NORMAL.cdf(t) for t in thresholds), 1.0])
        levels = (density[:-1] - density[1:]) / mass
    return (levels[:-1] + levels[1:]) / 2, levels


@cache
def _gain(bits: int) -> float:
    """What the next bit takes off the error of a unit Gaussian that has ``bits``."""
    return _error(bits) - _error(bits + 1)


@cache
def _error(bits: int) -> float:
    """Mean squared error: a centroid quantiser's is the variance less that of its levels."""
    thresholds, levels = lloyd_max(bits)
    mass = np.diff([0.0, *(_NORMAL.cdf(t) for t in thresholds), 1.0])
    return float(1 - (mass * np.square(levels)).sum())


def allocate(importance: NDArray[np.float64], total_bits: int) -> NDArray[np.int64]:
    """Whole bits for each coefficient of weighted variance ``importance``: every bit goes where it takes off most."""
    steps = np.array([_gain(bits) for bits in range(MAX_BITS)])
    gains = importance[:, None] * steps  # falling along each row
    spent = np.argsort(-gains, axis=None, kind="stable")[:total_bits]
    return np.bincount(spent // MAX_BITS, minlength=len(importance))


class LatentQuantiser:
    """Latent to bytes and back, for any number of bytes."""

    def __init__(self, basis: CodecBasis) -> None:
        self._basis = basis
        self._deviation = basis.deviation.astype(np.float64)
        self._importance = np.square(self._deviation) * basis.visibility.astype(np.float64)

    def encode(self, w_plus: Latent, size: int) -> bytes:
        """``(16, 512)`` -> ``size`` bytes."""
        allocation = allocate(self._importance, 8 * size)
        unit = self._basis.analyse(w_plus) / self._deviation
        bits: list[int] = []
        for index in np.flatnonzero(allocation):
            count = int(allocation[index])
            label = int(np.searchsorted(lloyd_max(count)[0], unit[index]))
            bits.extend(label >> place & 1 for place in reversed(range(count)))
        return np.packbits(np.array(bits, np.uint8)).tobytes().ljust(size, b"\0")

    def decode(self, data: bytes) -> Latent:
        """Bytes -> ``(16, 512)``."""
        allocation = allocate(self._importance, 8 * len(data))
        bits, begin = np.unpackbits(np.frombuffer(data, np.uint8)), 0
        coefficients = np.zeros(len(allocation), np.float32)
        for index in np.flatnonzero(allocation):
            count = int(allocation[index])
            label = int(bits[begin : begin + count] @ (1 << np.arange(count)[::-1]))
            begin += count
            coefficients[index] = lloyd_max(count)[1][label] * self._deviation[index]
        return self._basis.synthesise(coefficients)
