"""The seam between an aligned face and its latent (GAN inversion)."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.codec.codec import Latent
from shared.errors import InvalidInput

MAX_SNR_DB = 100
"""Largest SNR in dB, and the negative of the least, that a face can be inverted for."""

USUAL_SNR_DB = 9.0
"""What links are taken for where nobody names one. A face inverted for it arrives nearer to its photo,
whatever the link from 0 dB on (`evaluation/rate_aware.py`)."""

NO_LINK = math.inf
"""The SNR in dB of a face that is meant to be seen as it is."""


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
class Refinement:
    """How much work an inversion may put into gradient steps.

    Attributes:
        steps: at most so many; 0 takes the encoder's answer.
        seconds: at most so long. A bound on time makes the result depend on the machine; without one it does not.
        for_snr_db: Es/N0 of the link in whose arrivals likeness is sought; `NO_LINK` seeks it in the latent itself.

    Raises:
        InvalidInput: if that is no SNR that a link has.
    """

    steps: int = 16
    seconds: float = math.inf
    for_snr_db: float = NO_LINK

    def __post_init__(self) -> None:
        if not (abs(self.for_snr_db) <= MAX_SNR_DB or self.for_snr_db == NO_LINK):
            raise InvalidInput(
                f"invert_for_snr_db is from {-MAX_SNR_DB} to {MAX_SNR_DB} dB, or inf for no link, "
                f"not {self.for_snr_db:g}"
            )

    def parts(self) -> tuple[Refinement, ...]:
        """What is done one after the other: for a link half of it, from where the latent itself is like the face."""
        if self.for_snr_db == NO_LINK:
            return (self,)
        steps, seconds = self.steps // 2, self.seconds / 2
        return Refinement(steps, seconds), Refinement(self.steps - steps, seconds, self.for_snr_db)

    def planned(self, done: int, elapsed: float) -> int:
        """Steps there will be in all, when ``done`` steps took ``elapsed`` seconds."""
        if not math.isfinite(self.seconds):
            return self.steps
        return min(self.steps, max(done, int(self.seconds * done / max(elapsed, 1e-9))))


@dataclass(frozen=True)
class Inversion:
    """A face as the prior can show it.

    Attributes:
        w_plus: the latent, shape ``(16, 512)``.
        lpips: perceptual distance of the reconstruction to the face (LPIPS, AlexNet).
        identity_cosine: identity of the reconstruction against the face, by a network outside the inversion's loss.
        losses: the least loss so far at each refinement step.
        elapsed_ms: wall-clock time of the inversion.
    """

    w_plus: Latent
    lpips: float
    identity_cosine: float
    losses: tuple[float, ...]
    elapsed_ms: float

    @property
    def confidence(self) -> float:
        """How far the reconstruction can be trusted to be this person, 0..1; see `fit_confidence`."""
        return fit_confidence(self.lpips, self.identity_cosine)


def fit_confidence(lpips: float, identity_cosine: float) -> float:
    """1 for a fit as good as the best photos reach, 0 for one no better than another person's face.

    The product of two linear scales: identity from 0.1, where strangers are, to 0.7; likeness from LPIPS 0.5, where
    unrelated faces are, to 0.15.
    """
    identity = min(max((identity_cosine - 0.1) / 0.6, 0.0), 1.0)
    likeness = min(max((0.5 - lpips) / 0.35, 0.0), 1.0)
    return identity * likeness


class Inverter(Protocol):
    """Finds the latent whose rendering is the given face; synchronous, meant for a worker thread."""

    def invert(
        self, face: NDArray[np.uint8], refinement: Refinement, on_progress: Callable[[InversionProgress], None]
    ) -> Inversion:
        """Inverts one aligned face.

        Args:
            face: aligned RGB, shape ``(S, S, 3)``.
            refinement: gradient steps after the encoder's guess.
            on_progress: called between steps. It may raise, which ends the inversion: that is how it is cancelled.

        Raises:
            InvalidInput: if it cannot be inverted for a link.
        """
        ...


def ignore_progress(_: InversionProgress) -> None:
    """An ``on_progress`` for callers who only want the result."""
