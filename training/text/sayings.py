"""Whole sentences with their sense written beside them: idioms, allusions, and what no clause of the grammar composes.

The sense reads like the evaluation's expectations: ``smiling=0 age=5``, ``beard+2``, ``glasses=present``; besides
``age=conflict``, ``nothing``, ``out``, and ``foreign`` where a part cannot be done.
"""

from __future__ import annotations

import re
from random import Random

from training.text.template import Slots, filled
from transmitter.text.labels import PRESENT, Kind, Labelled, Wish

_WISH = re.compile(r"(\w+?)(?:([+-])(\d)|=(\d|present|conflict))")


class Sayings:
    """A sampler of them, each template as likely as any other.

    Args:
        templates: per sense the templates.

    Raises:
        ValueError: if a sense cannot be read.
    """

    def __init__(self, templates: dict[str, list[str]]) -> None:
        self._all = [(template, sense_of(sense)) for sense, those in templates.items() for template in those]

    def __bool__(self) -> bool:
        return bool(self._all)

    def sample(self, random: Random, scene: Slots) -> Labelled:
        """A sentence of any kind."""
        template, sense = random.choice(self._all)
        return Labelled(filled(random, template, scene), sense.kind, sense.wishes, sense.foreign)


def sense_of(text: str) -> Labelled:
    """The labels that a sense stands for, with no sentence yet.

    Raises:
        ValueError: if it cannot be read.
    """
    wishes: dict[str, Wish] = {}
    words = text.split()
    kind: Kind = "out" if "out" in words else "nothing" if "nothing" in words else "edit"
    for word in words:
        if word in ("out", "nothing", "foreign"):
            continue
        match = _WISH.fullmatch(word)
        if match is None:
            raise ValueError(f"{word!r} is not a sense")
        name, sign, amount, target = match.groups()
        if sign:
            wishes[name] = Wish("up" if sign == "+" else "down", int(amount))
        elif target == "conflict":
            wishes[name] = Wish("conflict")
        else:
            wishes[name] = Wish("to", target=PRESENT if target == "present" else int(target))
    return Labelled("", kind, wishes, foreign=kind == "out" or "foreign" in words)
