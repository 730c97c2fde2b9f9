"""Sentences whose sense lies in their frame: swaps, contrasts, refusals beside requests, several wishes with a grammar
of their own.

A frame is a template whose slots name a role and a form, ``{gone_noun}`` or ``{first_imp}``:

``first, second, third``  any wish;
``gone, shed, last``      an attribute to be removed; ``present`` one to be had;
``rise, climb, most``     more of it, the last as much as can be; ``fall, drop`` less of it;
``kept, spared``          an attribute that is spoken of and left alone;
``right, wrong``          one attribute: what is wished of it, and what is not;
``barred, banned``        an attribute that is spoken of as had, in a frame that forbids it: it is to be removed.

Forms are those of `training.text.phrases`, ``noun``, what agrees with the noun (``is``, ``it``), ``being`` ("wearing
glasses"), and of a change its adjectives: ``more`` ("longer"), ``base`` ("long") and ``opp`` ("short").
"""

from __future__ import annotations

import re
from random import Random

from training.text.phrases import Phrases
from training.text.template import Slots, filled
from transmitter.text.labels import PRESENT, Wish

_SLOT = re.compile(r"\{(\w+)_(noun|is|it|being|more|base|opp|imp|np|vp|adj|say)\}")
_FREE = ("first", "second", "third")
_GONE = ("gone", "shed", "last")
_BARRED = ("barred", "banned")
_KEPT = ("kept", "spared")
_ADJECTIVES = ("more", "base", "opp")
_CHANGES = {"rise": "up", "climb": "up", "fall": "down", "drop": "down"}


class Frames:
    """A sampler of framed sentences.

    Args:
        templates: the frames.
        phrases: fills their slots.
        things: words for what cannot be edited, for the slot ``{thing}``.
    """

    def __init__(self, templates: list[str], phrases: Phrases, things: list[str]) -> None:
        self._templates = templates
        self._phrases = phrases
        self._things = things

    def __bool__(self) -> bool:
        return bool(self._templates)

    def sample(self, random: Random, scene: Slots) -> tuple[str, dict[str, Wish]]:
        """A sentence, and the wish for each attribute that it wants changed."""
        while True:
            template = random.choice(self._templates)
            cast = self._cast(random, template)
            slots = self._fill(random, scene, template, cast) if cast is not None else None
            if cast is not None and slots is not None:
                text = filled(random, template, scene, slots | {"thing": random.choice(self._things)})
                return text, {name: wish for role, (name, wish) in cast.items() if role not in (*_KEPT, "wrong")}

    def _cast(self, random: Random, template: str) -> dict[str, tuple[str, Wish]] | None:
        """An attribute and a wish for each role, no attribute twice; None where none is left for a role."""
        cast: dict[str, tuple[str, Wish]] = {}
        free = list(self._phrases.attributes)
        random.shuffle(free)
        for role in dict.fromkeys(match[1] for match in _SLOT.finditer(template)):
            if role == "wrong" and "right" in cast:
                continue
            thing = role in (*_GONE, *_BARRED, "present")
            fitting = [name for name in free if not thing or self._phrases.can_be_absent(name)]
            if not fitting:
                return None
            name = fitting[0]
            free.remove(name)
            does = f"{{{role}_vp}}" in template
            cast[role] = (name, self._wish(random, role, name, does))
            if role in ("right", "wrong"):
                right = self._phrases.wish(random, name)
                cast |= {"right": (name, right), "wrong": (name, self._opposed(random, name, right))}
        return cast

    def _wish(self, random: Random, role: str, name: str, does: bool) -> Wish:
        """A wish for the role; what somebody who is kept from it ``does`` is a change or a loss, never to have it."""
        if role in (*_GONE, *_BARRED):
            return Wish("to", target=0)
        if role == "most":
            return Wish("up", 5)
        if role in _CHANGES:
            return Wish("up" if _CHANGES[role] == "up" else "down", 2)
        if role == "present":
            return Wish("to", target=PRESENT)
        if role in _KEPT and (does or random.random() < 0.7):
            return random.choice((Wish("up", 2), Wish("down", 2), Wish("to", target=0)))
        return self._phrases.wish(random, name)

    def _opposed(self, random: Random, name: str, right: Wish) -> Wish:
        """What somebody who wishes ``right`` may say that he does not want."""
        if right.action != "to":
            return random.choice(
                (Wish("down" if right.action == "up" else "up", 2), Wish("to", target=5 if right.action == "up" else 0))
            )
        targets = [target for target in self._phrases.targets(name) if target != right.target]
        return Wish("to", target=random.choice(targets))

    def _fill(
        self, random: Random, scene: Slots, template: str, cast: dict[str, tuple[str, Wish]]
    ) -> dict[str, str] | None:
        """The text of every slot, or None where the grammar has no phrase for one."""
        nouns = {role: self._phrases.noun(random, name) for role, (name, _) in cast.items()}
        slots: dict[str, str] = {}
        for match in _SLOT.finditer(template):
            role, form = match.groups()
            name, wish = cast[role]
            text = nouns[role].get(form) or self._form(random, scene, role, name, wish, form)
            if text is None:
                return None
            slots[f"{role}_{form}"] = text
        return slots

    def _form(self, random: Random, scene: Slots, role: str, name: str, wish: Wish, form: str) -> str | None:
        """The wish in one form, or None where the grammar lacks it; of what is barred the form says that it is had."""
        if form == "being":
            return self._phrases.being(random, scene, name)
        if form in _ADJECTIVES:
            return self._phrases.adjective(random, name, wish, form)
        said = Wish("to", target=PRESENT) if role in _BARRED else wish
        return self._phrases.phrase(random, scene, name, said, form)
