"""What an edit changed, as a few symbols: a position in the small space that edits move a face in.

Both ends know ``D`` edit steps. A face that was edited is the key frame's face plus ``sum_d x_d step_d``, and the
position ``x`` is all that has to cross. It is told anew in every delta frame, counted from the key frame, so that a
lost frame and the noise of earlier ones are of no consequence.

Each coordinate, scaled to -1..1, is told by ``LEVELS`` symbols of constant magnitude whose phases turn ever faster
with it. The slow ones say roughly where it is, the fast ones say it finely, and the receiver takes the mean of the
posterior over a grid. How much faster each level turns follows from the noise that the frame was designed for: as fast
as the level before can still tell one turn from the next. Constant magnitude leaves no scale to be told.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from shared.codec.codec import Latent, Symbols

LEVELS = 3
"""Symbols per coordinate."""

SLOWEST = 2.4
"""Phase in radians of the slowest level at the end of the range; short of pi, so that noise seldom turns it round."""

MARGIN = 5.0
"""Standard deviations of the level before that lie within half a turn of the next."""

FASTEST = 8.0
"""Largest ratio from one level to the next."""

GRID = 4001
"""Points of the receiver's grid over -1..1."""

USUAL = 0.4
"""Deviation of positions in units of the range: what the receiver expects before it listens."""

AMBIGUOUS = 0.15
"""Posterior deviation, in units of the range, from which on a position counts as not told."""

RANGE = 3.0
"""Largest coordinate, in multiples of what one edit may move."""

OUTSIDE = 1e-3
"""Share of a change's energy that may lie outside the space before it is no change of this space."""


@dataclass(frozen=True, eq=False)
class ChangeSpace:
    """The space of edits, as both ends know it.

    Attributes:
        steps: ``(D, 16, 512)``, linearly independent; orthonormal or not.
        span: ``(D,)``, the largest coordinate that can be told.
    """

    steps: NDArray[np.float32]
    span: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> ChangeSpace:
        """The span of the edit steps in a file of `transmitter.fields.EditDirections`."""
        tensors = load_file(path)
        return cls(tensors["steps"].astype(np.float32), RANGE * tensors["reach"].astype(np.float32))

    @property
    def symbols(self) -> int:
        """How many symbols tell a position."""
        return LEVELS * len(self.span)

    @cached_property
    def _dual(self) -> NDArray[np.float64]:
        """Pseudo-inverse of the steps, ``(D, 8192)``."""
        return np.asarray(np.linalg.pinv(self.steps.reshape(len(self.steps), -1).astype(np.float64).T), np.float64)

    def locate(self, change: Latent) -> NDArray[np.float64] | None:
        """The position ``(D,)`` of a change ``(16, 512)``; ``None`` if it lies outside of what can be told."""
        position: NDArray[np.float64] = self._dual @ change.reshape(-1).astype(np.float64)
        outside = np.square(change - self.move(position), dtype=np.float64).sum()
        if outside > OUTSIDE * np.square(change, dtype=np.float64).sum() or (np.abs(position) > self.span).any():
            return None
        return position

    def move(self, position: NDArray[np.float64]) -> Latent:
        """The change ``(16, 512)`` at a position ``(D,)``."""
        moved: Latent = np.tensordot(position, self.steps, 1).astype(np.float32)
        return moved

    def encode(self, position: NDArray[np.float64], energy: float, design_noise_power: float) -> Symbols:
        """A position ``(D,)`` as ``(LEVELS D,)`` symbols of ``energy`` together.

        Args:
            position: within the span.
            energy: in mean symbol energies.
            design_noise_power: complex noise variance that both ends know the frame to be designed for, linear.
        """
        each = energy / self.symbols
        phases = np.multiply.outer(position / self.span, _speeds(each, design_noise_power))  # (D, LEVELS)
        symbols: Symbols = (np.sqrt(each) * np.exp(1j * phases)).reshape(-1).astype(np.complex64)
        return symbols

    def decode(
        self, symbols: Symbols, energy: float, design_noise_power: float, noise_power: float
    ) -> NDArray[np.float64] | None:
        """The position that ``(LEVELS D,)`` noisy symbols tell; ``None`` if they leave it open."""
        each = energy / self.symbols
        grid = np.linspace(-1, 1, GRID)
        turned = np.exp(-1j * np.multiply.outer(_speeds(each, design_noise_power), grid))  # (LEVELS, GRID)
        correlation = (symbols.reshape(-1, LEVELS).astype(np.complex128) @ turned).real  # (D, GRID)
        log_likelihood = 2 * np.sqrt(each) / noise_power * correlation
        log_posterior = log_likelihood - np.square(grid / USUAL) / 2
        posterior = np.exp(log_posterior - log_posterior.max(1, keepdims=True))
        posterior /= posterior.sum(1, keepdims=True)
        mean = posterior @ grid
        deviation = np.sqrt(np.maximum(posterior @ np.square(grid) - np.square(mean), 0))
        if (deviation > AMBIGUOUS).any():
            return None
        located: NDArray[np.float64] = mean * self.span
        return located


def _speeds(each: float, noise_power: float) -> NDArray[np.float64]:
    """Radians per unit of the coordinate at every level, for symbols of energy ``each``; ``(LEVELS,)``."""
    phase_error = np.sqrt(noise_power / (2 * each))
    ratio = np.clip(np.pi / (MARGIN * phase_error), 1.0, FASTEST)
    speeds: NDArray[np.float64] = SLOWEST * ratio ** np.arange(LEVELS)
    return speeds
