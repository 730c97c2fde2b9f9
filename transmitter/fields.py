"""Semantic fields: how the degrees of one face answer to moves of its latent, and the cheapest move to wanted degrees.

Fields are the slopes of the latent predictor at the face in question, so they bend with it: what raises the smile of
one face is not what raises another's, nor the same half-way. Moves have a price ``|a|^2`` (how unlikely they are in
the prior's own statistics, and how much is seen of them); the cheapest one that brings scores to what is asked, with
the attributes that nobody named asked to stay, is found by Gauss-Newton steps:

    a <- J^T (J J^T + diag(slack / weight))^-1 (asked - s + J a)

``J`` being the fields after the move so far. At a price of its own for every unit, a move in a few common directions
(`EditDirections`) is told in a few symbols.

Glasses are there or not: to a face that is far from having any, a network's slopes say nothing about where they are to
be had, and near the brink too much. So scores and slopes are means over places around the face (randomised smoothing:
Duchi, Bartlett and Wainwright, SIAM J. Optim. 2012), as wide about it as edits move.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from shared.codec.codec import Latent
from shared.codec.perceptual import PerceptualBasis
from transmitter.latent_predictor import LatentPredictor, VisibleSpace

Vector = NDArray[np.float64]

SLACK = 0.05
"""Price of being a score's unit off what is asked, against a unit's move."""

TRUST = 3.0
"""Longest step, as fields are trusted near the face only."""

SPREAD = 2.5
"""Deviation of the places over which fields are averaged, in a move's units."""

PLACES = 32
"""How many these are."""

STEPS = 8
"""Gauss-Newton steps of one match."""


def cheapest_move(
    fields: Callable[[Vector], tuple[Vector, Vector]], asked: Vector, weights: Vector, size: int, reach: float
) -> Vector:
    """The move ``(size,)`` of least price that brings scores to ``asked``, as far as its length ``reach`` allows.

    Args:
        fields: a move to scores ``(A,)`` and their slopes ``(A, size)`` there.
        asked: scores, ``(A,)``.
        weights: how much each matters, ``(A,)``.
        size: dimensions of a move.
        reach: longest move.
    """
    move = np.zeros(size)
    for _ in range(STEPS):
        scores, slopes = fields(move)
        gram = slopes @ slopes.T + np.diag(SLACK / weights)
        step = slopes.T @ np.linalg.solve(gram, asked - scores + slopes @ move) - move
        length = float(np.linalg.norm(step))
        move = move + step * min(1.0, TRUST / max(length, 1e-9))
        move *= min(1.0, reach / max(float(np.linalg.norm(move)), 1e-9))
        if length < 0.02:
            break
    return move


def places(spread: float, count: int, size: int, generator: np.random.Generator) -> Vector:
    """Offsets ``(count, size)`` of this deviation about 0, each beside its opposite so that their mean is 0."""
    one_way = spread * generator.standard_normal((count // 2, size))
    return np.concatenate([one_way, -one_way])


def mean_slopes(predictor: LatentPredictor, u: Vector) -> tuple[Vector, Vector]:
    """Means over visible coordinates ``(N, VISIBLE)`` of scores ``(A,)`` and of their slopes ``(A, VISIBLE)``."""
    scores, slopes = predictor.slopes(torch.from_numpy(u.astype(np.float32)))
    return scores.mean(0).numpy().astype(np.float64), slopes.mean(0).numpy().astype(np.float64)


@dataclass(frozen=True)
class EditDirections:
    """The space that edits move a face in.

    Attributes:
        steps: ``(D, 16, 512)``, linearly independent.
        reach: ``(D,)``, how far along each edits go.
    """

    steps: NDArray[np.float32]
    reach: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> EditDirections:
        """Reads directions written by `save`."""
        return cls(**{name: tensor.astype(np.float32) for name, tensor in load_file(path).items()})

    def save(self, path: Path) -> None:
        """Writes the directions as safetensors, the steps in half precision."""
        save_file({"steps": self.steps.astype(np.float16), "reach": self.reach}, path)


class SemanticFields:
    """Fields in the space that edits move a face in.

    Args:
        basis: the visible coordinates.
        predictor: reads scores off them.
        directions: the space; a unit of each direction has the price 1.
    """

    def __init__(self, basis: PerceptualBasis, predictor: LatentPredictor, directions: EditDirections) -> None:
        self._space, self._predictor = VisibleSpace(basis), predictor
        self._steps = directions.steps
        self._moves = np.stack([self._space.direction(step) for step in directions.steps])  # (D, VISIBLE)
        around = places(SPREAD, PLACES, len(self._moves), np.random.default_rng(0))
        self._places = around @ self._moves  # (PLACES, VISIBLE)

    def locate(self, w_plus: Latent) -> Vector:
        """The visible coordinates ``(VISIBLE,)`` of ``(16, 512)``."""
        return self._space.analyse(w_plus).astype(np.float64)

    def at(self, u: Vector) -> tuple[Vector, Vector]:
        """Scores ``(A,)`` expected around a face at ``u``, and their fields ``(A, D)``."""
        scores, slopes = mean_slopes(self._predictor, u + self._places)
        return scores, slopes @ self._moves.T

    def match(self, u: Vector, asked: Vector, weights: Vector, reach: float) -> Vector:
        """The cheapest move ``(D,)`` of a face at ``u`` to the asked scores; see `cheapest_move`."""
        return cheapest_move(lambda move: self.at(self.moved(u, move)), asked, weights, len(self._moves), reach)

    def moved(self, u: Vector, move: Vector) -> Vector:
        """Visible coordinates after a move."""
        return u + move @ self._moves

    def move(self, w_plus: Latent, move: Vector) -> Latent:
        """``(16, 512)`` after a move ``(D,)``."""
        moved: Latent = (w_plus + np.tensordot(move, self._steps, 1)).astype(np.float32)
        return moved
