from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.phy.convolutional import decode, encode


def shift_register(bits: list[int]) -> list[list[int]]:
    """The figure of TS 36.212 section 5.1.3.1, bit by bit."""
    register = [bits[-1 - i] for i in range(6)]  # s_i = c_(K-1-i)
    streams: list[list[int]] = [[], [], []]
    for bit in bits:
        s = [bit, *register]
        streams[0].append(s[0] ^ s[2] ^ s[3] ^ s[5] ^ s[6])  # 133 octal
        streams[1].append(s[0] ^ s[1] ^ s[2] ^ s[3] ^ s[6])  # 171 octal
        streams[2].append(s[0] ^ s[1] ^ s[2] ^ s[4] ^ s[6])  # 165 octal
        register = s[:6]
    return streams


@given(st.lists(st.integers(0, 1), min_size=7, max_size=60))
def test_encoder_is_the_shift_register_of_the_standard(bits: list[int]) -> None:
    assert encode(np.array(bits, dtype=np.uint8)).tolist() == shift_register(bits)


def test_impulse_gives_the_generators() -> None:
    impulse = np.zeros(36, dtype=np.uint8)
    impulse[0] = 1
    streams = ["".join(map(str, row[:7])) for row in encode(impulse).tolist()]
    assert [f"{int(bits, 2):o}" for bits in streams] == ["133", "171", "165"]


def test_code_is_invariant_under_rotation_as_tail_biting_demands() -> None:
    bits = np.random.default_rng(3).integers(0, 2, 36).astype(np.uint8)
    assert np.array_equal(encode(np.roll(bits, 5)), np.roll(encode(bits), 5, axis=1))


@pytest.mark.parametrize("seed", range(12))
def test_decoder_is_maximum_likelihood(seed: int) -> None:
    llrs = np.random.default_rng(seed).standard_normal((3, 8))
    words = [np.array(word, dtype=np.uint8) for word in itertools.product((0, 1), repeat=8)]
    best = max(words, key=lambda word: float(np.sum(llrs * (1.0 - 2.0 * encode(word)))))
    assert np.array_equal(next(decode(llrs)), best)


@pytest.mark.parametrize("seed", range(4))
def test_decoder_goes_on_in_order_of_likelihood_until_every_block_has_come_once(seed: int) -> None:
    llrs = np.random.default_rng(seed).standard_normal((3, 8))
    words = [np.array(word, dtype=np.uint8) for word in itertools.product((0, 1), repeat=8)]
    words.sort(key=lambda word: -float(np.sum(llrs * (1.0 - 2.0 * encode(word)))))
    assert [block.tolist() for block in decode(llrs)] == [word.tolist() for word in words]


def test_blocks_of_a_header_come_each_once_and_never_a_likelier_one_later() -> None:
    llrs = np.random.default_rng(7).standard_normal((3, 36))
    blocks = list(itertools.islice(decode(llrs), 200))
    assert len({block.tobytes() for block in blocks}) == 200
    metrics = [float(np.sum(llrs * (1.0 - 2.0 * encode(block)))) for block in blocks]
    assert np.all(np.diff(metrics) < 1e-4)  # float32 inside


def test_silence_makes_every_block_as_likely_and_ends_no_search() -> None:
    blocks = list(itertools.islice(decode(np.zeros((3, 36))), 50))
    assert len({block.tobytes() for block in blocks}) == 50


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 1), min_size=36, max_size=36), st.floats(1e-6, 1e6))
def test_clean_bits_come_back_at_any_scale(bits: list[int], scale: float) -> None:
    word = np.array(bits, dtype=np.uint8)
    assert np.array_equal(next(decode(scale * (1.0 - 2.0 * encode(word)))), word)
