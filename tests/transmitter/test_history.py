from __future__ import annotations

import pytest

from shared.errors import InstructionError
from tests.fakes.face import latent_of
from transmitter.history import History, Moment


def moment(degree: float) -> Moment:
    return Moment(latent_of([degree] * 5), {"smiling": degree})


ORIGINAL, FIRST, SECOND, THIRD = (moment(degree) for degree in range(4))


@pytest.fixture
def history() -> History:
    history = History(ORIGINAL, limit=3)
    history.arrive("step", FIRST)
    history.arrive("step", SECOND)
    return history


def test_undo_goes_back_turn_by_turn_and_redo_forth_again(history):
    for there in (FIRST, ORIGINAL):
        assert history.previous is there
        history.arrive("undo", there)
        assert history.current is there
    for there in (FIRST, SECOND):
        assert history.undone is there
        history.arrive("redo", there)
        assert history.current is there


def test_a_new_turn_forgets_what_was_undone(history):
    history.arrive("undo", FIRST)
    history.arrive("step", THIRD)
    assert history.previous is FIRST
    with pytest.raises(InstructionError, match="undone"):
        _ = history.undone


def test_before_the_first_turn_there_is_nothing_to_undo_or_redo():
    history = History(ORIGINAL, limit=3)
    with pytest.raises(InstructionError, match="no earlier turn to undo"):
        _ = history.previous
    with pytest.raises(InstructionError, match="nothing was undone"):
        _ = history.undone


def test_memory_is_bounded_and_the_original_is_never_forgotten(history):
    for degree in range(100):
        history.arrive("step", moment(degree))
    assert len(history) == 3
    assert history.original is ORIGINAL
    for _ in range(3):
        history.arrive("undo", history.previous)
    assert len(history) == 3
    with pytest.raises(InstructionError, match="still remembered"):
        _ = history.previous
