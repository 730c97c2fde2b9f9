"""The training text: labelled, repeatable, varied, and disjoint from what it is judged on."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from evaluation.text import cases
from shared.attributes import attribute_names
from training.text.grammar import HELD_OUT_GRAMMAR, TRAINING_GRAMMAR, Grammar
from training.text.noise import roughen, typo
from training.text.template import fill
from transmitter.text.labels import ACTIONS, KINDS, PRESENT


@pytest.fixture(scope="module", params=[TRAINING_GRAMMAR, HELD_OUT_GRAMMAR], ids=["training", "held out"])
def grammar(request: pytest.FixtureRequest) -> Grammar:
    folder: Path = request.param
    return Grammar(folder)


def test_the_same_seed_gives_the_same_sentences(grammar: Grammar) -> None:
    first, second = Random(3), Random(3)
    assert [grammar.sample(first) for _ in range(50)] == [grammar.sample(second) for _ in range(50)]


def test_no_template_syntax_is_left_in_a_sentence(grammar: Grammar) -> None:
    random = Random(1)
    for _ in range(2000):
        text = grammar.sample(random).text
        assert text
        assert not re.search(r"[{}|]|\d:", text), text


def test_every_kind_action_and_target_occurs(grammar: Grammar) -> None:
    random = Random(2)
    drawn = [grammar.sample(random) for _ in range(6000)]
    assert {one.kind for one in drawn} == set(KINDS)
    wishes = [(name, wish) for one in drawn for name, wish in one.wishes.items()]
    assert {wish.action for _, wish in wishes} == set(ACTIONS) - {"untouched"}
    for name in attribute_names():
        reached = {wish.target for found, wish in wishes if found == name and wish.action == "to"}
        assert reached == set(range(PRESENT + (name != "age")))
        assert Counter(wish.action for found, wish in wishes if found == name)["up"] > 50


def test_a_change_has_a_size_and_a_target_has_a_degree(grammar: Grammar) -> None:
    random = Random(4)
    for _ in range(2000):
        for wish in grammar.sample(random).wishes.values():
            assert (wish.amount is not None) == (wish.action in ("up", "down"))
            assert (wish.target is not None) == (wish.action == "to")


def test_out_of_scope_sentences_carry_no_wish_and_are_foreign(grammar: Grammar) -> None:
    random = Random(5)
    outs = [one for one in (grammar.sample(random) for _ in range(2000)) if one.kind == "out"]
    assert len(outs) > 200
    assert all(one.foreign and not one.wishes for one in outs)


def test_degree_words_follow_the_size_of_the_change() -> None:
    random, grammar = Random(6), Grammar(TRAINING_GRAMMAR)
    drawn = [grammar.sample(random) for _ in range(5000)]
    plain = [one for one in drawn if one.kind == "edit" and len(one.wishes) == 1 and not one.foreign]
    slightly = [one for one in plain if re.search(r"\b(slightly|a tad|a bit|a little) \w+er\b", one.text)]
    assert len(slightly) > 5
    sizes = {wish.amount for one in slightly for wish in one.wishes.values() if wish.action in ("up", "down")}
    assert sizes == {1}


def test_the_two_grammars_hardly_meet() -> None:
    random = Random(7)
    training, held_out = Grammar(TRAINING_GRAMMAR), Grammar(HELD_OUT_GRAMMAR)
    seen = {training.sample(random).text.lower() for _ in range(20_000)}
    apart = [held_out.sample(random).text.lower() not in seen for _ in range(2000)]
    assert sum(apart) / len(apart) > 0.97


def test_only_the_shortest_free_form_sentences_can_also_be_generated() -> None:
    """Everybody says "no smile" and "zoom out"; nothing longer may be both trained on and judged on."""
    random, grammar = Random(7), Grammar(TRAINING_GRAMMAR)
    seen = {_letters(grammar.sample(random).text) for _ in range(30_000)}
    met = [case.say for case in cases("test") if _letters(case.say) in seen]
    assert all(len(say.split()) <= 5 for say in met), met
    assert len(met) < 0.08 * len(cases("test"))


def _letters(text: str) -> str:
    return re.sub(r"[^a-z0-9 ]", "", text.lower()).strip()


def test_a_missing_slot_is_an_error() -> None:
    with pytest.raises(KeyError):
        fill("a {thing}", {}, Random(0))


def test_alternatives_may_hold_slots_and_slots_alternatives() -> None:
    texts = {fill("(see {x}|{y}|)", {"x": "(a|b)", "y": ["c", "d"]}, Random(seed)) for seed in range(60)}
    assert texts == {"see a", "see b", "c", "d", ""}


def test_a_typo_is_one_slip_and_short_words_are_spared() -> None:
    random = Random(8)
    assert typo("the", random) == "the"
    assert typo("w/o!", random) == "w/o!"
    for _ in range(100):
        slipped = typo("sunglasses", random)
        assert abs(len(slipped) - len("sunglasses")) <= 1
        assert sorted(set(slipped) - set("sunglasses")) == [] or len(slipped) == len("sunglasses")


def test_roughening_keeps_about_half_of_the_sentences_as_they_are() -> None:
    random = Random(9)
    text = "please make the smile a lot bigger, thanks."
    same = sum(roughen(text, random) == text for _ in range(400))
    assert 180 < same < 300
