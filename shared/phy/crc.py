"""The 16-bit cyclic redundancy check of TS 36.212 section 5.1.1, ``D^16 + D^12 + D^5 + 1``."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint8]
"""Zeros and ones of shape ``(n,)``, the most significant first."""

CRC_BITS: Final = 16

#: The polynomial without its leading term.
_POLYNOMIAL: Final = 0x1021


def crc16(bits: Bits) -> int:
    """Remainder of ``bits`` times ``D^16``, the register starting at zero; the same as CRC-16/XMODEM over bytes."""
    register = 0
    for bit in bits.tolist():
        feedback = (register >> 15) ^ bit
        register = ((register << 1) & 0xFFFF) ^ (_POLYNOMIAL if feedback else 0)
    return register


def to_bits(value: int, count: int) -> Bits:
    """``value`` as ``count`` bits, the most significant first."""
    return np.array([(value >> shift) & 1 for shift in reversed(range(count))], dtype=np.uint8)


def to_int(bits: Bits) -> int:
    """Inverse of :func:`to_bits`."""
    value = 0
    for bit in bits.tolist():
        value = (value << 1) | bit
    return value
