"""The two base graphs of 5G NR's LDPC codes, TS 38.212 section 5.3.2, tables 5.3.2-1 to 5.3.2-3.

``base_graphs.csv`` holds the standard's tables; they were read from the copy in sionna-no-rt (NVIDIA, Apache-2.0).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

GraphNumber = Literal[1, 2]

#: Table 5.3.2-1: a lifting size is one of these times a power of two, and at most 384; the place is the set's index.
SETS: Final = (2, 3, 5, 7, 9, 11, 13, 15)
LARGEST_LIFTING: Final = 384

#: Columns of the information bits, per graph.
INFORMATION_COLUMNS: Final[dict[GraphNumber, int]] = {1: 22, 2: 10}

#: Rows of the core, which is solved together; each further row defines one parity column of its own.
CORE_ROWS: Final = 4


@dataclass(frozen=True, eq=False)
class LiftedGraph:
    """A base graph with its shifts for one lifting size.

    Attributes:
        lifting: Z; every entry stands for a Z x Z identity matrix whose columns are shifted.
        information_columns: 22 or 10.
        columns: 68 or 52.
        starts: where each row's edges begin among the edges, ``(rows + 1,)``.
        column: column of each edge, ``(edges,)``.
        shift: shift of each edge, 0..Z-1, ``(edges,)``: check i of a row meets bit ``(i + shift) mod Z`` of the column.
    """

    lifting: int
    information_columns: int
    columns: int
    starts: NDArray[np.int64]
    column: NDArray[np.int64]
    shift: NDArray[np.int64]

    @property
    def rows(self) -> int:
        return len(self.starts) - 1

    def edges(self, row: int) -> list[tuple[int, int]]:
        """``(column, shift)`` of a row."""
        part = slice(self.starts[row], self.starts[row + 1])
        return list(zip(self.column[part].tolist(), self.shift[part].tolist(), strict=True))


@cache
def lifting_sizes() -> dict[int, int]:
    """Every lifting size, rising, with the index of its set."""
    sizes = {
        base << power: index
        for index, base in enumerate(SETS)
        for power in range(8)
        if base << power <= LARGEST_LIFTING
    }
    return dict(sorted(sizes.items()))


@cache
def lifted_graph(number: GraphNumber, lifting: int) -> LiftedGraph:
    """The graph ``number`` with Z = ``lifting``, one of `lifting_sizes`."""
    table = _table()
    entries = table[table[:, 0] == number]
    row, column, shift = entries[:, 1], entries[:, 2], entries[:, 3 + lifting_sizes()[lifting]] % lifting
    return LiftedGraph(
        lifting=lifting,
        information_columns=INFORMATION_COLUMNS[number],
        columns=int(column.max()) + 1,
        starts=np.searchsorted(row, np.arange(int(row.max()) + 2)),
        column=column.copy(),
        shift=shift.copy(),
    )


@cache
def _table() -> NDArray[np.int64]:
    """Rows of (graph, row, column, shifts of the eight sets), ``(edges of both graphs, 11)``."""
    text = (resources.files(__package__) / "base_graphs.csv").read_text("utf-8")
    return np.array(list(csv.reader(text.splitlines()))[1:], dtype=np.int64)
