"""Iterative attributes matching: move a latent until the face that arrives shows the wanted degrees.

A match has two loops. The inner one never draws a face: it finds the cheapest move in the semantic fields
(`transmitter.fields`) in milliseconds. The outer one codes the moved face, decodes it as the receiver will at the
reported SNR, draws it small, reads its degrees, and asks the inner one for as much more or less as was missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.attributes import attribute_names
from shared.codec.codec import Latent
from transmitter.editor import EditOutcome
from transmitter.fields import SemanticFields
from transmitter.onlooker import Onlooker, Vector
from transmitter.receptions import Receptions

REACH = 10.0
"""Longest move of one edit, in units of its price; beyond it faces leave what the prior draws well."""

PUSH = 1.3
"""How much more than what was missed is asked for next: faces answer less than fields say."""

PULL = 0.5
"""How much of what moved unasked is asked back: more of it swings to the other side."""

KEPT = 0.3
"""Weight of the attributes that nobody named against those that were."""

MOST_MISSED = 3.0
"""Largest correction of one look, in scores' units of about a degree."""

TOO_FAR = 0.5
"""Weight of a degree beyond the goal against one short of it: who asked for glasses would rather have too much of them
than none."""

STRAYED = 1.0
"""Degrees from where nobody wanted it moved at which an attribute is spoken of."""

NEAR_END = 0.2
"""Closest to either end, as a share, that is looked between two looks: fields bend, and glasses come all at once."""


class AttributesMatcher:
    """`LatentEditor` in semantic fields, with what the channel leaves and the rendered face's degrees in the loop.

    Args:
        onlooker: reads degrees off faces.
        fields: where to move.
        receptions: what arrives of a face; without them the match is made before the channel.
        tolerance: degrees off the target that are accepted without a further look.
        max_looks: renders of edited faces at most.
    """

    def __init__(
        self,
        onlooker: Onlooker,
        fields: SemanticFields,
        receptions: Receptions | None = None,
        tolerance: float = 0.25,
        max_looks: int = 5,
    ) -> None:
        self._onlooker, self._fields, self._receptions = onlooker, fields, receptions
        self._tolerance, self._max_looks = tolerance, max_looks

    def edit(
        self,
        w_plus: Latent,
        targets: Mapping[str, float],
        due: Mapping[str, float] | None = None,
        *,
        snr_db: float | None,
    ) -> EditOutcome:
        """See `LatentEditor.edit`."""
        names = attribute_names()
        before = self._onlooker.scores(w_plus)
        degrees = self._onlooker.degrees(before)
        wanted = {**(due or {}), **targets}
        goal = np.array([wanted.get(name, degrees[i]) for i, name in enumerate(names)])
        edited = np.array([name in targets for name in names])
        moving = edited | (np.abs(goal - degrees) > self._tolerance)
        goal_scores = np.where(moving, self._onlooker.scores_of(goal), before)
        best, arriving = self._look(w_plus, snr_db)
        if not edited.any() or self._near(best, goal, edited):
            return self._outcome(best, degrees, goal, edited)
        best_cost = self._cost(best, degrees, goal, edited)
        u = self._fields.locate(w_plus)
        asked = self._fields.at(u)[0]
        bracket = _Bracket.open(asked, arriving - goal_scores)
        asked = asked + np.where(edited, goal_scores - arriving, 0.0)
        for _ in range(self._max_looks):
            move = self._fields.match(u, asked, np.where(edited, 1.0, KEPT), REACH)
            look, arriving = self._look(self._fields.move(w_plus, move), snr_db)
            cost = self._cost(look, degrees, goal, edited)
            if cost < best_cost:
                best, best_cost = look, cost
            if self._near(look, goal, edited):
                break
            bracket.take(asked, arriving - goal_scores)
            missed = np.where(edited, PUSH, PULL) * (goal_scores - arriving)
            further = asked + np.clip(missed, -MOST_MISSED, MOST_MISSED)
            # What was not asked for is brought back only when it is seen to move.
            moved = ~edited & (np.abs(look.degrees - goal) > self._tolerance)
            asked = np.where(edited, bracket.between(further), np.where(moved, further, asked))
        return self._outcome(best, degrees, goal, edited)

    def _look(self, w_plus: Latent, snr_db: float | None) -> tuple[_Look, Vector]:
        """A face as it will arrive, and the scores ``(A,)`` it will arrive with."""
        if snr_db is not None and self._receptions is not None:
            scores = self._onlooker.scores(self._receptions.expected(w_plus, snr_db))
        else:
            scores = self._onlooker.scores(w_plus)
        return _Look(w_plus, self._onlooker.degrees(scores)), scores

    def _near(self, look: _Look, goal: Vector, edited: NDArray[np.bool_]) -> bool:
        off = np.abs(look.degrees - goal)
        return bool((off[edited] <= self._tolerance).all() and (off <= 2 * self._tolerance).all())

    @staticmethod
    def _cost(look: _Look, before: Vector, goal: Vector, edited: NDArray[np.bool_]) -> float:
        weights = np.where(edited, np.where(_too_far(look, before, goal), TOO_FAR, 1.0), 0.5)
        return float((weights * np.abs(look.degrees - goal)).sum())

    @staticmethod
    def _outcome(look: _Look, before: Vector, goal: Vector, edited: NDArray[np.bool_]) -> EditOutcome:
        names = attribute_names()
        missed = [i for i in np.flatnonzero(edited) if abs(look.degrees[i] - goal[i]) > 0.5]
        too_far = _too_far(look, before, goal)
        said = [
            f"{names[i]} went to {look.degrees[i]:.1f} of {goal[i]:.1f}, "
            + ("as this face has nothing between" if too_far[i] else "as far as this face goes")
            for i in missed
        ]
        said += [
            f"besides, {names[i]} is at {look.degrees[i]:.1f} instead of {goal[i]:.1f}"
            for i in np.flatnonzero(~edited & (np.abs(look.degrees - goal) > STRAYED))
        ]
        return EditOutcome(look.w_plus, _by_name(before), _by_name(look.degrees), not missed, "; ".join(said))


@dataclass
class _Bracket:
    """For each attribute what was asked, ``(2, A)``, in the last look that fell short and the last too far.

    Attributes:
        asked: NaN where there was none.
        off: by how much they did, in scores; of an end that stays, half at every further look (the Illinois
            algorithm), as fields bend and false position alone would creep up from one end.
        beyond: whether the last look went too far, ``(A,)``.
    """

    asked: Vector
    off: Vector
    beyond: NDArray[np.bool_]

    @classmethod
    def open(cls, asked: Vector, off: Vector) -> _Bracket:
        """With the face as it is: what fields say of it ``(A,)``, and how far off the goal it is, ``(A,)``."""
        bracket = cls(np.full((2, len(asked)), np.nan), np.full((2, len(asked)), np.nan), off >= 0)
        bracket._set(asked, off)
        return bracket

    def take(self, asked: Vector, off: Vector) -> None:
        """A look: what was asked ``(A,)``, and how far off the goal it came, ``(A,)``."""
        again = (off >= 0) == self.beyond
        self.off = np.where(again & np.stack([off >= 0, off < 0]), self.off / 2, self.off)
        self._set(asked, off)

    def _set(self, asked: Vector, off: Vector) -> None:
        self.beyond = off >= 0
        side = np.stack([~self.beyond, self.beyond])
        self.asked, self.off = np.where(side, asked, self.asked), np.where(side, off, self.off)

    def between(self, otherwise: Vector) -> Vector:
        """Where the goal is if scores are linear between both ends, away from these; ``otherwise`` with one end."""
        (short, far), (under, over) = self.asked, self.off
        share = np.clip(under / (under - over), NEAR_END, 1 - NEAR_END)
        inside: Vector = short + share * (far - short)
        return np.where(np.isnan(inside), otherwise, inside)


@dataclass(frozen=True)
class _Look:
    """An edited face: its latent ``(16, 512)`` and the degrees ``(A,)`` it is expected to arrive with."""

    w_plus: Latent
    degrees: Vector


def _too_far(look: _Look, before: Vector, goal: Vector) -> NDArray[np.bool_]:
    """Where a look ``(A,)`` is beyond the goal, seen from before."""
    beyond: NDArray[np.bool_] = (look.degrees - goal) * (goal - before) > 0
    return beyond


def _by_name(degrees: Vector) -> dict[str, float]:
    return {name: round(float(degree), 3) for name, degree in zip(attribute_names(), degrees, strict=True)}
