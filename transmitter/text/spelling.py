"""Mend slips of the keyboard in the words that matter, before the language model sees them.

MiniLM breaks an unknown word into pieces ("sunglases" becomes "sung", "##lase", "##s"), which hides what it was meant
to be. A word that the model's vocabulary does not know, and that lies one slip from a word of ours, becomes that word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

_WORD = re.compile(r"[A-Za-z]{4,24}")
_LONG = 8
_MAX_CACHED = 4096


def slips(first: str, second: str, limit: int) -> int:
    """The fewest letters to insert, drop, change or swap with the next; ``limit + 1`` if it is more than ``limit``."""
    if abs(len(first) - len(second)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(second) + 1))
    for i, a in enumerate(first, 1):
        older, before, row = before, row, [i]
        for j, b in enumerate(second, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == second[j - 2] and first[i - 2] == b:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        if min(row) > limit:
            return limit + 1
    return row[-1]


class Speller:
    """Mends unknown words.

    Args:
        words: ours, the likelier first: they win ties.
        known: every word that is to be left as it is.
    """

    def __init__(self, words: Iterable[str], known: Collection[str]) -> None:
        self._words = tuple(words)
        self._known = frozenset(known) | frozenset(self._words)
        self._mend_word = lru_cache(_MAX_CACHED)(self._nearest)

    def mend(self, text: str) -> str:
        """The text with its unknown words mended; everything else is untouched."""
        return _WORD.sub(lambda match: self._mend_word(match[0].lower()) or match[0], text)

    def _nearest(self, word: str) -> str | None:
        """Our word within one slip (two in a long word), or None."""
        if word in self._known:
            return None
        limit = 2 if len(word) >= _LONG else 1
        distances = ((slips(word, ours, limit), rank, ours) for rank, ours in enumerate(self._words))
        nearest, _, ours = min(distances)
        return ours if nearest <= limit else None
