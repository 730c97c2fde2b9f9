"""What follows a key frame in the world of the fakes: every degree's change is a phase, repeated over the symbols."""

# ruff: noqa: ARG002 - a fake has no use for most of what the real one works with
from __future__ import annotations

import numpy as np

from shared.codec.belief import Belief, Variances
from shared.codec.codec import Latent, Symbols
from shared.codec.followup import Held, Met, Position
from shared.errors import InvalidInput
from tests.fakes.codec import PHASE_PER_DEGREE
from tests.fakes.face import COUNT, latent_of

#: Symbols of a change.
CHANGE = 11 * COUNT


class PhaseFollowUps:
    """Symbol ``i`` carries the change of degree ``i mod 5``; a refinement halves the only variance there is.

    A key frame that met less than it was designed for leaves twice the variance.
    """

    def symbols_for_change(self, design_snr_db: float) -> int:
        """Whatever the SNR."""
        return CHANGE

    def locate(self, change: Latent) -> Position | None:
        """The changes of the degrees; ``None`` for what is no change of them."""
        outside = change.copy()
        outside[0, :COUNT] = 0
        return None if outside.any() else change[0, :COUNT].astype(np.float64)

    def after_key(self, k: int, design_snr_db: float, met_snr_db: float) -> Variances:
        """One variance."""
        return np.ones(1) * (2 if met_snr_db < design_snr_db - 4 else 1)

    def after(self, agreed: Variances, k: int, design_snr_db: float, met_snr_db: float, *, changes: bool) -> Variances:
        """Halved by a refinement."""
        return agreed if changes else agreed / 2

    def expected_nmse_db(self, agreed: Variances) -> float:
        """The variance in dB."""
        return float(10 * np.log10(agreed[0]))

    def quality(self, agreed: Variances) -> float:
        """A quarter of the variance is missing."""
        return float(1 - agreed[0] / 4)

    def encode(
        self, face: Latent, position: Position | None, agreed: Variances, k: int, design_snr_db: float
    ) -> Symbols:
        """``(k,)`` symbols."""
        if position is not None and k < CHANGE:
            raise InvalidInput(f"a change takes {CHANGE} symbols")
        changes = np.zeros(COUNT) if position is None else position
        return np.exp(1j * PHASE_PER_DEGREE / 2 * changes[np.arange(k) % COUNT]).astype(np.complex64)

    def hold(self, w_plus: Latent, k: int, design_snr_db: float, met: Met) -> Held:
        """The face as it came."""
        belief = Belief(np.zeros(1), np.ones(1))
        return Held(w_plus, w_plus, belief, self.after_key(k, design_snr_db, met.snr_db), np.zeros(COUNT))

    def follow(self, held: Held, symbols: Symbols, design_snr_db: float, met: Met, *, changes: bool) -> Held | None:
        """The key frame's face with the change on it."""
        agreed = self.after(held.agreed, len(symbols), design_snr_db, met.snr_db, changes=changes)
        if not changes:
            return Held(held.w_plus, held.face, held.belief, agreed, held.position)
        if len(symbols) < CHANGE:
            raise InvalidInput(f"a change takes {CHANGE} symbols")
        means = [symbols[index::COUNT].mean() for index in range(COUNT)]
        position = np.angle(means) / (PHASE_PER_DEGREE / 2)
        degrees = np.clip(held.face[0, :COUNT] + position, 0, 5)
        return Held(latent_of(degrees), held.face, held.belief, agreed, position)
