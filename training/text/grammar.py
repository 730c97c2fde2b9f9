"""Labelled sentences, drawn from a grammar that is data: one JSON file per attribute and a few common ones.

The attributes' phrases are described in `training.text.phrases`; here they become sentences. Sentences whose sense lies
in their frame come from `training.text.frames`, and whole ones from `training.text.sayings`.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

from shared.attributes import attribute_names
from training.text.elsewhere import Elsewhere
from training.text.figures import Figures
from training.text.frames import Frames
from training.text.phrases import FORMS, Phrases
from training.text.sayings import Sayings
from training.text.template import Slots, filled
from transmitter.text.labels import Kind, Labelled, Wish

TRAINING_GRAMMAR = Path(__file__).parent / "grammar"
HELD_OUT_GRAMMAR = Path(__file__).parent / "heldout"

_BY_AMOUNT: tuple[Kind, ...] = ("more", "less")
_BACK_OR_FORTH: tuple[Kind, ...] = ("undo", "undo", "redo", "reset", "reset")


class Grammar:
    """A sampler of labelled sentences.

    Args:
        folder: where ``common.json``, ``scope.json``, ``reference.json`` and one file per attribute lie, and perhaps
            ``frames.json``, ``sayings.json``, ``figures.json`` and ``elsewhere.json``.
    """

    def __init__(self, folder: Path) -> None:
        read = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}
        self._common: dict[str, Any] = read["common"]
        self._scope: dict[str, Any] = read["scope"]
        self._reference: dict[str, Any] = read["reference"]
        self._attributes: dict[str, Any] = {name: read[name] for name in attribute_names() if name in read}
        self._phrases = Phrases(self._common, self._attributes)
        frames = read.get("frames", {"edit": [], "nothing": []})
        self._frames = Frames(frames["edit"], self._phrases, self._scope["things"])
        self._barred = Frames(frames.get("barred", []), self._phrases, self._scope["things"])
        self._keeps = Frames(frames["nothing"], self._phrases, self._scope["things"])
        self._sayings = Sayings(read.get("sayings", {}))
        self._figures = Figures(read.get("figures", {}), self._phrases)
        self._elsewhere = Elsewhere(read.get("elsewhere", {}))

    def sample(self, random: Random) -> Labelled:
        """One sentence: two in three ask for edits, the others are references, keeps, or out of scope."""
        scene = self._scene(random)
        draw = random.random()
        if draw < 0.25:
            return self._edits(random, scene, 1)
        if draw < 0.36:
            return self._edits(random, scene, random.choice((2, 2, 2, 2, 3, 3, 4)))
        if draw < 0.50 and self._frames:
            return self._framed(random, scene, self._frames)
        if draw < 0.55 and self._barred:
            return self._framed(random, scene, self._barred)
        if draw < 0.65 and self._sayings:
            return self._saying(random, scene)
        if draw < 0.69 and self._figures:
            return self._figures.sample(random, scene)
        if draw < 0.72:
            return self._conflict(random, scene)
        if draw < 0.76:
            return self._nothing(random, scene)
        if draw < 0.84:
            return self._a_reference(random, scene)
        if draw < 0.92 and self._elsewhere:
            return self._used_elsewhere(random, scene)
        return self._out_of_scope(random, scene)

    # --- edits ---------------------------------------------------------------------------------------------------

    def _edits(self, random: Random, scene: Slots, count: int) -> Labelled:
        names = random.sample(sorted(self._attributes), count)
        wishes = {name: self._phrases.wish(random, name) for name in names}
        foreign = random.random() < 0.12
        text = self._ask(random, scene, [(name, wishes[name]) for name in names], foreign)
        if random.random() < 0.2:
            text = self._with_keep(random, scene, text, names)
        return Labelled(filled(random, self._chatted(random, text), scene), "edit", wishes, foreign)

    def _framed(self, random: Random, scene: Slots, frames: Frames) -> Labelled:
        text, wishes = frames.sample(random, scene)
        return Labelled(filled(random, self._chatted(random, text), scene), "edit", wishes)

    def _saying(self, random: Random, scene: Slots) -> Labelled:
        said = self._sayings.sample(random, scene)
        return replace(said, text=filled(random, self._chatted(random, said.text), scene))

    def _chatted(self, random: Random, text: str) -> str:
        """The text, in two of five cases with words around it that mean nothing, or a story told before or after it."""
        draw = random.random()
        if draw < 0.06 and self._elsewhere:
            story = self._elsewhere.sample(random, self._scene(random), random.choice(("narration", "thanks", "life")))
            if random.random() < 0.7:
                return f"{story}{random.choice(self._common['after_story'])}{text}"
            return f"{text}{random.choice(self._common['before_story'])}{story}"
        if draw < 0.6:
            return text
        opening, ending = random.choice(self._common["chat"]), random.choice(self._common["tail"])
        return f"{opening}{text}{ending}"

    def _ask(self, random: Random, scene: Slots, wanted: list[tuple[str, Wish]], foreign: bool = False) -> str:
        """Several wishes as one sentence: clauses in a row, or one wrapping around phrases of the same form.

        With ``foreign`` one more wish is among them that cannot be met.
        """
        if len(wanted) + foreign > 1 and random.random() < 0.5:
            form = random.choice(("np", "np", "adj", "vp", "imp"))
            phrases = [self._phrases.phrase(random, scene, name, wish, form) for name, wish in wanted]
            if all(phrases):
                row = [phrase for phrase in phrases if phrase]
                if foreign:
                    row.insert(random.randrange(len(row) + 1), self._foreign_phrase(random, scene, form))
                return self._wrap(random, form, self._row(random, row))
        clauses: list[str] = []
        for name, wish in wanted:
            form, phrase = self._phrases.any_phrase(random, scene, name, wish)
            plain = clauses and random.random() < 0.6
            clauses.append(phrase if plain else self._wrap(random, form, phrase))
        if foreign:
            clauses.insert(random.randrange(len(clauses) + 1), self._foreign_clause(random, scene))
        text = clauses[0]
        for clause in clauses[1:]:
            text = self._joined(random, text, clause)
        return text

    # --- everything else -----------------------------------------------------------------------------------------

    def _conflict(self, random: Random, scene: Slots) -> Labelled:
        """Two wishes about one attribute that cannot both hold."""
        name = random.choice(sorted(self._attributes))
        levels = [int(level) for level in self._attributes[name]["to"] if level.isdigit()]
        first, second = random.choice(
            (
                (Wish("up", random.choice((1, 2, 3))), Wish("down", random.choice((1, 2, 3)))),
                (Wish("to", target=0), Wish("to", target=random.choice([level for level in levels if level > 2]))),
                (Wish("to", target=0), Wish("up", random.choice((2, 3)))),
                (Wish("to", target=5), Wish("down", random.choice((2, 3)))),
            )
        )
        pair = [(name, first), (name, second)]
        random.shuffle(pair)
        text = self._ask(random, scene, pair)
        form = random.choice(FORMS)
        phrases = [self._phrases.phrase(random, scene, *one, form) for one in pair]
        if all(phrases) and random.random() < 0.4:
            slots = {"x": str(phrases[0]), "y": str(phrases[1])}
            text = self._wrap(random, form, filled(random, random.choice(self._common["conflict_pairs"]), scene, slots))
        return Labelled(filled(random, text, scene), "edit", {name: Wish("conflict")})

    def _nothing(self, random: Random, scene: Slots) -> Labelled:
        if random.random() < 0.35:
            return Labelled(filled(random, random.choice(self._common["nothing"]), scene), "nothing")
        if self._keeps and random.random() < 0.35:
            return Labelled(self._keeps.sample(random, scene)[0], "nothing")
        names = random.sample(sorted(self._attributes), random.choice((1, 1, 2)))
        clauses = [self._keep(random, scene, name) for name in names]
        text = random.choice((" and ", ", ", ", and ")).join(clauses)
        wrapping = random.choice(("{x}", "please {x}", "{x} please", "ok {x}", "{x} thanks"))
        return Labelled(filled(random, wrapping.replace("{x}", text), scene), "nothing")

    def _keep(self, random: Random, scene: Slots, name: str) -> str:
        """A clause that asks to leave the attribute alone."""
        draw = random.random()
        if draw < 0.35:
            wish = Wish(random.choice(("up", "down")), 2) if random.random() < 0.6 else Wish("to", target=0)
            phrase = self._phrases.phrase(random, scene, name, wish, "imp")
            if phrase is not None:
                return filled(random, random.choice(self._common["not_imp"]), scene, {"x": phrase})
        templates = self._attributes[name]["keep"] if draw > 0.75 else self._common["keep"]
        return filled(random, random.choice(templates), scene, self._phrases.noun(random, name))

    def _with_keep(self, random: Random, scene: Slots, text: str, edited: list[str]) -> str:
        others = [name for name in sorted(self._attributes) if name not in edited]
        if random.random() < 0.25 or not others:
            keep = random.choice(self._common["keep_all"])
        else:
            keep = self._keep(random, scene, random.choice(others))
        if random.random() < 0.2:
            return f"{keep}{random.choice((', ', ' but ', ', just ', '. ', ' and '))}{text}"
        return f"{text}{random.choice(self._common['keep_join'])}{keep}"

    def _a_reference(self, random: Random, scene: Slots) -> Labelled:
        draw = random.random()
        kind: Kind
        if draw < 0.5:
            kind = random.choice(_BY_AMOUNT)
            named: dict[str, list[str]] = self._reference.get(f"{kind}_named", {})
            if named and random.random() < 0.15:
                name, size = random.choice(sorted(self._attributes)), random.choice(sorted(named))
                text = filled(random, random.choice(named[size]), scene, self._phrases.noun(random, name))
                return Labelled(self._lead(random, text), kind, {name: Wish("named")}, amount=int(size))
            size = random.choice(sorted(self._reference[kind]))
            text = filled(random, random.choice(self._reference[kind][size]), scene)
            return Labelled(self._lead(random, text), kind, amount=int(size))
        if draw < 0.62:
            name, other = random.sample(sorted(self._attributes), 2)
            nouns = self._phrases.noun(random, name) | {"other": self._phrases.noun(random, other)["noun"]}
            text = filled(random, random.choice(self._reference["same_for"]), scene, nouns)
            return Labelled(self._lead(random, text), "same_for", {name: Wish("named")})
        kind = random.choice(_BACK_OR_FORTH)
        wishes: dict[str, Wish] = {}
        if kind != "redo" and random.random() < 0.15:
            name = random.choice(sorted(self._attributes))
            template = random.choice(self._reference[f"{kind}_named"])
            text = filled(random, template, scene, self._phrases.noun(random, name))
            wishes = {name: Wish("named")}
        else:
            text = filled(random, random.choice(self._reference[kind]), scene)
            if kind != "redo" and random.random() < 0.15:
                name = random.choice(sorted(self._attributes))
                wishes = {name: self._phrases.wish(random, name)}
                text += random.choice(self._reference["then"]) + self._ask(random, scene, [(name, wishes[name])])
        return Labelled(self._lead(random, filled(random, text, scene)), kind, wishes)

    def _lead(self, random: Random, text: str) -> str:
        lead = random.choice(self._reference["lead"]) if random.random() < 0.6 else ""
        return lead + text + random.choice(("", "", "", "", " please", " pls", " thanks"))

    def _out_of_scope(self, random: Random, scene: Slots) -> Labelled:
        draw = random.random()
        if draw < 0.42:
            text = self._foreign_clause(random, scene)
            if random.random() < 0.15:
                text = self._joined(random, text, self._foreign_clause(random, scene))
        elif draw < 0.64:
            text = random.choice(self._scope["chat"])
        elif draw < 0.94:
            text = random.choice(self._scope["near"])
        elif draw < 0.96:
            text = random.choice(self._scope["foreign"])
        else:
            text = self._gibberish(random)
        return Labelled(filled(random, text, scene), "out", foreign=True)

    def _used_elsewhere(self, random: Random, scene: Slots) -> Labelled:
        """Our words used for something else, at times with another such sentence, or with what goes before requests."""
        text = self._elsewhere.sample(random, scene)
        if random.random() < 0.12:
            text = f"{text}{random.choice(('. ', ', ', '! ', ' - ', '? '))}{self._elsewhere.sample(random, scene)}"
        elif random.random() < 0.12:
            text = f"{random.choice(self._common['chat'])}{text}"
        elif random.random() < 0.25:
            text = self._wrap(random, "say", text)
        return Labelled(filled(random, text, scene), "out", foreign=True)

    def _foreign_clause(self, random: Random, scene: Slots) -> str:
        """A request that cannot be met: another part of the face, or the picture as such."""
        if random.random() < 0.3:
            return self._wrap(random, "imp", self._foreign_phrase(random, scene, "imp", of_the_picture=True))
        form = random.choice(("imp", "imp", "imp", "np", "np", "adj", "vp", "say"))
        return self._wrap(random, form, self._foreign_phrase(random, scene, form))

    def _foreign_phrase(self, random: Random, scene: Slots, form: str, of_the_picture: bool = False) -> str:
        templates = self._scope["image"] if of_the_picture else self._scope["face"][form]
        slots = {"thing": random.choice(self._scope["things"]), "colour": random.choice(self._scope["colours"])}
        size = random.choice("1223")
        slots |= {slot: random.choice(self._common[slot][size]) for slot in ("pre", "post")}
        return filled(random, random.choice(templates), scene, slots)

    def _gibberish(self, random: Random) -> str:
        letters = self._scope["gibberish_letters"]
        words = ["".join(random.choices(letters, k=random.randint(2, 9))) for _ in range(random.randint(1, 6))]
        return " ".join(words)

    # --- text ----------------------------------------------------------------------------------------------------

    def _scene(self, random: Random) -> Slots:
        person = random.choice(self._common["people"])
        spoken: dict[str, str | list[str]] = {slot: random.choice(person[slot]) for slot in ("obj", "poss", "subj")}
        return spoken | {"the": self._common["the"], "aside": self._common.get("aside", [""])}

    def _wrap(self, random: Random, form: str, phrase: str) -> str:
        wrapping: str = "{x}" if random.random() < 0.3 else random.choice(self._common["wrap"][form])
        return wrapping.replace("{x}", phrase)

    def _row(self, random: Random, phrases: list[str]) -> str:
        if len(phrases) == 2:
            between: str = random.choice((" and ", " and ", ", ", " plus ", " & ", " but ", " with "))
            return between.join(phrases)
        return ", ".join(phrases[:-1]) + random.choice((" and ", ", and ", ", ")) + phrases[-1]

    def _joined(self, random: Random, first: str, second: str) -> str:
        return f"{first}{random.choice(self._common['join'])}{second}"
