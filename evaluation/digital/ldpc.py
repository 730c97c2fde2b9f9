"""One code block of 5G NR's LDPC: lifting, encoding, rate matching, decoding (TS 38.212 sections 5.2.2, 5.3.2, 5.4.2).

The first two columns are punctured, filler bits are known zeros that are not sent, redundancy version 0 is read from
the circular buffer, and the bits are interleaved so that the reliable places of a symbol carry the first of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from evaluation.digital import min_sum
from evaluation.digital.base_graph import CORE_ROWS, GraphNumber, LiftedGraph, lifted_graph, lifting_sizes
from evaluation.digital.crc24 import Bits
from shared.errors import InvalidInput

#: Largest code block per graph, its check included.
LARGEST_BLOCK: dict[GraphNumber, int] = {1: 8448, 2: 3840}

#: What a filler bit is worth: certainly zero.
CERTAIN = 1e4


def graph_for(bits: int, rate: float) -> GraphNumber:
    """The base graph for a payload of so many bits at that code rate (TS 38.212 section 7.2.2)."""
    return 2 if bits <= 292 or (bits <= 3824 and rate <= 0.67) or rate <= 0.25 else 1


@dataclass(frozen=True)
class LdpcCode:
    """A code of ``information_bits`` in ``sent_bits``.

    Attributes:
        graph_number: base graph 1 or 2.
        information_bits: bits of a block, checks included.
        sent_bits: bits of a block behind the rate matching; a multiple of ``bits_per_symbol``.
        bits_per_symbol: of the modulation, for the bit interleaver; 1 leaves the order alone.

    Raises:
        InvalidInput: if the block is too large for the graph, or nothing but repetition of less than it would be sent.
    """

    graph_number: GraphNumber
    information_bits: int
    sent_bits: int
    bits_per_symbol: int = 1

    def __post_init__(self) -> None:
        if not 1 <= self.information_bits <= LARGEST_BLOCK[self.graph_number]:
            raise InvalidInput(f"a code block has 1 to {LARGEST_BLOCK[self.graph_number]} bits")
        if self.sent_bits < self.information_bits or self.sent_bits % self.bits_per_symbol:
            raise InvalidInput(f"{self.information_bits} bits cannot be sent as {self.sent_bits}")

    @cached_property
    def graph(self) -> LiftedGraph:
        """The graph at the smallest lifting size that holds the block."""
        used = 22 if self.graph_number == 1 else self._used_columns()
        lifting = next(size for size in lifting_sizes() if used * size >= self.information_bits)
        return lifted_graph(self.graph_number, lifting)

    def _used_columns(self) -> int:
        """Columns of graph 2 that a block of this size fills."""
        return next(
            columns for above, columns in ((640, 10), (560, 9), (192, 8), (0, 6)) if self.information_bits > above
        )

    @property
    def _filler(self) -> int:
        """Known zeros behind the information bits."""
        return self.graph.information_columns * self.graph.lifting - self.information_bits

    @cached_property
    def _selection(self) -> NDArray[np.intp]:
        """Which bit of the graph each sent bit is, ``(sent_bits,)``, interleaving included."""
        graph = self.graph
        buffer = np.arange(2 * graph.lifting, graph.columns * graph.lifting)
        filler = (buffer >= self.information_bits) & (buffer < graph.information_columns * graph.lifting)
        chosen = np.resize(buffer[~filler], self.sent_bits)
        return np.ascontiguousarray(chosen.reshape(self.bits_per_symbol, -1).T).reshape(-1)

    @cached_property
    def _rows(self) -> int:
        """Rows of the graph whose parity bits are sent, and the core."""
        sent_columns = int(self._selection.max()) // self.graph.lifting + 1
        return max(CORE_ROWS, sent_columns - self.graph.information_columns)

    def encode(self, bits: Bits) -> Bits:
        """``(information_bits,)`` -> ``(sent_bits,)``."""
        graph = self.graph
        word = np.zeros((graph.columns, graph.lifting), np.uint8)
        word.reshape(-1)[: self.information_bits] = bits
        self._solve_core(word)
        for row in range(CORE_ROWS, self._rows):
            word[graph.information_columns + row] = _sum_of(word, graph.edges(row)[:-1])
        return word.reshape(-1)[self._selection]

    def _solve_core(self, word: NDArray[np.uint8]) -> None:
        """Finds the four core parity columns: in the sum of the core's rows only the first of them is left."""
        graph = self.graph
        first = graph.information_columns
        rows = [graph.edges(row) for row in range(CORE_ROWS)]
        known = [_sum_of(word, [edge for edge in edges if edge[0] < first]) for edges in rows]
        shifts = [shift for edges in rows for column, shift in edges if column == first]
        left = next(shift for shift in shifts if shifts.count(shift) % 2)
        word[first] = np.roll(np.bitwise_xor.reduce(known), left)
        solved = {first}
        while len(solved) < CORE_ROWS:
            for edges, information in zip(rows, known, strict=True):
                parity = [edge for edge in edges if edge[0] >= first]
                unknown = [edge for edge in parity if edge[0] not in solved]
                if len(unknown) == 1:
                    column, shift = unknown[0]
                    others = _sum_of(word, [edge for edge in parity if edge[0] != column])
                    word[column] = np.roll(information ^ others, shift)
                    solved.add(column)

    def decode(self, llrs: NDArray[np.float32], max_iterations: int = min_sum.MAX_ITERATIONS) -> Bits:
        """``ln p(0)/p(1)`` of the sent bits ``(sent_bits,)`` -> the likeliest information bits; a check must say if."""
        graph = self.graph
        values = np.zeros(graph.columns * graph.lifting, np.float32)
        if self.sent_bits <= values.size - 2 * graph.lifting - self._filler:
            values[self._selection] = llrs
        else:
            values += np.bincount(self._selection, llrs, values.size)  # sent more than once: what was heard adds up
        values[self.information_bits : graph.information_columns * graph.lifting] = CERTAIN
        min_sum.decode(values, graph.lifting, self._rows, graph.starts, graph.column, graph.shift, max_iterations)
        return (values[: self.information_bits] < 0).astype(np.uint8)


def _sum_of(word: NDArray[np.uint8], edges: list[tuple[int, int]]) -> NDArray[np.uint8]:
    """What the edges' bits come to in each check of a row, ``(Z,)``."""
    total = np.zeros(word.shape[1], np.uint8)
    for column, shift in edges:
        total ^= np.roll(word[column], -shift)
    return total
