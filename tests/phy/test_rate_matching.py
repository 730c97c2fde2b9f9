from __future__ import annotations

import numpy as np
import pytest

from shared.phy.rate_matching import match, selection, unmatch


def test_interleaver_order_of_a_header_is_the_one_worked_out_by_hand() -> None:
    # 36 bits behind 28 <NULL>s in two rows of 32: bits 0..3 end row 0 in columns 28..31, row 1 is bits 4..35. Read by
    # columns 1, 17, 9, 25, 5, 21, 13, 29 (two bits there), 3, ...
    assert selection(36, 108)[:10].tolist() == [5, 21, 13, 29, 9, 25, 17, 1, 33, 7]


def test_block_of_full_rows_is_read_by_the_table_alone() -> None:
    assert selection(32, 5).tolist() == [1, 17, 9, 25, 5]


def test_once_round_the_buffer_is_every_coded_bit_once() -> None:
    assert sorted(selection(36, 108).tolist()) == list(range(108))
    assert np.array_equal(selection(36, 250)[108:216], selection(36, 108))


def test_streams_follow_one_another_in_the_buffer() -> None:
    order = selection(36, 108).reshape(3, 36)
    assert np.array_equal(order[1], order[0] + 36)
    assert np.array_equal(order[2], order[0] + 72)


@pytest.mark.parametrize("count", [44, 72, 108, 576])
def test_repetitions_add_up_and_punctured_bits_say_nothing(count: int) -> None:
    streams = np.random.default_rng(count).integers(0, 2, (3, 36)).astype(np.uint8)
    total = unmatch(1.0 - 2.0 * match(streams, count), 36)
    times = np.bincount(selection(36, count), minlength=108).reshape(3, 36)
    assert np.array_equal(total, times * (1.0 - 2.0 * streams))
