"""Iterative attributes matching: step a latent along edit directions until its face shows the wanted degrees.

The directions come from linear models over W (``training/directions.py``): the step that raises one attribute's score
by one, leaves the others' alone, and changes least of the person and of what the prior finds likely. Faces are not
linear, so after every step the face is rendered small, its degrees are read again, and the step is corrected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import Tensor

from shared.attributes import attribute_names
from shared.codec.codec import Latent
from shared.degree_predictor import DegreePredictor
from shared.prior.face_prior import FacePrior
from transmitter.editor import EditOutcome

SIDE = 128
"""Side in pixels at which the edited face is looked at between steps."""


@dataclass(frozen=True)
class EditDirections:
    """How a latent moves per unit of each attribute's score.

    Attributes:
        steps: ``(A, 16, 512)`` in registry order; zero in the style vectors that the attribute does not touch.
        reach: ``(A,)``, the largest multiple of a step that still gives good faces.
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


class AttributesMatcher:
    """`LatentEditor` along linear directions, with the rendered face's degrees in the loop.

    Args:
        prior: renders the face at 128 px.
        predictor: reads its scores and degrees.
        directions: the steps.
        tolerance: degrees off the target that are accepted without a further step.
        max_steps: renders per edit at most.
    """

    def __init__(
        self,
        prior: FacePrior,
        predictor: DegreePredictor,
        directions: EditDirections,
        tolerance: float = 0.25,
        max_steps: int = 10,
    ) -> None:
        self._prior, self._predictor, self._directions = prior, predictor, directions
        self._tolerance, self._max_steps = tolerance, max_steps

    def edit(self, w_plus: Latent, targets: Mapping[str, float], *, snr_db: float | None) -> EditOutcome:  # noqa: ARG002
        """See `LatentEditor.edit`; the link's SNR is not looked at yet, the match is made before the channel."""
        names = attribute_names()
        before = self._read(w_plus)
        goal = before.degrees.copy()
        edited = np.array([name in targets for name in names])
        for i, name in enumerate(names):
            goal[i] = targets.get(name, goal[i])
        goal_scores = np.where(edited, self._scores_of(goal), before.scores)
        amounts = np.zeros(len(names), np.float32)
        slopes = np.ones(len(names), np.float32)
        best, best_latent, best_cost = before, w_plus, self._cost(before, goal, edited)
        now = before
        for _ in range(self._max_steps):
            off = np.abs(now.degrees - goal)
            if (off[edited] <= self._tolerance).all() and (off <= 2 * self._tolerance).all():
                break
            # What was not asked for is brought back only when it is seen to move.
            wish = np.where(edited, 1.0, 0.8 * (off > 2 * self._tolerance)) * (goal_scores - now.scores) / slopes
            limit = self._directions.reach
            moved = np.clip(amounts + np.clip(wish, -limit / 2, limit / 2), -limit, limit).astype(np.float32)
            step = moved - amounts
            if np.abs(step).max() < 1e-3:
                break
            latent = (w_plus + np.tensordot(moved, self._directions.steps, 1)).astype(np.float32)
            then = self._read(latent)
            large = np.abs(step) > 0.1
            measured = np.divide(then.scores - now.scores, step, out=slopes.copy(), where=large)
            slopes = np.clip(0.5 * slopes + 0.5 * measured, 0.3, 2.0).astype(np.float32)
            amounts, now = moved, then
            cost = self._cost(now, goal, edited)
            if cost < best_cost:
                best, best_latent, best_cost = now, latent, cost
        return self._outcome(best_latent, before, best, goal, edited)

    def _read(self, w_plus: Latent) -> _Reading:
        with torch.inference_mode():
            image = self._prior.synthesis(torch.from_numpy(np.ascontiguousarray(w_plus))[None], SIDE).clamp(-1, 1)
            scores: Tensor = self._predictor.scores(image)
            degrees: Tensor = self._predictor.scale(scores)
        return _Reading(scores[0].numpy(), degrees[0].numpy())

    def _scores_of(self, degrees: NDArray[np.float32]) -> NDArray[np.float32]:
        scores: NDArray[np.float32] = self._predictor.scale.inverse(torch.from_numpy(degrees)[None])[0].numpy()
        return scores

    @staticmethod
    def _cost(reading: _Reading, goal: NDArray[np.float32], edited: NDArray[np.bool_]) -> float:
        return float((np.where(edited, 1.0, 0.5) * np.abs(reading.degrees - goal)).sum())

    @staticmethod
    def _outcome(
        latent: Latent, before: _Reading, after: _Reading, goal: NDArray[np.float32], edited: NDArray[np.bool_]
    ) -> EditOutcome:
        names = attribute_names()
        missed = [i for i in np.flatnonzero(edited) if abs(after.degrees[i] - goal[i]) > 0.5]
        message = "; ".join(
            f"{names[i]} went to {after.degrees[i]:.1f} of {goal[i]:.1f}, as far as this face goes" for i in missed
        )
        return EditOutcome(latent, before.by_name(), after.by_name(), not missed, message)


@dataclass(frozen=True)
class _Reading:
    """What the predictor says of one face: scores and degrees, each ``(A,)``."""

    scores: NDArray[np.float32]
    degrees: NDArray[np.float32]

    def by_name(self) -> dict[str, float]:
        return {name: round(float(d), 3) for name, d in zip(attribute_names(), self.degrees, strict=True)}
