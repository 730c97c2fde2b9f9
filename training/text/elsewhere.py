"""Sentences that use our words and ask for no edit of ours: questions, stories, thanks, idioms, commands to an app.

They are templates by topic, each topic as likely as any other. Besides the scene's slots they have some of their own
(``{one}`` a thing on a face, ``{did}`` what somebody did with it), so that any such word meets any sentence.
"""

from __future__ import annotations

from random import Random
from typing import Any

from training.text.template import Slots, filled


class Elsewhere:
    """A sampler of them.

    Args:
        held: ``slots``, what they are filled with, and ``topics``, the templates of each.
    """

    def __init__(self, held: dict[str, Any]) -> None:
        self._slots: Slots = held.get("slots", {})
        self._topics: dict[str, list[str]] = held.get("topics", {})

    def __bool__(self) -> bool:
        return bool(self._topics)

    def sample(self, random: Random, scene: Slots, topic: str | None = None) -> str:
        """A sentence, of one topic where it is told."""
        of = self._topics[topic or random.choice(sorted(self._topics))]
        return filled(random, random.choice(of), scene, self._slots)
