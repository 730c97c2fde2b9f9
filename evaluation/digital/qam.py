"""QPSK, 16-QAM and 64-QAM with the Gray labels of TS 38.211 sections 5.1.3 to 5.1.5, and their max-log demapper.

Even bits label the real part and odd ones the imaginary part, each an amplitude-shift keying of ``2^(m/2)`` levels.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from evaluation.digital.crc24 import Bits


@cache
def levels(bits_per_dimension: int) -> NDArray[np.float64]:
    """Amplitudes of one dimension by label, ``(2^bits,)``; of mean power 1/2."""
    amplitudes = []
    for label in range(1 << bits_per_dimension):
        bits = [label >> (bits_per_dimension - 1 - place) & 1 for place in range(bits_per_dimension)]
        amplitude = 1
        for place, bit in enumerate(reversed(bits[1:])):
            amplitude = (2 << place) - (1 - 2 * bit) * amplitude
        amplitudes.append((1 - 2 * bits[0]) * amplitude)
    table = np.array(amplitudes, np.float64)
    unit: NDArray[np.float64] = table / np.sqrt(2 * np.mean(table**2))
    return unit


def modulate(bits: Bits, bits_per_symbol: int) -> NDArray[np.complex128]:
    """``(n,)`` -> ``(n / bits_per_symbol,)`` symbols of mean power 1 over the constellation."""
    half = bits_per_symbol // 2
    pairs = bits.reshape(-1, half, 2)  # (symbols, place, dimension)
    weights = 1 << np.arange(half)[::-1]
    labels = np.tensordot(pairs, weights, axes=(1, 0))  # (symbols, dimension)
    return levels(half)[labels].view(np.complex128)[:, 0]


def demap(symbols: NDArray[np.complexfloating], noise_power: float, bits_per_symbol: int) -> NDArray[np.float32]:
    """Max-log ``ln p(0)/p(1)`` of every bit, ``(symbols * bits_per_symbol,)``.

    Args:
        symbols: equalised, ``(n,)``.
        noise_power: variance of their complex noise, linear.
        bits_per_symbol: 2, 4 or 6.
    """
    half = bits_per_symbol // 2
    values = np.ascontiguousarray(symbols, np.complex128).view(np.float64)  # real and imaginary part in turn
    distances = np.square(values[:, None] - levels(half)) / noise_power  # (2 n, labels)
    label = np.arange(1 << half)
    llrs = np.empty((len(values), half), np.float32)
    for place in range(half):
        is_one = (label >> (half - 1 - place) & 1).astype(bool)
        llrs[:, place] = distances[:, is_one].min(1) - distances[:, ~is_one].min(1)
    return llrs.reshape(-1, 2, half).transpose(0, 2, 1).reshape(-1)
