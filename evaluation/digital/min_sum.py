"""Layered normalised min-sum decoding of a lifted graph, compiled.

A layer is one row of the base graph, whose Z checks touch no bit twice; the layers of one iteration use what the ones
before have found (Hocevar, "A reduced complexity decoder architecture via layered decoding of LDPC codes", SiPS 2004).
The minimum is scaled by 0.75 (Chen and Fossorier, IEEE Trans. Commun. 50(3), 2002).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

SCALE: Final = 0.75
MAX_ITERATIONS: Final = 20


@njit(cache=True, fastmath=True)  # type: ignore[untyped-decorator]
def decode(
    llrs: NDArray[np.float32],
    lifting: int,
    rows: int,
    starts: NDArray[np.int64],
    column: NDArray[np.int64],
    shift: NDArray[np.int64],
    max_iterations: int,
) -> int:
    """Turns channel values into posterior ones, in place.

    Args:
        llrs: ``ln p(0)/p(1)`` of every bit of the graph, ``(columns * lifting,)``; 0 for a punctured one.
        lifting: Z.
        rows: how many of the graph's rows to use; those whose parity was not sent say nothing.
        starts: see `LiftedGraph`.
        column: see `LiftedGraph`.
        shift: see `LiftedGraph`.
        max_iterations: iterations at most; it ends before when all checks are met.

    Returns:
        the iterations done, or -1 if a check was still not met after the last one.
    """
    messages = np.zeros((starts[rows], lifting), np.float32)
    values = np.empty((32, lifting), np.float32)
    least, second, sign = np.empty(lifting, np.float32), np.empty(lifting, np.float32), np.empty(lifting, np.float32)
    for iteration in range(max_iterations):
        for row in range(rows):
            first, last = starts[row], starts[row + 1]
            least[:] = 1e30
            second[:] = 1e30
            sign[:] = 1.0
            for edge in range(first, last):
                base, turn = column[edge] * lifting, shift[edge]
                value, message = values[edge - first], messages[edge]
                for part in range(2):  # the shifted column is two runs of neighbours
                    begin = 0 if part == 0 else lifting - turn
                    end = lifting - turn if part == 0 else lifting
                    offset = base + turn - (0 if part == 0 else lifting)
                    for i in range(begin, end):
                        outer = llrs[offset + i] - message[i]
                        value[i] = outer
                        size = abs(outer)
                        second[i] = min(second[i], max(least[i], size))
                        least[i] = min(least[i], size)
                        sign[i] = -sign[i] if outer < 0 else sign[i]
            for edge in range(first, last):
                base, turn = column[edge] * lifting, shift[edge]
                value, message = values[edge - first], messages[edge]
                for part in range(2):
                    begin = 0 if part == 0 else lifting - turn
                    end = lifting - turn if part == 0 else lifting
                    offset = base + turn - (0 if part == 0 else lifting)
                    for i in range(begin, end):
                        outer = value[i]
                        size = second[i] if abs(outer) == least[i] else least[i]
                        told = SCALE * size * (-sign[i] if outer < 0 else sign[i])
                        message[i] = told
                        llrs[offset + i] = outer + told
        if _met(llrs, lifting, rows, starts, column, shift):
            return iteration + 1
    return -1


@njit(cache=True)  # type: ignore[untyped-decorator]
def _met(
    llrs: NDArray[np.float32],
    lifting: int,
    rows: int,
    starts: NDArray[np.int64],
    column: NDArray[np.int64],
    shift: NDArray[np.int64],
) -> bool:
    """Whether the decided bits meet every check of the first ``rows`` rows."""
    parity = np.empty(lifting, np.uint8)
    for row in range(rows):
        parity[:] = 0
        for edge in range(starts[row], starts[row + 1]):
            base, turn = column[edge] * lifting, shift[edge]
            for i in range(lifting - turn):
                parity[i] ^= llrs[base + turn + i] < 0
            for i in range(lifting - turn, lifting):
                parity[i] ^= llrs[base + turn - lifting + i] < 0
        if parity.any():
            return False
    return True
