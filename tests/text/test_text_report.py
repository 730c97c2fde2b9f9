"""The report on free-form sentences counts what it says it counts."""

from __future__ import annotations

import pytest

from evaluation.text import SETS, Case, cases, direction, directions_right, is_right, report, wanted
from shared.attributes import Edit
from transmitter.text.parser import ParsedInstruction, Reference


def edit(attribute: str, change: int | None = None, target: int | None = None) -> Edit:
    return Edit(attribute=attribute, change=change, target=target)


def understood(*edits: Edit) -> ParsedInstruction:
    return ParsedInstruction(instruction="", understood=True, edits=edits, message="done")


class Oracle:
    """A parser that knows the answers to the sentences it was given."""

    def __init__(self, answers: dict[str, ParsedInstruction]) -> None:
        self._answers = answers

    def parse(self, instruction: str) -> ParsedInstruction:
        return self._answers[instruction]


def test_the_free_form_sentences_are_many_distinct_and_well_formed() -> None:
    sets = {name: cases(name) for name in SETS}
    assert len(sets["test"]) >= 250
    everything = [case for those in sets.values() for case in those]
    for those in sets.values():
        assert len({case.say.lower() for case in those}) == len(those)
    ours = [case.say.lower() for name in SETS if name not in ("visitors", "sealed") for case in sets[name]]
    assert len(set(ours)) == len(ours)
    kinds = ("out", "nothing", "conflict", "undo", "redo", "reset", "more", "less", "same_for")
    for case in everything:
        assert case.asks or case.want.partition(":")[0] in kinds, case.want
        assert case.tags


def test_an_expectation_lists_alternatives_per_attribute() -> None:
    assert wanted("smiling+2/smiling=4 eyeglasses=0") == {
        "smiling": (edit("smiling", 2), edit("smiling", target=4)),
        "eyeglasses": (edit("eyeglasses", target=0),),
    }
    assert wanted("out") == {}


@pytest.mark.parametrize(
    ("one", "way"),
    [
        (edit("smiling", 1), "up"),
        (edit("smiling", -3), "down"),
        (edit("beard", target=0), "down"),
        (edit("beard", target=1), "up"),
        (edit("age", target=1), "down"),
        (edit("age", target=3), "between"),
        (edit("age", target=5), "up"),
    ],
)
def test_the_direction_of_an_edit(one: Edit, way: str) -> None:
    assert direction(one) == way


def test_a_set_is_right_only_if_it_is_exact() -> None:
    want = wanted("smiling+2 beard=0")
    assert directions_right(understood(edit("smiling", 1), edit("beard", -2)), want)
    assert not directions_right(understood(edit("smiling", 1)), want)
    assert not directions_right(understood(edit("smiling", 1), edit("beard", 2)), want)
    assert not directions_right(understood(edit("smiling", 1), edit("beard", -2), edit("age", 1)), want)


def test_the_report_counts_refusals_targets_and_references() -> None:
    held = [
        Case("a", "smiling+2", ("plain",), wanted("smiling+2")),
        Case("b", "beard=0", ("plain", "degree"), wanted("beard=0")),
        Case("c", "out", ("out",), {}),
        Case("d", "same_for:beard", ("reference",), {}),
    ]
    refused = ParsedInstruction(instruction="", understood=False, message="no", refusal="out_of_scope")
    same = ParsedInstruction(
        instruction="",
        understood=False,
        message="then",
        refusal="reference",
        reference=Reference(kind="same_for", attributes=("beard",)),
    )
    oracle = Oracle({"a": refused, "b": understood(edit("beard", target=1)), "c": refused, "d": same})
    result = report(oracle, held)
    assert result["exact_attribute_direction_set"] == 0.0
    assert result["explicit_targets"] == 0.0
    assert result["false_refusals"] == 0.5
    assert result["out_of_scope_recall"] == 1.0
    assert result["references"] == 1.0
    assert result["per_phenomenon"]["plain"] == {"sentences": 2, "right": 0.0}
    assert [wrong["say"] for wrong in result["wrong"]] == ["a", "b"]


def test_a_contradiction_is_right_only_if_it_is_called_one() -> None:
    case = Case("x", "conflict", ("conflict",), {})
    torn = ParsedInstruction(instruction="", understood=False, message="m", refusal="contradiction")
    assert is_right(torn, case)
    assert not is_right(torn.model_copy(update={"refusal": "out_of_scope"}), case)
