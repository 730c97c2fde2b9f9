"""Folds: how a strong coefficient is told more finely than its one slot can.

In visible coordinates a few coefficients carry most of what is seen. A linear code can only give them more energy,
which buys ``1 / (1 + 2 p / N)``. A fold tells the same coefficient ``u`` again as a phase, ``sqrt(q) exp(j w u)``,
that turns so fast that only a receiver that knows ``u`` up to about ``1 / w`` already can read it. For that receiver it
is a fresh channel, and the errors multiply:

    D = 1 / ((1 + 2 p / N) (1 + c 2 q / N) ...),    w = TURN / (deviation that the slots before it leave)

with ``c = FOLD_GAIN``. The slots come from the coefficients that matter least. With ``v`` the importance, ``h = N / 2``
and ``m`` folds of a coefficient, the sum of ``v D`` under an energy is least where every slot and fold of it has

    p + h = q + h / c = (v h^(m+1) / (c^m mu))^(1 / (m+2))

and ``mu`` spends the energy. This is a Shannon-Kotelnikov mapping (Hekland, Floor, Ramstad, "Shannon-Kotelnikov
mappings in joint source-channel coding", IEEE Trans. Commun. 57(1), 2009) in layers; `shared.codec.layers` reads each
by its posterior mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.codec.linear import GAIN_PHASE, GAIN_SPAN, PowerPlan, gain_energy

FOLD_GAIN = 0.4
"""What a fold tells against a slot of the same energy. A Gaussian that is known as well as the plan thinks would give
0.45; faces are not that Gaussian, and a plan that counts on less leaves less to see (tried: 0.25 to 0.48)."""

TURN = 0.7
"""Radians that a fold turns for one deviation of what was known before. A fold that turns faster tells more and is more
often taken for the turn beside it, which is a different face: that weighs the more, the further faces spread beyond
their statistics (tried on inversions of validation photos: 0.55 to 0.75)."""

FIRST_LEVEL = (8, 16, 24, 32, 48, 64, 96, 128)
"""Coefficients with one fold at least, of which a plan takes the best."""

SHARES = ((1.0,), (1.0, 0.5), (1.0, 1.0), (1.0, 0.5, 0.25), (1.0, 1.0, 1.0))
"""How many of them have a fold at each level, of which a plan takes the best."""

MIN_LINEAR = 8


@dataclass(frozen=True)
class FoldLevel:
    """One fold of each of the most important coefficients.

    Attributes:
        energy: ``(n,)``, in mean symbol energies.
        frequency: radians for a unit of the white coefficient, ``(n,)``.
    """

    energy: NDArray[np.float64]
    frequency: NDArray[np.float64]


@dataclass(frozen=True)
class FoldedPlan(PowerPlan):
    """A plan with folds. ``energy`` is what a linear code would need to leave as little of each coefficient.

    Attributes:
        sent: energies of the coefficients' own slots, ``(n,)``.
        levels: the folds, each of at most as many coefficients as the one before.
        half_noise: noise variance of a slot that the plan is for.
        log_gain_deviation: of the frames' gains over faces.
    """

    sent: NDArray[np.float64]
    levels: tuple[FoldLevel, ...]
    half_noise: float
    log_gain_deviation: float

    def left(self, noise_power: float) -> NDArray[np.float64]:
        """See `PowerPlan.left`; at more noise than the plan is for, folds turn too fast to be told apart."""
        half = noise_power / 2
        left = half / (self.sent + half) + gain_error(self.gain_energy, noise_power, self.log_gain_deviation)
        for level in self.levels:
            folded = slice(len(level.energy))
            left[folded] *= fold_left(level.energy / half, level.frequency * np.sqrt(left[folded]))
        return np.minimum(left, 1.0)


def gain_error(symbol_energy: float, noise_power: float, log_gain_deviation: float) -> float:
    """Variance that the gain symbol leaves of the logarithm of a frame's gain."""
    told = noise_power / symbol_energy / 2 * (GAIN_SPAN / GAIN_PHASE) ** 2
    prior = log_gain_deviation**2
    return prior * told / (prior + told)


def fold_left(energy: NDArray[np.float64], turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of what was unknown of a coefficient that its fold leaves.

    A fold that turns no faster than it was meant to is read as the plan counts on. A faster one tells less, in the
    measure of the best linear reading of its sine, for a Gaussian.

    Args:
        energy: of the fold over the noise of a slot, ``(n,)``.
        turn: radians that it turns for one deviation of what was known before, ``(n,)``.
    """
    planned = 1 / (1 + FOLD_GAIN * energy * np.minimum(1.0, (turn / TURN) ** 2))
    told = _told_by_sine(energy, np.maximum(turn, TURN)) / _told_by_sine(energy, np.full(len(turn), TURN))
    left: NDArray[np.float64] = 1 - told * (1 - planned)
    return left


def _told_by_sine(energy: NDArray[np.float64], turn: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the sine of a Gaussian tells of its variance, for a unit of energy: squared covariance over variance."""
    covariance, variance = turn * np.exp(-(turn**2) / 2), -np.expm1(-2 * turn**2) / 2
    return covariance**2 / (energy * variance + 1)


def plan_folds(
    importance: NDArray[np.float64], ranking: NDArray[np.intp], k: int, noise_power: float, log_gain_deviation: float
) -> FoldedPlan:
    """The plan of least visible error for ``k`` symbols at ``noise_power``.

    Args:
        importance: what is seen of a unit error of each white coefficient, falling.
        ranking: the coefficients' indices in that order.
        k: payload symbols.
        noise_power: complex noise variance, linear.
        log_gain_deviation: of the frames' gains over faces.
    """
    reserved = gain_energy(k, noise_power)
    half = noise_power / 2
    best: tuple[float, NDArray[np.float64], NDArray[np.float64], tuple[int, ...]] | None = None
    for counts in _candidates():
        slots = min(2 * (k - 1 - sum(counts)), len(importance))
        if slots < max(MIN_LINEAR, *counts):
            continue
        folds = np.zeros(slots, np.intp)
        for count in counts:
            folds[:count] += 1
        levels = _spend(importance[:slots], folds, k - reserved, half)
        sent, folded = np.maximum(levels - half, 0), np.maximum(levels - half / FOLD_GAIN, 0) * (folds > 0)
        left = half / (sent + half) * (1 + FOLD_GAIN * folded / half) ** -folds
        error = float((importance[:slots] * left).sum() + importance[slots:].sum())
        if best is None or error < best[0]:
            best = error, sent, folded, counts
    assert best is not None  # no folds at all always fits
    _, sent, folded, counts = best
    used = max(int(np.flatnonzero(sent > 0).max(initial=0)) + 1, *counts)
    sent, folded = np.maximum(sent[:used], 1e-9), folded[:used]
    spent = sent.sum() + sum(folded[:count].sum() for count in counts)
    sent, folded = sent * (k - reserved) / spent, folded * (k - reserved) / spent
    variance = half / (sent + half) + gain_error(reserved, noise_power, log_gain_deviation)
    fold_levels = []
    for count in filter(None, counts):
        fold_levels.append(FoldLevel(folded[:count], TURN / np.sqrt(variance[:count])))
        variance[:count] /= 1 + FOLD_GAIN * folded[:count] / half
    equivalent = half * (1 / np.minimum(variance, 0.999999) - 1)
    return FoldedPlan(reserved, ranking[:used], equivalent, sent, tuple(fold_levels), half, log_gain_deviation)


def _candidates() -> Iterator[tuple[int, ...]]:
    yield (0,)
    for first in FIRST_LEVEL:
        for shares in SHARES:
            yield tuple(int(first * share) for share in shares)


def _spend(importance: NDArray[np.float64], folds: NDArray[np.intp], energy: float, half: float) -> NDArray[np.float64]:
    """``P`` of each coefficient such that ``energy`` is spent (bisection over the logarithm of ``mu``)."""
    base = np.log(importance) + (folds + 1) * np.log(half) - folds * np.log(FOLD_GAIN)
    low, high = float(base.min()) - 60.0, float(base.max()) + 60.0
    for _ in range(50):
        middle = (low + high) / 2
        levels: NDArray[np.float64] = np.exp((base - middle) / (folds + 2))
        spent = (np.maximum(levels - half, 0) + folds * np.maximum(levels - half / FOLD_GAIN, 0)).sum()
        low, high = (middle, high) if spent > energy else (low, middle)
    return levels
