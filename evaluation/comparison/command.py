"""An edit as a protected command: sixteen bits a wish, checked and coded as the frame's header is, QPSK."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from shared.attributes import MAX_DEGREE, attribute_names
from shared.phy import convolutional, rate_matching
from shared.phy.crc import CRC_BITS, Bits, crc16, to_bits, to_int
from shared.phy.header import likeliest_blocks

_ATTRIBUTE_BITS, _DEGREE_BITS = 3, 5
_STEPS = (1 << _DEGREE_BITS) - 1
_BLOCK = _ATTRIBUTE_BITS + _DEGREE_BITS + CRC_BITS
_MASK = 0x3C5A
"""Added to the check, so that silence is no command."""


def encode_command(targets: Mapping[str, float], symbols: int) -> NDArray[np.complex128]:
    """Wishes -> ``(len(targets) * symbols,)`` QPSK symbols, so many for each."""
    coded = []
    for name, degree in targets.items():
        value = attribute_names().index(name) << _DEGREE_BITS | round(degree / MAX_DEGREE * _STEPS)
        bits = to_bits(value, _ATTRIBUTE_BITS + _DEGREE_BITS)
        block = np.concatenate([bits, to_bits(crc16(bits) ^ _MASK, CRC_BITS)])
        coded.append(rate_matching.match(convolutional.encode(block), 2 * symbols))
    symbols_sent: NDArray[np.complex128] = ((1.0 - 2.0 * np.concatenate(coded)) / np.sqrt(2)).view(np.complex128)
    return symbols_sent


def decode_command(received: NDArray[np.complexfloating], symbols: int) -> dict[str, float] | None:
    """Equalised symbols, so many a wish -> wanted degrees; None if a check fails."""
    targets: dict[str, float] = {}
    for part in received.reshape(-1, symbols):
        wish = next((wish for wish in map(_read, likeliest_blocks(part, _BLOCK)) if wish is not None), None)
        if wish is None:
            return None
        targets.update([wish])
    return targets


def _read(block: Bits) -> tuple[str, float] | None:
    """Attribute and degree of a block ``(24,)``; None if its check fails."""
    bits, value = block[:-CRC_BITS], to_int(block[:-CRC_BITS])
    attribute = value >> _DEGREE_BITS
    if crc16(bits) ^ _MASK != to_int(block[-CRC_BITS:]) or attribute >= len(attribute_names()):
        return None
    return attribute_names()[attribute], (value & _STEPS) / _STEPS * MAX_DEGREE
