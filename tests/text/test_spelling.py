"""Typing slips in the words that matter are mended, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transmitter.text.spelling import Speller, slips

words = st.text("abcde", min_size=0, max_size=8)


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("smile", "smile", 0), ("smlie", "smile", 1), ("smle", "smile", 1), ("smiile", "smile", 1), ("smole", "smile", 1)],
)
def test_one_slip_of_each_kind_counts_as_one(first: str, second: str, distance: int) -> None:
    assert slips(first, second, 2) == distance


def test_more_than_the_limit_is_reported_as_just_beyond_it() -> None:
    assert slips("beard", "glasses", 1) == 2


@given(words, words)
def test_the_distance_does_not_depend_on_the_order(first: str, second: str) -> None:
    assert slips(first, second, 8) == slips(second, first, 8)


@given(words, words)
def test_only_equal_words_have_no_distance(first: str, second: str) -> None:
    assert (slips(first, second, 8) == 0) == (first == second)


@pytest.fixture
def speller() -> Speller:
    return Speller(["smile", "beard", "sunglasses"], ["bread", "board", "small", "more"])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("smlie more", "smile more"),
        ("a beadr!", "a beard!"),
        ("sunglsses, please", "sunglasses, please"),
        ("SMIEL", "smile"),
        ("suglases", "sunglasses"),
    ],
)
def test_slips_are_mended_in_place(speller: Speller, typed: str, meant: str) -> None:
    assert speller.mend(typed) == meant


@pytest.mark.parametrize("text", ["bread and board", "a small board", "xylophone", "", "née 42 :-)", "be a sm"])
def test_known_short_and_distant_words_stay(speller: Speller, text: str) -> None:
    assert speller.mend(text) == text


def test_the_likelier_word_wins_a_tie() -> None:
    assert Speller(["hair", "pair"], []).mend("aair") == "hair"
