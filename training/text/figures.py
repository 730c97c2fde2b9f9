"""Sentences that give degrees as numbers, as researchers and terse people do: "beard = 5", "age +2, smile 0".

A template has the slots ``{name}`` and ``{n}``; all of one sentence come from one list, as people keep to one notation.
``rest`` is what is said of all other attributes at once ("zero everything else").
"""

from __future__ import annotations

from random import Random
from typing import Any

from shared.attributes import MAX_DEGREE
from training.text.phrases import Phrases
from training.text.template import Slots, filled
from transmitter.text.labels import Labelled, Wish

_SENSES = ("to", "to", "to", "up", "down", "top", "zero")


class Figures:
    """A sampler of them.

    Args:
        notations: lists of templates per sense: ``to``, ``up``, ``down``, ``top`` and ``zero``; besides ``rest``,
            ``wrap`` and ``join``, and ``words`` for the numbers from 0.
        phrases: knows what the attributes are called.
    """

    def __init__(self, notations: dict[str, Any], phrases: Phrases) -> None:
        self._notations = notations
        self._phrases = phrases

    def __bool__(self) -> bool:
        return bool(self._notations)

    def sample(self, random: Random, scene: Slots) -> Labelled:
        """One to four attributes, each with its number."""
        names = random.sample(self._phrases.attributes, random.choice((1, 1, 1, 2, 2, 2, 3, 3, 4)))
        notation: dict[str, list[str]] = random.choice(self._notations["notations"])
        spelt = random.random() < 0.35
        wishes: dict[str, Wish] = {}
        clauses = []
        for name in names:
            sense = random.choice([sense for sense in _SENSES if sense in notation])
            degree = random.randint(1, 3 if random.random() < 0.8 else MAX_DEGREE)
            if sense in ("up", "down"):
                wishes[name] = Wish("up" if sense == "up" else "down", degree)
            else:
                degree = {"top": MAX_DEGREE, "zero": 0}.get(sense, random.randint(0, MAX_DEGREE))
                wishes[name] = Wish("to", target=degree)
            number = self._notations["words"][degree] if spelt else str(degree)
            slots = {"name": self._phrases.called(random, name), "n": number}
            clauses.append(filled(random, random.choice(notation[sense]), scene, slots))
        text = str(random.choice(self._notations["join"])).join(clauses)
        wrapping = random.choice(self._notations["wrap"]) if random.random() < 0.4 else "{x}"
        if random.random() < 0.1:
            wrapping = "{x}" + random.choice(self._notations["rest"])
            wishes |= {name: Wish("to", target=0) for name in self._phrases.attributes if name not in wishes}
        return Labelled(filled(random, wrapping, scene, {"x": text}), "edit", wishes)
