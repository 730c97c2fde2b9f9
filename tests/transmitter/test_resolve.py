from __future__ import annotations

import pytest

from shared.attributes import Edit, attribute_names
from shared.errors import InstructionError
from tests.fakes.face import latent_of
from transmitter.history import History, Moment
from transmitter.resolve import Intent, resolve
from transmitter.text.parser import ParsedInstruction, Reference
from transmitter.text.refinement import asks_for_refinement

START = {"bangs": 0.0, "eyeglasses": 1.0, "beard": 2.0, "smiling": 3.0, "age": 4.0}


def says(*edits: Edit, **reference: object) -> ParsedInstruction:
    about = Reference(**reference) if reference else None
    return ParsedInstruction(
        instruction="...", understood=about is None, edits=edits, message="understood", reference=about
    )


def change(attribute: str, change: int) -> Edit:
    return Edit(attribute=attribute, change=change)


def target(attribute: str, target: int) -> Edit:
    return Edit(attribute=attribute, target=target)


class Told:
    """A history to which sentences are told; every face is exactly what was asked for."""

    def __init__(self) -> None:
        self.history = History(Moment(latent_of(list(START.values())), START), limit=8)

    def tell(self, *edits: Edit, **reference: object) -> Intent:
        intent = resolve(says(*edits, **reference), self.history)
        degrees = dict(intent.start.degrees) | intent.targets
        self.history.arrive(
            intent.move, intent.result(latent_of([degrees[name] for name in attribute_names()]), degrees)
        )
        return intent

    @property
    def degrees(self) -> dict[str, float]:
        return dict(self.history.current.degrees)


@pytest.fixture
def told() -> Told:
    return Told()


def test_an_edit_starts_from_the_face_as_it_is(told):
    told.tell(change("bangs", 2))
    intent = told.tell(change("bangs", 2), target("age", 0))
    assert intent.targets == {"bangs": 4, "age": 0}
    assert intent.words == "understood"


def test_undo_and_redo_arrive_at_the_very_moments_that_were(told):
    told.tell(change("bangs", 2))
    first = told.history.current
    told.tell(target("age", 0))
    undone = told.tell(kind="undo")
    assert (undone.targets, undone.edits) == ({}, ())
    assert told.history.current is first
    assert told.tell(kind="redo").words == "redo what was undone"
    assert told.degrees == START | {"bangs": 2, "age": 0}


def test_back_to_the_original_can_itself_be_undone(told):
    told.tell(change("bangs", 2))
    told.tell(kind="reset")
    assert told.degrees == START
    told.tell(kind="undo")
    assert told.degrees == START | {"bangs": 2}


def test_back_to_the_original_and_an_edit_on_top(told):
    told.tell(change("bangs", 2))
    intent = told.tell(target("eyeglasses", 5), kind="reset")
    assert told.degrees == START | {"eyeglasses": 5}
    assert intent.words == "back to the original; eyeglasses to dark sunglasses"


def test_only_the_attributes_that_are_named_go_back(told):
    told.tell(change("bangs", 2), target("age", 0))
    told.tell(kind="undo", attributes=("age",))
    assert told.degrees == START | {"bangs": 2}
    told.tell(change("bangs", 1))
    told.tell(kind="reset", attributes=("bangs",))
    assert told.degrees == START


def test_more_and_less_follow_the_direction_of_the_last_turn(told):
    told.tell(change("smiling", -2), target("bangs", 3))
    more = told.tell(kind="more")
    assert more.targets == {"bangs": 4, "smiling": 0}
    assert more.words == "more of the last turn: bangs up by one degree; smiling down by one degree"
    less = told.tell(kind="less", amount=2, attributes=("bangs",))
    assert less.targets == {"bangs": 2}


def test_less_and_less_again_keep_going_the_same_way(told):
    told.tell(change("smiling", 2))
    for expected in (4, 3, 2):
        told.tell(kind="less")
        assert told.degrees["smiling"] == expected
    told.tell(kind="more", amount=2)
    assert told.degrees["smiling"] == 4


def test_more_after_an_undo_is_about_the_turn_that_is_left(told):
    told.tell(change("bangs", 1))
    told.tell(change("age", -1))
    told.tell(kind="undo")
    assert told.tell(kind="more").targets == {"bangs": 2}


def test_a_wish_that_was_fulfilled_already_still_has_a_direction(told):
    told.tell(target("bangs", 0))
    assert told.tell(kind="less").targets == {"bangs": 1}


def test_more_of_an_attribute_that_was_not_touched_is_up(told):
    told.tell(change("bangs", -1))
    assert told.tell(kind="more", attributes=("beard",)).targets == {"beard": 3}


def test_the_same_for_another_attribute(told):
    told.tell(change("bangs", 2))
    assert told.tell(kind="same_for", attributes=("beard",)).targets == {"beard": 4}
    told.tell(target("eyeglasses", 0))
    assert told.tell(kind="same_for", attributes=("beard",)).targets == {"beard": 0}


def test_the_same_once_more(told):
    told.tell(change("bangs", 2), change("age", -1))
    assert told.tell(kind="same_for").targets == {"bangs": 4, "age": 2}


@pytest.mark.parametrize("kind", ["undo", "redo", "more", "less", "same_for"])
def test_a_reference_to_a_turn_that_never_was_is_refused_with_what_to_say(told, kind):
    with pytest.raises(InstructionError, match=r"say|name"):
        told.tell(kind=kind)


def test_the_same_of_several_different_things_asks_which(told):
    told.tell(change("bangs", 2), change("age", -1))
    with pytest.raises(InstructionError, match="say which"):
        told.tell(kind="same_for", attributes=("beard",))


def test_a_best_guess_says_that_it_is_one(told):
    parsed = ParsedInstruction(
        instruction="?", understood=False, edits=(change("age", 1),), message="Not sure", refusal="unclear"
    )
    assert resolve(parsed, told.history).words == "best guess: age up by one degree"


@pytest.mark.parametrize("text", ["sharper", "Make it a bit sharper, please!", "refine", "better quality"])
def test_a_wish_for_a_better_copy_is_recognised(text):
    assert asks_for_refinement(text)


@pytest.mark.parametrize("text", ["a sharper beard", "more", "make the smile clearer", "clear the glasses", ""])
def test_wishes_about_the_face_are_none_for_a_better_copy(text):
    assert not asks_for_refinement(text)
