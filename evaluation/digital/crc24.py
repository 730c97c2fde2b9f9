"""The two 24-bit cyclic redundancy checks of TS 38.212 section 5.1."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

Bits = NDArray[np.uint8]
"""Zeros and ones of shape ``(n,)``, the most significant first."""

CRC_BITS: Final = 24

#: For a whole transport block: generator CRC24A without its leading term.
TRANSPORT: Final = 0x864CFB

#: For each of several code blocks: generator CRC24B without its leading term.
CODE_BLOCK: Final = 0x800063


def crc24(bits: Bits, polynomial: int = TRANSPORT) -> Bits:
    """Remainder of ``bits`` times ``D^24``, the register starting at zero: ``(24,)`` bits."""
    table = _table(polynomial)
    register = 0
    # Zeros in front of the first one bit do not change the remainder, so the row may be filled up to whole bytes.
    for byte in np.packbits(np.pad(bits, (-len(bits) % 8, 0))).tolist():
        register = ((register << 8) & 0xFFFFFF) ^ table[(register >> 16) ^ byte]
    return np.unpackbits(np.frombuffer(register.to_bytes(3, "big"), np.uint8))


def attach(bits: Bits, polynomial: int = TRANSPORT) -> Bits:
    """``(n,)`` -> ``(n + 24,)``."""
    return np.concatenate([bits, crc24(bits, polynomial)])


def passes(block: Bits, polynomial: int = TRANSPORT) -> bool:
    """Whether ``(n + 24,)`` bits end with the check of those before."""
    return bool(np.array_equal(crc24(block[:-CRC_BITS], polynomial), block[-CRC_BITS:]))


@cache
def _table(polynomial: int) -> tuple[int, ...]:
    """Remainders of the 256 bytes."""
    remainders = []
    for byte in range(256):
        register = byte << 16
        for _ in range(8):
            register = ((register << 1) & 0xFFFFFF) ^ (polynomial if register & 0x800000 else 0)
        remainders.append(register)
    return tuple(remainders)
