"""A transport block: bytes in, so many QAM symbols out, and the same bytes or nothing back.

Bytes -> CRC24A -> code blocks, each with CRC24B where there are several -> LDPC -> scrambling -> QAM, in the order of
TS 38.212 section 7.2 and TS 38.211 section 7.3.1. How many bytes fit follows from the number of symbols and the
scheme, which both ends know; how many came is told by a one bit behind the last of them, before the zeros that fill up.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evaluation.digital import qam
from evaluation.digital.crc24 import CODE_BLOCK, CRC_BITS, Bits, attach, passes
from evaluation.digital.ldpc import LARGEST_BLOCK, LdpcCode, graph_for
from shared.errors import InvalidInput


@dataclass(frozen=True, order=True)
class Scheme:
    """Modulation and code rate.

    Attributes:
        bits_per_symbol: 2 QPSK, 4 16-QAM, 6 64-QAM.
        rate: information bits over sent bits.
    """

    bits_per_symbol: int
    rate: float

    @property
    def efficiency(self) -> float:
        """Information bits per channel use."""
        return self.bits_per_symbol * self.rate

    def __str__(self) -> str:
        return f"{ {2: 'QPSK', 4: '16-QAM', 6: '64-QAM'}[self.bits_per_symbol] } {self.rate:g}"


#: From robust to fast, about 2 dB apart: a selection of TS 38.214 table 5.1.3.1-1's range.
SCHEMES = (
    Scheme(2, 0.12), Scheme(2, 0.2), Scheme(2, 0.33), Scheme(2, 0.5), Scheme(2, 0.66),
    Scheme(4, 0.41), Scheme(4, 0.5), Scheme(4, 0.64),
    Scheme(6, 0.5), Scheme(6, 0.65), Scheme(6, 0.75), Scheme(6, 0.85),
)  # fmt: skip


class TransportBlock:
    """Codes bytes for ``symbols`` channel uses.

    Args:
        symbols: QAM symbols to fill.
        scheme: modulation and code rate.

    Raises:
        InvalidInput: if not even one byte fits.
    """

    def __init__(self, symbols: int, scheme: Scheme) -> None:
        self.symbols, self.scheme = symbols, scheme
        block_bits = int(symbols * scheme.efficiency)
        graph = graph_for(block_bits, scheme.rate)
        count = 1 if block_bits <= LARGEST_BLOCK[graph] else -(-block_bits // (LARGEST_BLOCK[graph] - CRC_BITS))
        each = block_bits // count
        own_checks = CRC_BITS * count if count > 1 else 0
        self._data_bits = count * each - own_checks - CRC_BITS
        if self.capacity < 1:
            raise InvalidInput(f"{symbols} symbols of {scheme} carry no byte behind their check")
        short, more = divmod(symbols, count)
        sizes = [short + (index >= count - more) for index in range(count)]
        m = scheme.bits_per_symbol
        self._codes = [LdpcCode(graph, each, size * m, m) for size in sizes]

    @property
    def capacity(self) -> int:
        """Bytes that fit."""
        return (self._data_bits - 1) // 8

    @cached_property
    def _scrambling(self) -> Bits:
        """Fixed bits that make any data look random, so that the symbols' mean power is the constellation's."""
        return np.random.Generator(np.random.Philox(38211)).integers(
            0, 2, self.symbols * self.scheme.bits_per_symbol, np.uint8
        )

    def encode(self, data: bytes) -> NDArray[np.complex128]:
        """At most `capacity` bytes -> ``(symbols,)``.

        Raises:
            InvalidInput: if they are more.
        """
        if len(data) > self.capacity:
            raise InvalidInput(f"{len(data)} bytes do not fit into {self.capacity}")
        bits = np.zeros(self._data_bits, np.uint8)
        bits[: 8 * len(data)] = np.unpackbits(np.frombuffer(data, np.uint8))
        bits[8 * len(data)] = 1
        parts = np.split(attach(bits), len(self._codes))
        if len(parts) > 1:
            parts = [attach(part, CODE_BLOCK) for part in parts]
        coded = np.concatenate([code.encode(part) for code, part in zip(self._codes, parts, strict=True)])
        return qam.modulate(coded ^ self._scrambling, self.scheme.bits_per_symbol)

    def decode(self, symbols: NDArray[np.complexfloating], noise_power: float) -> bytes | None:
        """Equalised symbols ``(symbols,)`` of that noise variance -> the bytes; None if a check fails."""
        llrs = qam.demap(symbols, noise_power, self.scheme.bits_per_symbol)
        llrs *= 1 - 2 * self._scrambling.astype(np.float32)
        parts, begin = [], 0
        for code in self._codes:
            part = code.decode(llrs[begin : begin + code.sent_bits])
            begin += code.sent_bits
            if len(self._codes) > 1:
                if not passes(part, CODE_BLOCK):
                    return None
                part = part[:-CRC_BITS]
            parts.append(part)
        block = np.concatenate(parts)
        if not passes(block):
            return None
        ones = np.flatnonzero(block[:-CRC_BITS])
        return np.packbits(block[: ones[-1]]).tobytes() if ones.size and ones[-1] % 8 == 0 else None
