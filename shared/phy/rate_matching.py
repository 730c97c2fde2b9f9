"""Sub-block interleaver and circular buffer for convolutional codes, TS 36.212 section 5.1.4.2.

One mother code serves every profile: short headers read a part of the buffer, robust ones go round it several times.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.phy.convolutional import STREAMS

#: Table 5.1.4-2, inter-column permutation pattern for convolutional codes.
_COLUMNS: Final = (1, 17, 9, 25, 5, 21, 13, 29, 3, 19, 11, 27, 7, 23, 15, 31,
                   0, 16, 8, 24, 4, 20, 12, 28, 2, 18, 10, 26, 6, 22, 14, 30)  # fmt: skip


@cache
def selection(block: int, count: int) -> NDArray[np.intp]:
    """Which coded bit each transmitted bit is.

    Args:
        block: information bits, so that the coded streams have shape ``(3, block)``.
        count: transmitted bits.

    Returns:
        indices into the streams laid end to end, shape ``(count,)``.
    """
    rows = -(-block // len(_COLUMNS))
    padding = rows * len(_COLUMNS) - block  # the standard's <NULL> bits, never transmitted
    table = np.arange(rows * len(_COLUMNS)).reshape(rows, len(_COLUMNS)) - padding
    stream = table[:, _COLUMNS].T.ravel()
    stream = stream[stream >= 0]
    buffer = np.concatenate([stream + block * index for index in range(STREAMS)])
    return np.resize(buffer, count)


def match(streams: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
    """Reads ``count`` bits to transmit out of coded streams ``(3, block)``."""
    return streams.ravel()[selection(streams.shape[1], count)]


def unmatch(llrs: NDArray[np.float64], block: int) -> NDArray[np.float64]:
    """Adds up what was received of each coded bit; a punctured one gets 0. ``(count,)`` to ``(3, block)``."""
    total = np.zeros(STREAMS * block)
    np.add.at(total, selection(block, llrs.size), llrs)
    return total.reshape(STREAMS, block)
