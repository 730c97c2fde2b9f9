"""The training text: labelled, repeatable, varied, and disjoint from what it is judged on."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from shared.attributes import attribute_names
from training.text.elsewhere import Elsewhere
from training.text.figures import Figures
from training.text.frames import Frames
from training.text.grammar import HELD_OUT_GRAMMAR, TRAINING_GRAMMAR, Grammar
from training.text.noise import accented, drawl, roughen, typo
from training.text.phrases import Phrases
from training.text.sayings import Sayings, sense_of
from training.text.template import fill
from training.text.train import evaluation_sentences, letters, sentences
from transmitter.text.labels import ACTIONS, KINDS, PRESENT, Wish


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
        assert not re.search(r"[{}|]|\b\d:(?!\d)", text), text


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


def test_no_sentence_of_the_evaluation_is_ever_trained_on() -> None:
    """Not even the shortest, which any grammar says too: "no smile", "undo"."""
    apart = evaluation_sentences()
    assert len(apart) > 700
    random, grammar = Random(7), Grammar(TRAINING_GRAMMAR)
    met = [letters(one.text) in apart for one in sentences(grammar, random, 10_000, apart)]
    assert sum(met) == 0
    assert any(letters(grammar.sample(random).text) in apart for _ in range(10_000))  # so it had to be kept out


def test_sentences_that_differ_in_punctuation_alone_are_one() -> None:
    assert letters("No beard, no GLASSES!") == letters("no beard no glasses")


@pytest.fixture(scope="module")
def phrases() -> Phrases:
    read = {path.stem: json.loads(path.read_text("utf-8")) for path in TRAINING_GRAMMAR.glob("*.json")}
    return Phrases(read["common"], {name: read[name] for name in attribute_names()})


SCENE = {"obj": "him", "poss": "his", "subj": "he", "the": "the", "aside": "by the rules"}


def framed(phrases: Phrases, template: str, seed: int) -> tuple[str, dict[str, Wish]]:
    return Frames([template], phrases, ["hat"]).sample(Random(seed), SCENE)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_kept_carries_no_wish_and_what_is_gone_is_gone(phrases: Phrases, seed: int) -> None:
    text, wishes = framed(phrases, "keep the {kept_noun}, lose the {gone_noun}", seed)
    assert list(wishes.values()) == [Wish("to", target=0)]
    assert "age" not in wishes
    assert re.fullmatch(r"keep the .+, lose the .+", text)


@pytest.mark.parametrize("seed", range(20))
def test_rise_and_fall_are_two_attributes(phrases: Phrases, seed: int) -> None:
    _, wishes = framed(phrases, "more {rise_noun}, less {fall_noun}", seed)
    assert sorted(wish.action for wish in wishes.values()) == ["down", "up"]


@pytest.mark.parametrize("seed", range(20))
def test_only_the_right_one_of_two_wishes_counts(phrases: Phrases, seed: int) -> None:
    _, wishes = framed(phrases, "not {wrong_np}, {right_np}", seed)
    assert len(wishes) == 1


@pytest.mark.parametrize("seed", range(20))
def test_what_is_barred_is_spoken_of_as_had_and_is_to_be_removed(phrases: Phrases, seed: int) -> None:
    text, wishes = framed(phrases, "never, {aside}, may he be {barred_being}", seed)
    assert list(wishes.values()) == [Wish("to", target=0)]
    assert re.fullmatch(r"never, by the rules, may he be \w.+", text)
    assert "age" not in wishes


@pytest.mark.parametrize("seed", range(20))
def test_a_complaint_names_the_opposite_of_what_is_wished(phrases: Phrases, seed: int) -> None:
    text, wishes = framed(phrases, "too {fall_opp}|too {rise_opp}|{rise_base}|{rise_more}", seed)
    falling, rising, base, more = (part.removeprefix("too ") for part in text.split("|"))
    down, up = sorted(wishes, key=lambda name: wishes[name].action)
    assert falling in phrases.adjectives(down, "up", "base")
    assert rising in phrases.adjectives(up, "down", "base")
    assert base in phrases.adjectives(up, "up", "base")
    assert more in phrases.adjectives(up, "up", "comparative")


@pytest.mark.parametrize("seed", range(20))
def test_who_is_not_to_do_something_is_not_kept_from_having_it(phrases: Phrases, seed: int) -> None:
    """ "He shouldn't have a beard" asks for its removal, so what is kept must not be said like that."""
    text, wishes = framed(phrases, "he shouldn't {kept_vp}, {first_imp}", seed)
    assert len(wishes) == 1
    assert not re.match(r"he shouldn't (have|wear|get) (a|some)? ?(beard|glasses|fringe|bangs)$", text.split(",")[0])


def test_every_frame_of_the_grammar_can_be_filled(phrases: Phrases) -> None:
    read = json.loads((TRAINING_GRAMMAR / "frames.json").read_text("utf-8"))
    for template in read["edit"] + read["barred"] + read["nothing"]:
        assert framed(phrases, template, 1)[0]


def test_a_saying_carries_the_sense_written_beside_it() -> None:
    said = Sayings({"smiling=0 age+2 beard=present foreign": ["(so|thus) it is"]}).sample(Random(0), SCENE)
    assert said.text in ("so it is", "thus it is")
    assert said.wishes == {"smiling": Wish("to", target=0), "age": Wish("up", 2), "beard": Wish("to", target=PRESENT)}
    assert (said.kind, said.foreign) == ("edit", True)


def test_a_saying_may_be_out_of_scope_nothing_or_a_conflict() -> None:
    assert (sense_of("out").kind, sense_of("out").foreign) == ("out", True)
    assert sense_of("nothing").kind == "nothing"
    assert sense_of("age=conflict").wishes == {"age": Wish("conflict")}
    with pytest.raises(ValueError, match="older"):
        sense_of("older")


def test_every_saying_of_the_grammar_speaks_of_attributes_that_there_are() -> None:
    read = json.loads((TRAINING_GRAMMAR / "sayings.json").read_text("utf-8"))
    assert all(set(sense_of(sense).wishes) <= set(attribute_names()) for sense in read)


def test_figures_are_read_as_they_are_written(phrases: Phrases) -> None:
    notations = {
        "notations": [{"to": ["{name}={n}"], "up": ["{name}+{n}"], "down": ["{name}-{n}"]}],
        "words": ["zero", "one", "two", "three", "four", "five"],
        "join": [" "],
        "rest": [", zero the rest"],
        "wrap": ["{x}"],
    }
    random, figures = Random(1), Figures(notations, phrases)
    whole = 0
    for _ in range(300):
        said = figures.sample(random, SCENE)
        values = list(said.wishes.values())
        told = re.findall(r"([=+-])(\d|[a-z]+)", said.text.removesuffix(", zero the rest"))
        assert len(told) <= len(values)
        for (sign, number), wish in zip(told, values, strict=False):
            degree = int(number) if number.isdigit() else notations["words"].index(number)  # type: ignore[attr-defined]
            assert wish == {"=": Wish("to", target=degree), "+": Wish("up", degree), "-": Wish("down", degree)}[sign]
        if said.text.endswith("zero the rest"):
            whole += 1
            assert set(said.wishes) == set(attribute_names())
            assert all(wish == Wish("to", target=0) for wish in values[len(told) :])
    assert whole > 10


def test_our_words_are_used_elsewhere_by_topic_and_with_any_thing() -> None:
    held = {"slots": {"one": ["beard", "grin"]}, "topics": {"praise": ["nice {one}"], "idioms": ["bang on, {poss}"]}}
    elsewhere = Elsewhere(held)
    random = Random(2)
    said = {elsewhere.sample(random, SCENE) for _ in range(60)}
    assert said == {"nice beard", "nice grin", "bang on, his"}
    assert {elsewhere.sample(random, SCENE, "idioms") for _ in range(9)} == {"bang on, his"}
    assert not Elsewhere({})


def test_every_sentence_of_elsewhere_can_be_filled() -> None:
    held = json.loads((TRAINING_GRAMMAR / "elsewhere.json").read_text("utf-8"))
    for topic, templates in held["topics"].items():
        for template in templates:
            alone = Elsewhere({"slots": held["slots"], "topics": {topic: [template]}})
            assert not re.search(r"[{}|()]", alone.sample(Random(1), SCENE)), template


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


def test_a_drawl_clips_endings_and_stretches_vowels() -> None:
    random = Random(3)
    said = {drawl(word, random) for word in ("smiling", "so", "w/o", "30") for _ in range(200)}
    assert {"smiling", "smilin", "smilin'", "so", "sooo", "w/o", "30"} <= said
    assert all(re.fullmatch(r"s?mi+li+n[g']?|so+|w/o|30", word) for word in said)


def test_an_accent_spells_some_words_and_leaves_the_others() -> None:
    random = Random(4)
    said = {" ".join(accented(["take", "them", "off", "his", "nose"], random)) for _ in range(200)}
    assert "take them off his nose" in said
    assert {"tak them aff his nose", "take 'em off 'is nose"} <= said


def test_roughening_keeps_about_half_of_the_sentences_as_they_are() -> None:
    random = Random(9)
    text = "please make the smile a lot bigger, thanks."
    same = sum(roughen(text, random) == text for _ in range(400))
    assert 180 < same < 300
