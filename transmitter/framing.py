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
from shared.phy.header import SEQUENCE_MODULUS
from transmitter.symbols import SymbolBudget


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
        design: variances that the frames since then have left.
        sequence: the last of those frames.
        key_uses: channel uses of the key frame.
    """

    face: Latent
    shown: Latent
    design: Variances
    sequence: int
    key_uses: int


@dataclass(frozen=True, eq=False)
class Parcel:
    """A frame ready to be sent.

    Attributes:
        frame: its samples.
        kind: what its payload is.
        expected_nmse_db: error of the face's latent that the codec expects at the link's SNR.
        known: what the receiver holds once it has decoded it.
    """

    frame: Frame
    kind: FrameKind
    expected_nmse_db: float
    known: Known


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
        k = budget.payload(at.snr_db, at.profile, at.spent)
        symbols = self._codec.encode(w_plus, k, float(design_snr_db))
        expected = self._codec.decode(symbols, float(design_snr_db), 10 ** (-at.snr_db / 10)).expected_nmse_db
        header = FrameHeader(self._codec.codec_id, FrameKind.KEY, at.sequence % SEQUENCE_MODULUS, design_snr_db)
        frame = build_frame(header, symbols, at.profile)
        design = self._follow_ups.after_key(k, float(design_snr_db))
        return Parcel(frame, FrameKind.KEY, expected, Known(w_plus, w_plus, design, at.sequence, frame.uses.k_total))

    def delta(self, w_plus: Latent, known: Known, budget: SymbolBudget, at: Conditions) -> Parcel | None:
        """A frame that makes ``w_plus`` of the face that is held; ``None`` where a key frame has to bring it.

        That is so for a change that no edit makes, and on a link where telling a change is no cheaper than the face.
        """
        position = self._follow_ups.locate(w_plus - known.face)
        least = self._follow_ups.symbols_for_change(quantise_design_snr(at.snr_db))
        k = budget.follow_up(known.key_uses, at.profile, least)
        if position is None or k < least or k + at.profile.overhead > known.key_uses:
            return None
        return self._follow_up(w_plus, known, position, k, at)

    def refinement(self, known: Known, budget: SymbolBudget, at: Conditions) -> Parcel:
        """A frame that tells more about the face that is held.

        Raises:
            InvalidInput: if none of the budget is left for a payload.
        """
        k = budget.payload(at.snr_db, at.profile, 0)
        return self._follow_up(known.shown, known, None, k, at)

    def _follow_up(self, w_plus: Latent, known: Known, position: Position | None, k: int, at: Conditions) -> Parcel:
        kind = FrameKind.REFINEMENT if position is None else FrameKind.DELTA
        design_snr_db = quantise_design_snr(at.snr_db)
        symbols = self._follow_ups.encode(known.face, position, known.design, k, float(design_snr_db))
        header = FrameHeader(
            self._codec.codec_id,
            kind,
            at.sequence % SEQUENCE_MODULUS,
            design_snr_db,
            base=known.sequence % SEQUENCE_MODULUS,
        )
        design = self._follow_ups.after(known.design, k, float(design_snr_db), changes=position is not None)
        then = Known(known.face, w_plus, design, at.sequence, known.key_uses)
        expected = self._follow_ups.expected_nmse_db(design)
        return Parcel(build_frame(header, symbols, at.profile), kind, expected, then)


def same_face(one: Latent, other: Latent) -> bool:
    """Whether two latents ``(16, 512)`` are the same but for rounding."""
    return bool(np.allclose(one, other, atol=1e-4))
