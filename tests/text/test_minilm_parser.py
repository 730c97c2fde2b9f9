"""What people say is understood, refused with a reason, or asked back about; never an exception."""

from __future__ import annotations

import math
import time
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.attributes import Edit
from shared.errors import WeightsCorrupt, WeightsMissing
from transmitter.text.encoder import Scores, load_minilm
from transmitter.text.labels import ACTIONS, KINDS, PRESENT_DEGREE
from transmitter.text.minilm_parser import MAX_CHARACTERS, MiniLmParser
from transmitter.text.tokens import load_reader


def change(attribute: str, degrees: int) -> Edit:
    return Edit(attribute=attribute, change=degrees)


def target(attribute: str, degree: int) -> Edit:
    return Edit(attribute=attribute, target=degree)


@pytest.mark.parametrize(
    ("instruction", "edits"),
    [
        ("Smile more", (change("smiling", 2),)),
        ("smile a bit more", (change("smiling", 1),)),
        ("smile much more", (change("smiling", 3),)),
        ("I kind of want the smile to be less obvious", (change("smiling", -2),)),
        ("now add glasses", (target("eyeglasses", PRESENT_DEGREE["eyeglasses"]),)),
        ("remove the glasses", (target("eyeglasses", 0),)),
        ("put dark sunglasses on him", (target("eyeglasses", 5),)),
        ("make her ten years younger", (change("age", -1),)),
        ("make him clean-shaven", (target("beard", 0),)),
        ("grin from ear to ear", (target("smiling", 4),)),
        ("turn her into a grandma", (target("age", 5),)),
        ("give her a fringe", (target("bangs", PRESENT_DEGREE["bangs"]),)),
        ("lose the glasses and look ten years younger", (target("eyeglasses", 0), change("age", -1))),
        ("smile a bit more, and lose the glasses", (target("eyeglasses", 0), change("smiling", 1))),
        ("smile more but don't touch the beard", (change("smiling", 2),)),
    ],
)
def test_the_plain_requests_of_the_documentation(
    parser: MiniLmParser, instruction: str, edits: tuple[Edit, ...]
) -> None:
    parsed = parser.parse(instruction)
    assert parsed.understood
    assert parsed.edits == edits
    assert parsed.refusal is None


@pytest.mark.parametrize("instruction", ["make her hair blonde", "what is the weather like", "is he smiling?", "hi"])
def test_out_of_scope_is_refused_with_what_can_be_asked(parser: MiniLmParser, instruction: str) -> None:
    parsed = parser.parse(instruction)
    assert not parsed.understood
    assert parsed.refusal == "out_of_scope"
    assert "bangs, eyeglasses, beard, smiling or age" in parsed.message


@pytest.mark.parametrize(
    ("instruction", "kind"),
    [("undo that", "undo"), ("back to the original", "reset"), ("a bit more", "more"), ("too much", "less")],
)
def test_a_reference_to_an_earlier_turn_is_named_but_not_understood_alone(
    parser: MiniLmParser, instruction: str, kind: str
) -> None:
    parsed = parser.parse(instruction)
    assert not parsed.understood
    assert parsed.refusal == "reference"
    assert parsed.reference is not None
    assert parsed.reference.kind == kind
    assert "earlier turn" in parsed.message


def test_the_attribute_of_a_reference_is_told(parser: MiniLmParser) -> None:
    reference = parser.parse("same for the beard").reference
    assert reference is not None
    assert (reference.kind, reference.attributes) == ("same_for", ("beard",))


def test_a_contradiction_is_named(parser: MiniLmParser) -> None:
    parsed = parser.parse("make her older and make her younger")
    assert parsed.refusal == "contradiction"
    assert "age" in parsed.message


def test_a_sentence_that_only_keeps_changes_nothing(parser: MiniLmParser) -> None:
    parsed = parser.parse("don't touch the beard")
    assert (parsed.understood, parsed.edits, parsed.refusal) == (False, (), "nothing")


def test_the_answer_says_in_words_what_was_understood(parser: MiniLmParser) -> None:
    assert parser.parse("remove the glasses and smile more").message == "no eyeglasses; smiling up by two degrees"


def test_what_lies_outside_is_mentioned_beside_what_is_done(parser: MiniLmParser) -> None:
    parsed = parser.parse("smile more and make the hair blue")
    assert parsed.edits == (change("smiling", 2),)
    assert "outside what can be edited" in parsed.message


@pytest.mark.parametrize(
    ("instruction", "word"),
    [("", "empty"), ("  \n\t ", "empty"), ("smile " * MAX_CHARACTERS, "too long"), ("smile " * 120, "too long")],
)
def test_nothing_and_far_too_much_are_refused(parser: MiniLmParser, instruction: str, word: str) -> None:
    parsed = parser.parse(instruction)
    assert parsed.refusal == "unreadable"
    assert word in parsed.message
    assert parsed.instruction == instruction


@pytest.mark.parametrize("instruction", ["\x00\x01\x02", "smile\x00more", "\ud800", bytes(range(256)).decode("cp437")])
def test_bytes_that_are_no_text_are_refused(parser: MiniLmParser, instruction: str) -> None:
    parsed = parser.parse(instruction)
    assert parsed.refusal == "unreadable"
    assert "not text" in parsed.message


@given(st.text(max_size=120))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_whatever_raises(parser: MiniLmParser, instruction: str) -> None:
    parsed = parser.parse(instruction)
    assert parsed.instruction == instruction
    assert parsed.message
    assert parsed.understood == (parsed.refusal is None)


def test_emoji_and_capitals_do_not_disturb(parser: MiniLmParser) -> None:
    assert parser.parse("SMILE MORE 😀").edits == (change("smiling", 2),)


def test_the_same_sentence_gets_the_same_answer(parser: MiniLmParser) -> None:
    assert parser.parse("a touch older, no beard") == parser.parse("a touch older, no beard")


class Reader:
    """Three tokens, whatever is said."""

    def read(self, sentences: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
        return torch.zeros(len(sentences), 3, dtype=torch.long), torch.ones(len(sentences), 3, dtype=torch.bool)


def parser_that_thinks(kind: str, untouched: list[float]) -> MiniLmParser:
    """A parser sure of ``kind``; of each attribute it thinks "untouched" so probable, and "up" otherwise."""
    action = torch.full((1, len(untouched), len(ACTIONS)), -30.0)
    for at, probability in enumerate(untouched):
        action[0, at, ACTIONS.index("untouched")] = math.log(probability)
        action[0, at, ACTIONS.index("up")] = math.log(1 - probability)
    kinds = torch.full((1, len(KINDS)), -30.0)
    kinds[0, KINDS.index(kind)] = 0.0
    rest = torch.zeros(1, len(untouched), 5), torch.zeros(1, len(untouched), 7), kinds
    scores = Scores(action, *rest, foreign=torch.full((1,), -9.0), reference_amount=torch.zeros(1, 5))
    return MiniLmParser(lambda *_: scores, Reader())  # type: ignore[arg-type]


def test_a_request_in_which_nothing_stands_out_gets_its_likeliest_edit() -> None:
    parsed = parser_that_thinks("edit", [0.99, 0.99, 0.99, 0.7, 0.98]).parse("brighten up")
    assert [edit.attribute for edit in parsed.edits] == ["smiling"]
    assert parsed.understood
    assert parsed.confidence == pytest.approx(0.43 / (0.43 + 3 * 0.0101 + 0.0204), abs=0.01)


def test_where_two_edits_are_as_likely_it_asks_back() -> None:
    parsed = parser_that_thinks("edit", [0.8, 0.8, 0.8, 0.79, 0.8]).parse("brighten up")
    assert parsed.refusal == "unclear"
    assert [edit.attribute for edit in parsed.edits] == ["smiling"]


def test_a_reference_needs_no_attribute() -> None:
    assert parser_that_thinks("undo", [0.9] * 5).parse("undo").edits == ()


@pytest.mark.slow
def test_a_sentence_takes_at_most_twenty_milliseconds(parser: MiniLmParser) -> None:
    """The fastest of many: among the long checks, as only a quiet machine can answer for it."""

    def milliseconds() -> float:
        start = time.perf_counter()
        parser.parse("could you lose the glasses please and make him look about ten years younger, but keep the beard")
        return 1e3 * (time.perf_counter() - start)

    assert min(milliseconds() for _ in range(100)) < 20


@pytest.mark.usefixtures("parser")
def test_loading_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    MiniLmParser.load()
    assert capfd.readouterr() == ("", "")


def test_missing_weights_are_named(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="models pull"):
        load_minilm(tmp_path)
    with pytest.raises(WeightsMissing, match="models pull"):
        load_reader(tmp_path)
    with pytest.raises(WeightsMissing, match="training"):
        MiniLmParser.load(weights=tmp_path / "none.safetensors", minilm=tmp_path)


@pytest.mark.usefixtures("parser")
def test_damaged_weights_are_told_from_missing_ones(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{nope}")
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / "tokenizer.json").write_text("{")
    with pytest.raises(WeightsCorrupt):
        load_minilm(tmp_path)
    with pytest.raises(WeightsCorrupt):
        load_reader(tmp_path)
    with pytest.raises(WeightsCorrupt):
        MiniLmParser.load(weights=tmp_path / "model.safetensors")


def test_parsing_leaves_the_random_generator_alone(parser: MiniLmParser) -> None:
    before = torch.get_rng_state()
    parser.parse("smile more")
    assert torch.equal(torch.get_rng_state(), before)
