"""Labelled sentences, drawn from a grammar that is data: one JSON file per attribute and three common ones.

A phrase is a template (see `training.text.template`); a leading ``3:`` fixes the degree it means. Otherwise the degree
comes from the slots it has: ``{pre}`` ("a bit ", "much ") stands before a comparative, ``{post}`` (" a bit", " to the
max") after a verb, ``{too}`` before a complaint, ``{amount}`` is the attribute's own measure (years).

Phrases come in five forms, and each form has its own polite, hedged, chatty and clumsy wrappings in ``common.json``:
``imp`` a bare command, ``np`` a thing, ``vp`` what a person does, ``adj`` how a person is, ``say`` a whole sentence.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random
from typing import Any

from shared.attributes import attribute_names
from training.text.template import Slots, fill
from transmitter.text.labels import PRESENT, Kind, Labelled, Wish

TRAINING_GRAMMAR = Path(__file__).parent / "grammar"
HELD_OUT_GRAMMAR = Path(__file__).parent / "heldout"
FORMS = ("imp", "np", "vp", "adj", "say")

_BY_AMOUNT: tuple[Kind, ...] = ("more", "less")
_BACK_OR_FORTH: tuple[Kind, ...] = ("undo", "undo", "redo", "reset", "reset")

#: What the grammar shares among attributes that are things one has or has not.
_SHARED = {"0": "absent", "present": "present"}
_FIXED = re.compile(r"^(\d):")


def _fill(random: Random, template: str, scene: Slots, more: Slots | None = None) -> str:
    return fill(template, {**scene, **(more or {})}, random)


class Grammar:
    """A sampler of labelled sentences.

    Args:
        folder: where ``common.json``, ``scope.json``, ``reference.json`` and one file per attribute lie.
    """

    def __init__(self, folder: Path) -> None:
        read = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("*.json"))}
        self._common: dict[str, Any] = read["common"]
        self._scope: dict[str, Any] = read["scope"]
        self._reference: dict[str, Any] = read["reference"]
        self._attributes: dict[str, Any] = {name: read[name] for name in attribute_names() if name in read}

    def sample(self, random: Random) -> Labelled:
        """One sentence: three in five ask for edits, the others are references, keeps, or out of scope."""
        scene = self._scene(random)
        draw = random.random()
        if draw < 0.34:
            return self._edits(random, scene, 1)
        if draw < 0.56:
            return self._edits(random, scene, random.choice((2, 2, 2, 3, 3, 4)))
        if draw < 0.60:
            return self._conflict(random, scene)
        if draw < 0.64:
            return self._nothing(random, scene)
        if draw < 0.77:
            return self._a_reference(random, scene)
        return self._out_of_scope(random, scene)

    # --- edits ---------------------------------------------------------------------------------------------------

    def _edits(self, random: Random, scene: Slots, count: int) -> Labelled:
        names = random.sample(sorted(self._attributes), count)
        wishes = {name: self._wish(random, name) for name in names}
        text = self._ask(random, scene, [(name, wishes[name]) for name in names])
        foreign = random.random() < 0.09
        if foreign:
            text = self._joined(random, text, self._foreign_clause(random, scene))
        if random.random() < 0.16:
            text = self._with_keep(random, scene, text, names)
        if random.random() < 0.6:
            text = random.choice(self._common["chat"]) + text + random.choice(self._common["tail"])
        return Labelled(_fill(random, text, scene), "edit", wishes, foreign)

    def _wish(self, random: Random, name: str) -> Wish:
        levels = [level for level, forms in self._attributes[name]["to"].items() if forms]
        if random.random() < 0.46:
            four = "4" in self._attributes[name].get("amounts", {})
            amount = random.choices((1, 2, 3, 4, 5), (4, 6, 3, 1 if four else 0, 1))[0]
            return Wish(random.choice(("up", "down")), amount)
        common = [level for level in levels if level in ("0", "present")]
        level = random.choice(common) if common and random.random() < 0.45 else random.choice(levels)
        return Wish("to", target=PRESENT if level == "present" else int(level))

    def _ask(self, random: Random, scene: Slots, wanted: list[tuple[str, Wish]]) -> str:
        """Several wishes as one sentence: clauses in a row, or one wrapping around phrases of the same form."""
        if len(wanted) > 1 and random.random() < 0.5:
            form = random.choice(("np", "np", "adj", "vp", "imp"))
            phrases = [self._phrase(random, scene, name, wish, form) for name, wish in wanted]
            if all(phrases):
                return self._wrap(random, form, self._row(random, [phrase for phrase in phrases if phrase]))
        clauses: list[str] = []
        for name, wish in wanted:
            form, phrase = self._any_phrase(random, scene, name, wish)
            plain = clauses and random.random() < 0.6
            clauses.append(phrase if plain else self._wrap(random, form, phrase))
        text = clauses[0]
        for clause in clauses[1:]:
            text = self._joined(random, text, clause)
        return text

    def _any_phrase(self, random: Random, scene: Slots, name: str, wish: Wish) -> tuple[str, str]:
        forms = list(FORMS)
        random.shuffle(forms)
        for form in forms:
            phrase = self._phrase(random, scene, name, wish, form)
            if phrase is not None:
                return form, phrase
        raise ValueError(f"no phrase for {name} {wish}")

    def _phrase(self, random: Random, scene: Slots, name: str, wish: Wish, form: str) -> str | None:
        """A filled phrase of the form, or None where the grammar has none for this wish."""
        entry = self._attributes[name]
        if wish.action == "to":
            level = "present" if wish.target == PRESENT else str(wish.target)
            templates = entry["to"][level].get(form, [])
            shared = self._common[_SHARED[level]].get(form, []) if entry.get("thing") and level in _SHARED else []
            if not templates and not shared:
                return None
            pool = templates if templates and (not shared or random.random() < 0.6) else shared
            numbers = entry.get("numbers", {}).get(level, [""])
            return _fill(random, random.choice(pool), scene, {"n": random.choice(numbers)} | self._noun(random, name))
        own = [t for t in entry[wish.action].get(form, []) if self._means(t, entry, wish.amount)]
        shared = [t for t in self._common[wish.action].get(form, []) if self._means(t, entry, wish.amount)]
        pool = own if own and (not shared or random.random() < 0.55) else shared
        if not pool:
            return None
        return self._change(random, scene, name, wish, random.choice(pool))

    def _means(self, template: str, entry: dict[str, Any], amount: int | None) -> bool:
        """Whether the template can say a change of this size."""
        fixed = _FIXED.match(template)
        if fixed:
            return int(fixed[1]) == amount
        measures = {slot: self._common[slot] for slot in ("pre", "post", "too")} | {"amount": entry.get("amounts", {})}
        used = [sizes for slot, sizes in measures.items() if f"{{{slot}}}" in template]
        return all(str(amount) in sizes for sizes in used) if used else amount == 2

    def _change(self, random: Random, scene: Slots, name: str, wish: Wish, template: str) -> str:
        entry = self._attributes[name]
        more = entry[str(wish.action)]
        size = str(wish.amount)
        slots = {"more": random.choice(more["comparative"]), "base": random.choice(more["base"])}
        for slot in ("pre", "post", "too"):
            if size in self._common[slot]:
                slots[slot] = random.choice(self._common[slot][size])
        if size in entry.get("amounts", {}):
            slots["amount"] = random.choice(entry["amounts"][size])
        return _fill(random, _FIXED.sub("", template), scene, slots | self._noun(random, name))

    def _noun(self, random: Random, name: str) -> dict[str, str]:
        entry = self._attributes[name]
        noun = random.choice(entry["singular"] + entry["plural"])
        plural = noun in entry["plural"]
        return {"noun": noun, "a": "" if plural else "a ", "is": "are" if plural else "is"}

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
        wishes = {name: Wish("conflict")}
        return Labelled(_fill(random, self._ask(random, scene, pair), scene), "edit", wishes)

    def _nothing(self, random: Random, scene: Slots) -> Labelled:
        if random.random() < 0.35:
            return Labelled(_fill(random, random.choice(self._common["nothing"]), scene), "nothing")
        names = random.sample(sorted(self._attributes), random.choice((1, 1, 2)))
        clauses = [self._keep(random, scene, name) for name in names]
        text = random.choice((" and ", ", ", ", and ")).join(clauses)
        wrapping = random.choice(("{x}", "please {x}", "{x} please", "ok {x}", "{x} thanks"))
        return Labelled(_fill(random, wrapping.replace("{x}", text), scene), "nothing")

    def _keep(self, random: Random, scene: Slots, name: str) -> str:
        """A clause that asks to leave the attribute alone."""
        draw = random.random()
        if draw < 0.25:
            wish = Wish(random.choice(("up", "down")), 2) if random.random() < 0.6 else Wish("to", target=0)
            phrase = self._phrase(random, scene, name, wish, "imp")
            if phrase is not None:
                return _fill(random, random.choice(self._common["not_imp"]), scene, {"x": phrase})
        templates = self._attributes[name]["keep"] if draw > 0.75 else self._common["keep"]
        return _fill(random, random.choice(templates), scene, self._noun(random, name))

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
            size = random.choice(sorted(self._reference[kind]))
            text = _fill(random, random.choice(self._reference[kind][size]), scene)
            return Labelled(self._lead(random, text), kind, amount=int(size))
        if draw < 0.62:
            name = random.choice(sorted(self._attributes))
            text = _fill(random, random.choice(self._reference["same_for"]), scene, self._noun(random, name))
            return Labelled(self._lead(random, text), "same_for", {name: Wish("named")})
        kind = random.choice(_BACK_OR_FORTH)
        wishes: dict[str, Wish] = {}
        if kind != "redo" and random.random() < 0.15:
            name = random.choice(sorted(self._attributes))
            template = random.choice(self._reference[f"{kind}_named"])
            text = _fill(random, template, scene, self._noun(random, name))
            wishes = {name: Wish("named")}
        else:
            text = _fill(random, random.choice(self._reference[kind]), scene)
            if kind != "redo" and random.random() < 0.15:
                name = random.choice(sorted(self._attributes))
                wishes = {name: self._wish(random, name)}
                text += random.choice(self._reference["then"]) + self._ask(random, scene, [(name, wishes[name])])
        return Labelled(self._lead(random, _fill(random, text, scene)), kind, wishes)

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
        return Labelled(_fill(random, text, scene), "out", foreign=True)

    def _foreign_clause(self, random: Random, scene: Slots) -> str:
        """A request that cannot be met: another part of the face, or the picture as such."""
        if random.random() < 0.3:
            form, template = "imp", random.choice(self._scope["image"])
        else:
            form = random.choice(("imp", "imp", "imp", "np", "np", "adj", "vp", "say"))
            template = random.choice(self._scope["face"][form])
        slots = {"thing": random.choice(self._scope["things"]), "colour": random.choice(self._scope["colours"])}
        size = random.choice("1223")
        slots |= {slot: random.choice(self._common[slot][size]) for slot in ("pre", "post")}
        return self._wrap(random, form, _fill(random, template, scene, slots))

    def _gibberish(self, random: Random) -> str:
        letters = self._scope["gibberish_letters"]
        words = ["".join(random.choices(letters, k=random.randint(2, 9))) for _ in range(random.randint(1, 6))]
        return " ".join(words)

    # --- text ----------------------------------------------------------------------------------------------------

    def _scene(self, random: Random) -> Slots:
        person = random.choice(self._common["people"])
        return {slot: random.choice(person[slot]) for slot in ("obj", "poss", "subj")} | {"the": self._common["the"]}

    def _wrap(self, random: Random, form: str, phrase: str) -> str:
        wrapping: str = random.choice(self._common["wrap"][form])
        return wrapping.replace("{x}", phrase)

    def _row(self, random: Random, phrases: list[str]) -> str:
        if len(phrases) == 2:
            between: str = random.choice((" and ", " and ", ", ", " plus ", " & ", " but ", " with "))
            return between.join(phrases)
        return ", ".join(phrases[:-1]) + random.choice((" and ", ", and ", ", ")) + phrases[-1]

    def _joined(self, random: Random, first: str, second: str) -> str:
        return f"{first}{random.choice(self._common['join'])}{second}"
