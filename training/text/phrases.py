"""From a wish about one attribute to a phrase that says it.

A phrase is a template (see `training.text.template`); a leading ``3:`` fixes the degree it means. Otherwise the degree
comes from the slots it has: ``{pre}`` ("a bit ", "much ") stands before a comparative, ``{post}`` (" a bit", " to the
max") after a verb, ``{too}`` before a complaint, ``{amount}`` is the attribute's own measure (years).

Phrases come in five forms, and each form has its own polite, hedged, chatty and clumsy wrappings in ``common.json``:
``imp`` a bare command, ``np`` a thing, ``vp`` what a person does, ``adj`` how a person is, ``say`` a whole sentence.
"""

from __future__ import annotations

import re
from collections.abc import ItemsView
from random import Random
from typing import Any

from training.text.template import Slots, filled
from transmitter.text.labels import PRESENT, Wish

FORMS = ("imp", "np", "vp", "adj", "say")

#: What the grammar shares among attributes that are things one has or has not.
_SHARED = {"0": "absent", "present": "present"}
_FIXED = re.compile(r"^(\d):")


class Phrases:
    """The phrases of a grammar's attributes.

    Args:
        common: ``common.json``: templates for all attributes and words for degrees.
        attributes: each attribute's own file.
    """

    def __init__(self, common: dict[str, Any], attributes: dict[str, Any]) -> None:
        self._common = common
        self._attributes = attributes

    @property
    def attributes(self) -> list[str]:
        """The attributes that the grammar speaks of, sorted."""
        return sorted(self._attributes)

    def can_be_absent(self, name: str) -> bool:
        """Whether the attribute is something that a face has or has not; age is always there."""
        return bool(self._attributes[name]["to"].get("present"))

    def targets(self, name: str) -> list[int]:
        """The target classes that the grammar has words for."""
        return [PRESENT if level == "present" else int(level) for level, forms in self._levels(name) if forms]

    def wish(self, random: Random, name: str) -> Wish:
        """Any wish for the attribute: nearly half are changes, and plain presence or absence is a common target."""
        targets = self.targets(name)
        if random.random() < 0.46:
            four = "4" in self._attributes[name].get("amounts", {})
            amount = random.choices((1, 2, 3, 4, 5), (4, 6, 3, 1 if four else 0, 1))[0]
            return Wish(random.choice(("up", "down")), amount)
        common = [target for target in targets if target in (0, PRESENT)]
        return Wish("to", target=random.choice(common if random.random() < 0.5 else targets))

    def _levels(self, name: str) -> ItemsView[str, dict[str, list[str]]]:
        levels: dict[str, dict[str, list[str]]] = self._attributes[name]["to"]
        return levels.items()

    def any_phrase(self, random: Random, scene: Slots, name: str, wish: Wish) -> tuple[str, str]:
        """A form that the grammar has for this wish, and a phrase of it.

        Raises:
            ValueError: if it has none in any form.
        """
        forms = list(FORMS)
        random.shuffle(forms)
        for form in forms:
            phrase = self.phrase(random, scene, name, wish, form)
            if phrase is not None:
                return form, phrase
        raise ValueError(f"no phrase for {name} {wish}")

    def phrase(self, random: Random, scene: Slots, name: str, wish: Wish, form: str) -> str | None:
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
            return filled(random, random.choice(pool), scene, {"n": random.choice(numbers)} | self.noun(random, name))
        pools = [
            (source, [t for t in templates if self._means(t, entry, wish.amount)])
            for source, templates in (
                (entry, entry[wish.action].get(form, [])),
                (entry, self._common[wish.action].get(form, [])),
                (entry.get("person"), self._common["person"][form] if "person" in entry else []),
            )
        ]
        pools = [(source, templates) for source, templates in pools if templates]
        if not pools:
            return None
        source, templates = random.choice(pools)
        return self._change(random, scene, name, wish, random.choice(templates), source)

    def _means(self, template: str, entry: dict[str, Any], amount: int | None) -> bool:
        """Whether the template can say a change of this size."""
        fixed = _FIXED.match(template)
        if fixed:
            return int(fixed[1]) == amount
        measures = {slot: self._common[slot] for slot in ("pre", "post", "too")} | {"amount": entry.get("amounts", {})}
        used = [sizes for slot, sizes in measures.items() if f"{{{slot}}}" in template]
        return all(str(amount) in sizes for sizes in used) if used else amount == 2

    def _change(
        self, random: Random, scene: Slots, name: str, wish: Wish, template: str, source: dict[str, Any]
    ) -> str:
        """A template of a change, filled; its adjectives are the noun's or the person's, as ``source`` has them."""
        entry, size = self._attributes[name], str(wish.amount)
        more, less = (source["up"], source["down"]) if wish.action == "up" else (source["down"], source["up"])
        slots = {
            "more": random.choice(more["comparative"]),
            "base": random.choice(more["base"]),
            "opposite": random.choice(less["base"]),
        }
        for slot in ("pre", "post", "too"):
            if size in self._common[slot]:
                slots[slot] = random.choice(self._common[slot][size])
        if size in entry.get("amounts", {}):
            slots["amount"] = random.choice(entry["amounts"][size])
        return filled(random, _FIXED.sub("", template), scene, slots | self.noun(random, name))

    def noun(self, random: Random, name: str) -> dict[str, str]:
        """A word for the attribute, with what agrees with it: slots noun, a, is, it."""
        entry = self._attributes[name]
        mass = entry.get("mass", [])
        noun = random.choice(entry["singular"] + entry["plural"] + mass)
        if noun in entry["plural"]:
            return {"noun": noun, "a": "", "is": "are", "it": "them"}
        if noun in mass:
            return {"noun": noun, "a": "", "is": "is", "it": "it"}
        return {"noun": noun, "a": "a ", "is": "is", "it": "it"}

    def called(self, random: Random, name: str) -> str:
        """What the attribute is called where its degree is given: "beard", "smiling"."""
        return str(random.choice(self._attributes[name].get("called", [name])))

    def being(self, random: Random, scene: Slots, name: str) -> str | None:
        """How somebody is seen who has it ("wearing glasses"), or None where the grammar has no word for that."""
        templates = self._attributes[name].get("being", [])
        return filled(random, random.choice(templates), scene) if templates else None

    def adjective(self, random: Random, name: str, wish: Wish, form: str) -> str | None:
        """An adjective of a change, ``more`` ("longer"), ``base`` or ``opp``; None of a wish that is no change."""
        if wish.action not in ("up", "down"):
            return None
        other = "down" if wish.action == "up" else "up"
        side = other if form == "opp" else wish.action
        return random.choice(self.adjectives(name, side, "comparative" if form == "more" else "base"))

    def adjectives(self, name: str, side: str, degree: str) -> list[str]:
        """The attribute's adjectives of more or less of it: ``side`` up or down, ``degree`` comparative or base."""
        held: list[str] = self._attributes[name][side][degree]
        return held
