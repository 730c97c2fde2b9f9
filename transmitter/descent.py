"""How an inversion's gradient steps are made: L-BFGS, each face with a memory of its own, from the mean curvature.

The mean over faces (`transmitter.curvature`) knows which moves are seen and which are not, but not this face. What this
face's gradients did along the steps made so far is remembered, and mends it (limited-memory BFGS: Nocedal, "Updating
Quasi-Newton Matrices with Limited Storage", 1980; Nocedal and Wright, Numerical Optimization, algorithm 7.4, whose
first guess of the inverse Hessian is the mean one here). Instead of a line search, which would draw the face again, all
steps are of one size, and a face whose loss rose goes back to where it was least, and on from there in shorter ones.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import torch
from torch import Tensor

from transmitter.curvature import Curvature


@dataclass(frozen=True)
class Pace:
    """How the steps are made.

    Attributes:
        size: of a step, as a part of the quasi-Newton step.
        damping: added to the mean curvature; the larger, the less is moved that hardly shows.
        memory: steps that are remembered.
        slip: times the least loss so far from which on a face has slipped.
        shorter: what is left of the size of its steps then.
        longer: how much of it comes back with every step that did not slip.
    """

    size: float = 0.5
    damping: float = 0.0015
    memory: int = 12
    slip: float = 1.1
    shorter: float = 0.4
    longer: float = 1.5


@dataclass
class Place:
    """Where ``B`` faces are, in the curvature's coordinates, and their gradients there: ``(B, 17, 512)`` each."""

    at: Tensor
    gradient: Tensor

    def where(self, chosen: Tensor, other: Place) -> Place:
        """The faces ``chosen (B,)`` from here, the rest from ``other``."""
        wide = chosen[:, None, None]
        return Place(torch.where(wide, self.at, other.at), torch.where(wide, self.gradient, other.gradient))


class Descent:
    """The way of ``B`` faces down their losses. Deterministic.

    Args:
        w_plus: where it begins, ``(B, 16, 512)``.
        curvature: the mean one.
        pace: how the steps are made.

    Example::

        descent = Descent(guess, curvature)
        for _ in range(steps):
            w_plus = descent.step(loss, gradient)   # of the last w_plus; at first of the guess
        best = descent.best(last_loss)
    """

    def __init__(self, w_plus: Tensor, curvature: Curvature, pace: Pace | None = None) -> None:
        self._start, self._curvature, self._pace = w_plus, curvature, pace or Pace()
        nowhere = torch.zeros_like(w_plus[:, :1]).expand(-1, 1 + w_plus.shape[1], -1)
        self._at: Tensor = nowhere
        self._foothold: Place | None = None
        self._best = Place(nowhere, nowhere)
        self._memory: deque[tuple[Tensor, Tensor, Tensor]] = deque(maxlen=self._pace.memory)
        self._size = torch.full((len(w_plus),), self._pace.size)
        #: The least loss of each face so far, ``(B,)``.
        self.loss = torch.full((len(w_plus),), torch.inf)

    def step(self, loss: Tensor, gradient: Tensor) -> Tensor:
        """The next latents ``(B, 16, 512)``, from losses ``(B,)`` and gradients ``(B, 16, 512)`` at the last ones."""
        here = Place(self._at, self._curvature.gradient(gradient))
        slipped = ~(loss <= self._pace.slip * self.loss)  # which is so of a loss that is no number, too
        if self._foothold is not None:
            self._remember(here, self._foothold, ~slipped)
        self._size = torch.where(
            slipped, self._pace.shorter * self._size, (self._pace.longer * self._size).clamp_max(self._pace.size)
        )
        self._best = here.where(loss < self.loss, self._best)
        self.loss = torch.fmin(self.loss, loss)  # one that is no number counts for nothing
        self._foothold = self._best.where(slipped, here)
        self._at = self._foothold.at - self._size[:, None, None] * self._newton(self._foothold.gradient)
        return self._start + self._curvature.step(self._at)

    def best(self, loss: Tensor) -> Tensor:
        """The best latents ``(B, 16, 512)`` that were seen, the last ones, with losses ``(B,)``, among them."""
        at = torch.where((loss < self.loss)[:, None, None], self._at, self._best.at)
        self.loss = torch.fmin(self.loss, loss)
        return self._start + self._curvature.step(at)

    def _remember(self, here: Place, before: Place, kept: Tensor) -> None:
        """Keeps a step and what it did to the gradient, of faces ``kept (B,)`` whose loss curves upwards along it."""
        moved, turned = here.at - before.at, here.gradient - before.gradient
        along = _dot(moved, turned)
        upwards = kept[:, None, None] & (along > 1e-6 * (_dot(moved, moved) * _dot(turned, turned)).sqrt())
        moved, turned = (torch.where(upwards, one, 0.0) for one in (moved, turned))
        self._memory.append((moved, turned, torch.where(upwards, 1 / along, 0.0)))

    def _newton(self, gradient: Tensor) -> Tensor:
        """The inverse of the curvature, as far as it is known, times gradients ``(B, 17, 512)``: the two loops."""
        shares = []
        for moved, turned, inverse in reversed(self._memory):
            share = inverse * _dot(moved, gradient)
            gradient = gradient - share * turned
            shares.append(share)
        damping = self._pace.damping
        step = self._curvature.flattened(gradient, damping) / damping
        for (moved, turned, inverse), share in zip(self._memory, reversed(shares), strict=True):
            step = step + (share - inverse * _dot(turned, step)) * moved
        return step


def _dot(one: Tensor, other: Tensor) -> Tensor:
    """Face by face, ``(B, 17, 512)`` twice -> ``(B, 1, 1)``."""
    return (one * other).sum((1, 2), keepdim=True)
