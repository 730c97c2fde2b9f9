"""Tail-biting convolutional code of TS 36.212 section 5.1.3.1: rate 1/3, generators 133, 171, 165 octal.

A tail-biting code spends no symbols on a tail, which matters when the whole block is 36 bits. The price is that the
start state is unknown; here it is paid in full. Sixty-four Viterbi searches, one per start state, run side by side in
numpy, so the decoder is maximum likelihood, not an approximation, and still takes about a millisecond.

It can go on after the likeliest block. The forward pass leaves at every state what the loser of the comparison there
lost by, so that a path's loss is the sum over the places where it takes the loser. A queue of such paths, ordered by
loss, gives one block after another in order of likelihood, as exactly as the first (the tree-trellis search of
Soong and Huang, ICASSP 1991).
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.phy.crc import Bits

#: Coded bits per information bit.
STREAMS: Final = 3

_GENERATORS: Final = (0o133, 0o171, 0o165)
_MEMORY: Final = 6
_STATES: Final = 1 << _MEMORY

#: What a path loses that does not begin in its first state; finite, so that two of them can be compared.
_IMPOSSIBLE: Final = 1e9


def encode(bits: Bits) -> NDArray[np.uint8]:
    """Codes ``(n,)`` information bits, ``n >= 6``, into three streams of shape ``(3, n)``."""
    # Delaying cyclically is what "the register starts with the last six bits" comes to.
    delayed = np.stack([np.roll(bits, delay) for delay in range(_MEMORY + 1)])  # (7, n)
    return (_taps() @ delayed % 2).astype(np.uint8)  # (3, n)


def decode(llrs: NDArray[np.float64]) -> Iterator[Bits]:
    """Yields every block of information bits ``(n,)``, ``n >= 6``, the most likely first, each once.

    The first costs about a millisecond, and each further one a small part of that when it is asked for.

    Args:
        llrs: log-likelihood ratios ``ln p(0)/p(1)`` of the coded bits, shape ``(3, n)``. A common factor does no harm.
    """
    length = llrs.shape[1]
    ends, margins = _search(llrs)
    # A path yet to be traced: (loss, first state, state now, bits to decide, bits decided). It is its own tie-break.
    paths = [(loss, state, state, length, 0) for state, loss in enumerate((ends.max() - ends).tolist())]
    heapq.heapify(paths)
    while paths:
        loss, start, state, left, block = heapq.heappop(paths)
        while left:
            left -= 1
            block |= state >> (_MEMORY - 1) << left
            margin = float(margins[left, start, state])
            even = state << 1 & (_STATES - 1)
            if abs(margin) < _IMPOSSIBLE / 2:  # else the loser does not begin in the first state
                heapq.heappush(paths, (loss + abs(margin), start, even | (margin <= 0), left, block))
            state = even | (margin > 0)
        yield np.array([block >> step & 1 for step in range(length)], dtype=np.uint8)


def _search(llrs: NDArray[np.float64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """The forward pass from every first state at once.

    Returns:
        the metric of the best path from each state round to itself, ``(64,)``, and for every bit, first state and state
        by how much the odd predecessor beats the even one, ``(n, 64, 64)``.
    """
    length = llrs.shape[1]
    # A state is the last six bits, the newest as its most significant bit. State t = 32 b + m is reached on bit b
    # from the two states 2 m and 2 m + 1, so that axes (b, m, j) hold every branch once and no index is gathered.
    relative = llrs / (np.max(np.abs(llrs)) or 1.0)  # samples of any finite scale stay within float32
    branches = np.tensordot(relative.astype(np.float32), _branch_signs(), axes=(0, 0))  # (n, 2, 32, 2)
    metrics = np.full((_STATES, _STATES), -_IMPOSSIBLE, dtype=np.float32)  # (start, state)
    np.fill_diagonal(metrics, 0.0)
    margins = np.empty((length, _STATES, _STATES), dtype=np.float32)
    for step in range(length):
        paths = metrics.reshape(_STATES, 1, _STATES // 2, 2) + branches[step]  # (start, b, m, j)
        even, odd = paths[..., 0], paths[..., 1]
        margins[step] = (odd - even).reshape(_STATES, _STATES)
        metrics = np.maximum(even, odd).reshape(_STATES, _STATES)
    return np.diagonal(metrics), margins  # a path must end where it began


@cache
def _taps() -> NDArray[np.uint8]:
    """Generator coefficients ``(3, 7)``, the undelayed bit first."""
    return np.array([[(g >> (_MEMORY - d)) & 1 for d in range(_MEMORY + 1)] for g in _GENERATORS], dtype=np.uint8)


@cache
def _branch_signs() -> NDArray[np.float32]:
    """+1/2 for a coded 0 and -1/2 for a coded 1 on the branch ``(b, m, j)``, shape ``(3, 2, 32, 2)``."""
    newest, middle, oldest = np.indices((2, _STATES // 2, 2))
    register = (newest << _MEMORY) | (middle << 1) | oldest  # bit b in front of the state 2 m + j it leaves
    inputs = np.stack([(register >> (_MEMORY - delay)) & 1 for delay in range(_MEMORY + 1)])  # (7, 2, 32, 2)
    coded = np.tensordot(_taps().astype(np.int64), inputs, axes=(1, 0)) % 2
    return (0.5 - coded).astype(np.float32)
