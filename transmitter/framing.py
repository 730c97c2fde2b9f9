"""From a face to the frame that brings it: a whole face, a change of the one that is held, or more about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.codec.belief import Variances
from shared.codec.codec import Latent, SemanticCodec
from shared.codec.followup import FollowUps, Position
from shared.phy import (
    Frame,
    FrameHeader,
    FrameKind,
    Profile,
    build_frame,
    quantise_design_snr,
)
from shared.phy.header import BASE_MODULUS, BASE_SNR_MODULUS, SEQUENCE_MODULUS
from transmitter.symbols import SymbolBudget

LEAST_SYMBOLS = 16
"""Of a payload that a quality was asked for: the codecs take no fewer."""


@dataclass(frozen=True)
class Conditions:
    """Under which a frame is made.

    Attributes:
        snr_db: the Es/N0 that the payload is made for.
        profile: how pilots and header are made; more robust on a link that fades, and after an erasure.
        sequence: the number that the frame will have.
        spent: channel uses that the turn has spent on sounding.
    """

    snr_db: float
    profile: Profile
    sequence: int
    spent: int = 0


@dataclass(frozen=True, eq=False)
class Known:
    """What the receiver holds, as far as its sender can know: from the reports that said "decoded".

    Attributes:
        face: the latent that the last key frame brought, ``(16, 512)``.
        shown: the latent that is meant to be shown, ``(16, 512)``.
        agreed: variances that the frames since then have left.
        sequence: the last of those frames.
        met_snr_db: what that one's symbols met, as both ends know it.
        key_uses: channel uses of the key frame.
        expected_nmse_db: error of the face's latent that those variances stand for.
        quality: how much of what is seen of the face they leave known, 0..1.
    """

    face: Latent
    shown: Latent
    agreed: Variances
    sequence: int
    met_snr_db: int
    key_uses: int
    expected_nmse_db: float
    quality: float


@dataclass(frozen=True, eq=False)
class Parcel:
    """A frame ready to be sent.

    Attributes:
        frame: its samples.
        header: of it.
        sequence: its number.
        shown: the latent that it is meant to show, ``(16, 512)``.
        before: what the receiver holds and it builds on; ``None`` of a key frame.
    """

    frame: Frame
    header: FrameHeader
    sequence: int
    shown: Latent
    before: Known | None


class Framer:
    """Makes frames; stateless.

    Args:
        codec: of key frames.
        follow_ups: of the frames after them.
    """

    def __init__(self, codec: SemanticCodec, follow_ups: FollowUps) -> None:
        self._codec = codec
        self._follow_ups = follow_ups

    def key(self, w_plus: Latent, budget: SymbolBudget, at: Conditions) -> Parcel:
        """A frame that brings ``w_plus`` ``(16, 512)`` to a receiver that holds nothing.

        Raises:
            InvalidInput: if the codec cannot take that many symbols, or none are left for a payload.
        """
        design_snr_db = quantise_design_snr(at.snr_db)
        most = budget.payload(at.snr_db, at.profile, at.spent)
        k = budget.enough(most, LEAST_SYMBOLS, lambda k: self._quality_of_key(k, design_snr_db))
        symbols = self._codec.encode(w_plus, k, float(design_snr_db))
        header = FrameHeader(self._codec.codec_id, FrameKind.KEY, at.sequence % SEQUENCE_MODULUS, design_snr_db)
        return Parcel(build_frame(header, symbols, at.profile), header, at.sequence, w_plus, None)

    def delta(self, w_plus: Latent, known: Known, budget: SymbolBudget, at: Conditions) -> Parcel | None:
        """A frame that makes ``w_plus`` of the face that is held; ``None`` where a key frame has to bring it.

        That is so for a change that no edit makes, and on a link where telling a change is no cheaper than the face.
        """
        position = self._follow_ups.locate(w_plus - known.face)
        least = self._follow_ups.symbols_for_change(quantise_design_snr(at.snr_db))
        most = budget.follow_up(known.key_uses, at.profile, least)
        if position is None or most < least or most + at.profile.overhead > known.key_uses:
            return None
        k = budget.enough(most, least, lambda k: self._quality_after(known, k, at, changes=True))
        return self._follow_up(w_plus, known, position, k, at)

    def better(self, known: Known, budget: SymbolBudget, at: Conditions) -> Parcel:
        """A frame that makes the face that is held better: a refinement, or after a deep fade the whole face anew.

        Raises:
            InvalidInput: if none of the budget is left for a payload.
        """
        most = budget.payload(at.snr_db, at.profile, 0)

        def refined(k: int) -> float:
            return self._quality_after(known, k, at, changes=False)

        def anew(k: int) -> float:
            return self._quality_of_key(k, quantise_design_snr(at.snr_db))

        k, k_anew = (budget.enough(most, LEAST_SYMBOLS, promise) for promise in (refined, anew))
        if (k_anew, -anew(k_anew)) < (k, -refined(k)):
            return self.key(known.shown, budget, at)
        return self._follow_up(known.shown, known, None, k, at)

    def decoded(self, parcel: Parcel, met_snr_db: int) -> Known:
        """What the receiver holds after it has decoded the frame.

        Args:
            parcel: the frame.
            met_snr_db: what its symbols met by the receiver's report, as `agreed_snr_db` has it.
        """
        k, design_snr_db, before = parcel.frame.uses.k_payload, float(parcel.header.design_snr_db), parcel.before
        if before is None:
            agreed = self._follow_ups.after_key(k, design_snr_db, met_snr_db)
        else:
            changes = parcel.header.kind is FrameKind.DELTA
            agreed = self._follow_ups.after(before.agreed, k, design_snr_db, met_snr_db, changes=changes)
        return Known(
            face=parcel.shown if before is None else before.face,
            shown=parcel.shown,
            agreed=agreed,
            sequence=parcel.sequence,
            met_snr_db=met_snr_db,
            key_uses=parcel.frame.uses.k_total if before is None else before.key_uses,
            expected_nmse_db=self._follow_ups.expected_nmse_db(agreed),
            quality=self._follow_ups.quality(agreed),
        )

    def _quality_of_key(self, k: int, snr_db: float) -> float:
        return self._follow_ups.quality(self._follow_ups.after_key(k, snr_db, snr_db))

    def _quality_after(self, known: Known, k: int, at: Conditions, *, changes: bool) -> float:
        snr_db = float(quantise_design_snr(at.snr_db))
        return self._follow_ups.quality(self._follow_ups.after(known.agreed, k, snr_db, snr_db, changes=changes))

    def _follow_up(self, w_plus: Latent, known: Known, position: Position | None, k: int, at: Conditions) -> Parcel:
        kind = FrameKind.REFINEMENT if position is None else FrameKind.DELTA
        design_snr_db = quantise_design_snr(at.snr_db)
        symbols = self._follow_ups.encode(known.face, position, known.agreed, k, float(design_snr_db))
        header = FrameHeader(
            self._codec.codec_id,
            kind,
            at.sequence % SEQUENCE_MODULUS,
            design_snr_db,
            base=known.sequence % BASE_MODULUS,
            base_snr_db=known.met_snr_db % BASE_SNR_MODULUS,
        )
        return Parcel(build_frame(header, symbols, at.profile), header, at.sequence, w_plus, known)


def same_face(one: Latent, other: Latent) -> bool:
    """Whether two latents ``(16, 512)`` are the same but for rounding."""
    return bool(np.allclose(one, other, atol=1e-4))
