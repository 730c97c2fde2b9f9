"""The seam between an aligned face and its latent (GAN inversion)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.codec.codec import Latent


@dataclass(frozen=True)
class InversionProgress:
    """Where an inversion stands.

    Attributes:
        stage: ``"encode"`` or ``"refine"``.
        step: steps done within the stage.
        steps: steps the stage has.
        loss: the inversion's loss after this step; 0 where there is none.
    """

    stage: str
    step: int
    steps: int
    loss: float = 0.0


@dataclass(frozen=True)
class Inversion:
    """A face as the prior can show it.

    Attributes:
        w_plus: the latent, shape ``(16, 512)``.
        lpips: perceptual distance of the reconstruction to the face (LPIPS, AlexNet).
        identity_cosine: identity of the reconstruction against the face, by a network outside the inversion's loss.
        losses: the loss after each refinement step.
        elapsed_ms: wall-clock time of the inversion.
    """

    w_plus: Latent
    lpips: float
    identity_cosine: float
    losses: tuple[float, ...]
    elapsed_ms: float


class Inverter(Protocol):
    """Finds the latent whose rendering is the given face; synchronous, meant for a worker thread."""

    def invert(
        self, face: NDArray[np.uint8], refine_steps: int, on_progress: Callable[[InversionProgress], None]
    ) -> Inversion:
        """Inverts one aligned face.

        Args:
            face: aligned RGB, shape ``(S, S, 3)``.
            refine_steps: gradient steps after the encoder's guess; 0 takes the guess.
            on_progress: called between steps. It may raise, which ends the inversion: that is how it is cancelled.
        """
        ...


def ignore_progress(_: InversionProgress) -> None:
    """An ``on_progress`` for callers who only want the result."""
