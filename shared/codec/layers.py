"""The way of coefficients into the layers of a folded frame and back, for many frames at once and differentiable.

Frames differ in what they use; here all have the same places: a slot for each of the first `COEFFICIENTS`, and the
cosines and sines of every fold that there may be, level by level. Places that a frame does not use have no energy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from shared.codec.folding import FoldedPlan
from shared.codec.sizes import COEFFICIENTS, FOLDS

GRID = torch.linspace(-4, 4, 49)
"""Where the posterior of a coefficient is looked at, in prior deviations."""


@dataclass(frozen=True)
class Layers:
    """Energies of ``B`` frames.

    Attributes:
        sent: of the coefficients' own slots, ``(B, COEFFICIENTS)``.
        folded: of the folds, ``(B, sum(FOLDS))``.
        frequency: of the folds, ``(B, sum(FOLDS))``.
    """

    sent: Tensor
    folded: Tensor
    frequency: Tensor

    @classmethod
    def of(cls, plan: FoldedPlan) -> Layers:
        """Those of one frame."""
        sent = np.zeros((1, COEFFICIENTS), np.float32)
        own = plan.sent[:COEFFICIENTS]
        sent[0, : len(own)] = own
        folds = np.zeros((2, 1, sum(FOLDS)), np.float32)
        for start, level in zip(np.cumsum([0, *FOLDS]), plan.levels, strict=False):
            folds[:, 0, start : start + len(level.energy)] = level.energy, level.frequency
        return cls(torch.from_numpy(sent), torch.from_numpy(folds[0]), torch.from_numpy(folds[1]))

    def at(self, rows: Tensor) -> Layers:
        """Those of the frames ``rows``."""
        return Layers(self.sent[rows], self.folded[rows], self.frequency[rows])

    @property
    def used(self) -> Tensor:
        """Which places the frames use, ``(B, SLOTS)``."""
        places = [self.sent > 0]
        for _, start, stop in _levels():
            places += [self.folded[:, start:stop] > 0] * 2
        return torch.cat(places, 1)

    def fill(self, white: Tensor) -> Tensor:
        """White coefficients ``(B, COEFFICIENTS)`` to slots ``(B, SLOTS)``."""
        slots = [self.sent.sqrt() * white]
        for count, start, stop in _levels():
            phase = white[:, :count] * self.frequency[:, start:stop]
            amplitude = self.folded[:, start:stop].sqrt()
            slots += [amplitude * torch.cos(phase), amplitude * torch.sin(phase)]
        return torch.cat(slots, 1)

    def read(self, received: Tensor, half_noise: Tensor, gain_error: Tensor) -> tuple[Tensor, Tensor]:
        """What slots with noise tell of the white coefficients: posterior mean and variance, ``(B, COEFFICIENTS)``.

        Args:
            received: ``(B, SLOTS)``.
            half_noise: noise variance of a slot, ``(B, 1)``.
            gain_error: variance of the logarithm of the frame's gain, ``(B, 1)``.
        """
        share = self.sent / (self.sent + half_noise)
        mean = share * received[:, :COEFFICIENTS] / self.sent.clamp_min(1e-9).sqrt()
        variance = 1 - share
        at = COEFFICIENTS
        for count, start, stop in _levels():
            cosine, sine = received[:, at : at + 2 * count].chunk(2, 1)
            at += 2 * count
            doubt = gain_error * mean[:, :count].square() if start == 0 else 0.0
            better = _read_fold(
                mean[:, :count],
                variance[:, :count] + doubt,
                (cosine, sine),
                self.folded[:, start:stop].sqrt() / half_noise,
                self.frequency[:, start:stop],
            )
            told = self.folded[:, start:stop] > 0
            mean, variance = (
                torch.cat([torch.where(told, new, old[:, :count]), old[:, count:]], 1)
                for new, old in zip(better, (mean, variance), strict=True)
            )
        return mean, variance


def _levels() -> Iterator[tuple[int, int, int]]:
    """Of each level the coefficients, and where its folds begin and end."""
    start = 0
    for count in FOLDS:
        yield count, start, start + count
        start += count


def _read_fold(
    mean: Tensor, variance: Tensor, received: tuple[Tensor, Tensor], strength: Tensor, frequency: Tensor
) -> tuple[Tensor, Tensor]:
    """Posterior mean and variance ``(B, n)`` after one fold, on a grid around what was believed before."""
    at = mean[..., None] + variance.sqrt()[..., None] * GRID  # (B, n, grid)
    phase = at * frequency[..., None]
    cosine, sine = received
    likeness = cosine[..., None] * torch.cos(phase) + sine[..., None] * torch.sin(phase)
    posterior = torch.softmax(strength[..., None] * likeness - GRID.square() / 2, -1)
    centre = (posterior * at).sum(-1)
    spread = (posterior * (at - centre[..., None]).square()).sum(-1)
    return centre, spread
