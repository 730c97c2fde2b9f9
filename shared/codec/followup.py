"""The frames after a key frame: what an edit changed, and more about the face itself.

A **delta** frame tells where the edited face lies, counted from the key frame's face (`shared.codec.change`), and
spends what is left of it on refining that face (`shared.codec.belief`). A **refinement** frame does only the latter.
How a payload is split, and which coefficients it refines, both ends work out from the frames that were decoded before:
their lengths, their kinds, the SNRs that they were designed for, and those that their symbols met by the receiver's own
report. So a refinement mends what a fade has spoiled, and does not tell again what arrived well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.codec.belief import (
    Belief,
    CoefficientCodec,
    Variances,
    believe,
    decode_refinement,
    encode_refinement,
    left_by_key,
    plan_refinement,
    refined,
    share_told,
)
from shared.codec.change import ChangeSpace
from shared.codec.codec import Latent, Symbols
from shared.errors import InvalidInput

Position = NDArray[np.float64]
"""Where an edited face lies, counted from its key frame's face, ``(D,)``."""

ENERGY_OVER_NOISE = 6.5
"""Energy of each symbol of a change over the noise: its phase is off by 0.28 rad then."""

LEAST_REFINEMENT = 2
"""Symbols of a refinement: one tells its scale."""

LARGEST_SHARE = 0.85
"""Of a payload's energy for the change; the rest refines."""

MOST_SNR_DB = 60.0
"""A frame without any noise counts as one of this SNR."""


@dataclass(frozen=True, eq=False)
class Held:
    """What a receiver holds of the face of a stream.

    Attributes:
        w_plus: the face as it is shown, ``(16, 512)``.
        face: the key frame's face as far as it is known by now, without any change, ``(16, 512)``.
        belief: the same as coefficients, with their variances.
        agreed: the variances that the sender works with, too: of a face of usual norm, at the SNRs that were reported.
        position: where the shown face lies.
    """

    w_plus: Latent
    face: Latent
    belief: Belief
    agreed: Variances
    position: Position


def agreed_snr_db(measured_db: float) -> int:
    """The SNR in whole dB that both ends take a frame to have met, once its receiver has reported ``measured_db``."""
    return round(min(max(measured_db, -MOST_SNR_DB), MOST_SNR_DB))


@dataclass(frozen=True)
class Met:
    """What a frame's payload met on its way.

    Attributes:
        noise_power: of its equalised symbols each, linear, as the receiver knows it.
        snr_db: the same as far as both ends know it, `agreed_snr_db`.
    """

    noise_power: float
    snr_db: int


class FollowUps(Protocol):
    """Codes the frames after a key frame; stateless, the state is the caller's."""

    def symbols_for_change(self, design_snr_db: float) -> int:
        """The least payload that tells a change well."""
        ...

    def locate(self, change: Latent) -> Position | None:
        """The position of a change ``(16, 512)``; ``None`` if only a key frame can bring it."""
        ...

    def after_key(self, k: int, design_snr_db: float, met_snr_db: float) -> Variances:
        """What a key frame of ``k`` symbols leaves unknown that met ``met_snr_db``."""
        ...

    def after(self, agreed: Variances, k: int, design_snr_db: float, met_snr_db: float, *, changes: bool) -> Variances:
        """What a further frame of ``k`` symbols leaves unknown; ``changes``: whether it is a delta frame."""
        ...

    def expected_nmse_db(self, agreed: Variances) -> float:
        """The latent error in dB that variances stand for, relative to all faces' variance."""
        ...

    def quality(self, agreed: Variances) -> float:
        """How much of what is seen of a face the receiver knows where such variances are left, 0..1."""
        ...

    def encode(
        self, face: Latent, position: Position | None, agreed: Variances, k: int, design_snr_db: float
    ) -> Symbols:
        """A delta frame's payload ``(k,)`` of mean power 1, or without a position a refinement frame's.

        Args:
            face: the key frame's, ``(16, 512)``.
            position: of the face that is to be shown.
            agreed: what the frames before left unknown.
            k: symbols.
            design_snr_db: as the header will carry it.

        Raises:
            InvalidInput: if ``k`` is too few.
        """
        ...

    def hold(self, w_plus: Latent, k: int, design_snr_db: float, met: Met) -> Held:
        """What a receiver holds after it decoded ``w_plus`` from a key frame of ``k`` symbols."""
        ...

    def follow(self, held: Held, symbols: Symbols, design_snr_db: float, met: Met, *, changes: bool) -> Held | None:
        """What it holds after equalised symbols ``(k,)`` of a further frame; ``None`` if they leave the change open."""
        ...


@dataclass(frozen=True)
class _Split:
    """Symbols and energy of a payload's two parts."""

    k_change: int
    change_energy: float
    k_refine: int
    refine_energy: float


class GaussianFollowUps:
    """`FollowUps` of a codec that sends coefficients.

    Args:
        codec: makes the key frames.
        space: in which edits move a face.
    """

    def __init__(self, codec: CoefficientCodec, space: ChangeSpace) -> None:
        self._codec = codec
        self._space = space

    def symbols_for_change(self, design_snr_db: float) -> int:
        """See `FollowUps.symbols_for_change`."""
        energy = ENERGY_OVER_NOISE * _noise_power(design_snr_db) * self._space.symbols
        return max(self._space.symbols + LEAST_REFINEMENT, int(np.ceil(energy / LARGEST_SHARE)))

    def locate(self, change: Latent) -> Position | None:
        """See `FollowUps.locate`."""
        return self._space.locate(change)

    def after_key(self, k: int, design_snr_db: float, met_snr_db: float) -> Variances:
        """See `FollowUps.after_key`."""
        return left_by_key(self._codec, k, design_snr_db, _noise_power(met_snr_db))

    def after(self, agreed: Variances, k: int, design_snr_db: float, met_snr_db: float, *, changes: bool) -> Variances:
        """See `FollowUps.after`."""
        noise_power = _noise_power(design_snr_db)
        split = self._split(k, noise_power, changes=changes)
        if not split.k_refine:
            return agreed
        plan = plan_refinement(self._codec, agreed, split.k_refine, split.refine_energy, noise_power)
        return refined(plan, agreed, _noise_power(met_snr_db))

    def expected_nmse_db(self, agreed: Variances) -> float:
        """See `FollowUps.expected_nmse_db`."""
        total = np.square(self._codec.basis.deviation, dtype=np.float64).sum()
        return float(10 * np.log10(max(agreed.sum() / total, 1e-12)))

    def quality(self, agreed: Variances) -> float:
        """See `FollowUps.quality`."""
        return share_told(self._codec.basis, agreed)

    def encode(
        self, face: Latent, position: Position | None, agreed: Variances, k: int, design_snr_db: float
    ) -> Symbols:
        """See `FollowUps.encode`."""
        noise_power = _noise_power(design_snr_db)
        split = self._split(k, noise_power, changes=position is not None)
        parts = [] if position is None else [self._space.encode(position, split.change_energy, noise_power)]
        if split.k_refine:
            plan = plan_refinement(self._codec, agreed, split.k_refine, split.refine_energy, noise_power)
            coefficients = self._codec.basis.analyse(face)
            parts.append(encode_refinement(plan, coefficients, split.k_refine, split.refine_energy))
        return np.concatenate(parts)

    def hold(self, w_plus: Latent, k: int, design_snr_db: float, met: Met) -> Held:
        """See `FollowUps.hold`."""
        belief = believe(self._codec, w_plus, k, design_snr_db, met.noise_power)
        unmoved = np.zeros(len(self._space.span))
        return Held(w_plus, w_plus, belief, self.after_key(k, design_snr_db, met.snr_db), unmoved)

    def follow(self, held: Held, symbols: Symbols, design_snr_db: float, met: Met, *, changes: bool) -> Held | None:
        """See `FollowUps.follow`."""
        design_noise = _noise_power(design_snr_db)
        split = self._split(len(symbols), design_noise, changes=changes)
        position = held.position
        if changes:
            told = self._space.decode(symbols[: split.k_change], split.change_energy, design_noise, met.noise_power)
            if told is None:
                return None
            position = told
        face, belief, agreed = held.face, held.belief, held.agreed
        if split.k_refine:
            plan = plan_refinement(self._codec, agreed, split.k_refine, split.refine_energy, design_noise)
            refining = symbols[split.k_change :]
            belief = decode_refinement(plan, belief, refining, met.noise_power)
            face = np.add(face, self._synthesised(belief) - self._synthesised(held.belief), dtype=np.float32)
            agreed = refined(plan, agreed, _noise_power(met.snr_db))
        shown = np.add(face, self._space.move(position), dtype=np.float32)
        return Held(shown, face, belief, agreed, position)

    def _split(self, k: int, noise_power: float, *, changes: bool) -> _Split:
        if not changes:
            if k < LEAST_REFINEMENT:
                raise InvalidInput(f"a refinement takes at least {LEAST_REFINEMENT} symbols, not {k}")
            return _Split(0, 0.0, k, float(k))
        k_change = self._space.symbols
        if k == k_change:
            return _Split(k, float(k), 0, 0.0)
        if k < k_change + LEAST_REFINEMENT:
            raise InvalidInput(f"a change takes {k_change} symbols, or from {k_change + LEAST_REFINEMENT} on, not {k}")
        energy = min(LARGEST_SHARE * k, ENERGY_OVER_NOISE * noise_power * k_change)
        return _Split(k_change, energy, k - k_change, k - energy)

    def _synthesised(self, belief: Belief) -> Latent:
        return self._codec.basis.synthesise(belief.mean.astype(np.float32))


def _noise_power(snr_db: float) -> float:
    return float(10 ** (-snr_db / 10))
