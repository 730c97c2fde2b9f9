"""The little language that the grammar's phrases are written in: ``(a|b|)`` chooses, ``{slot}`` is filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from random import Random

_CHOICE = re.compile(r"\(([^()]*)\)")
_SLOT = re.compile(r"\{(\w+)\}")

#: What a slot holds: its text, or texts to choose from anew each time it occurs.
Slots = Mapping[str, str | Sequence[str]]


def fill(template: str, slots: Slots, random: Random) -> str:
    """Choose among the template's alternatives and fill its slots, until only text is left.

    Raises:
        KeyError: if the template has a slot that ``slots`` lacks.
    """

    def choose(match: re.Match[str]) -> str:
        alternatives: list[str] = match[1].split("|")
        return random.choice(alternatives)

    def slot(match: re.Match[str]) -> str:
        held = slots[match[1]]
        return held if isinstance(held, str) else random.choice(held)

    text = template
    while _CHOICE.search(text) or _SLOT.search(text):
        text = _SLOT.sub(slot, _CHOICE.sub(choose, text))
    return re.sub(r" {2,}", " ", text).strip()


def filled(random: Random, template: str, scene: Slots, more: Slots | None = None) -> str:
    """`fill` with the slots of the scene, and more of this phrase alone."""
    return fill(template, {**scene, **(more or {})}, random)
