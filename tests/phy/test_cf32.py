from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import SampleError
from shared.phy import from_bytes, to_bytes

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@given(st.lists(st.tuples(finite, finite), min_size=1, max_size=40))
def test_bytes_and_back_is_the_identity(pairs: list[tuple[float, float]]) -> None:
    samples = np.array([complex(*pair) for pair in pairs], dtype=np.complex64)
    assert np.array_equal(from_bytes(to_bytes(samples), samples.size), samples)


def test_layout_is_interleaved_little_endian_float32() -> None:
    assert to_bytes(np.array([1.5 - 2j, 0.25j], dtype=np.complex64)) == struct.pack("<4f", 1.5, -2, 0, 0.25)


def test_big_endian_samples_are_laid_out_little_endian() -> None:
    samples = np.array([1 + 2j], dtype=">c8")
    assert to_bytes(samples) == struct.pack("<2f", 1, 2)


def test_read_samples_are_writable_and_independent_of_the_message() -> None:
    samples = from_bytes(struct.pack("<2f", 1, 2), 1)
    samples[0] = 0
    assert samples[0] == 0


@pytest.mark.parametrize("length", [0, 7, 15, 17, 24])
def test_bytes_that_do_not_match_the_count_are_refused(length: int) -> None:
    with pytest.raises(SampleError, match="2 samples are 16 bytes"):
        from_bytes(b"\0" * length, 2)


@pytest.mark.parametrize("count", [0, -1, 9])
def test_count_outside_the_limit_is_refused(count: int) -> None:
    with pytest.raises(SampleError, match="1 to 8 samples"):
        from_bytes(b"\0" * 8 * max(count, 0), count, max_samples=8)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("part", [0, 1])
def test_sample_that_is_not_finite_is_refused_and_named(bad: float, part: int) -> None:
    values = [0.0] * 6
    values[4 + part] = bad
    with pytest.raises(SampleError, match="Sample 2 is NaN or infinite"):
        from_bytes(struct.pack("<6f", *values), 3)


@pytest.mark.parametrize("shape", [(0,), (2, 2), ()])
def test_samples_that_are_not_one_row_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(SampleError, match="one row"):
        to_bytes(np.zeros(shape, dtype=np.complex64))
