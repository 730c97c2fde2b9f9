"""One frame of samples to a latent: pure, synchronous, and without a guess."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np

from shared.codec.codec import SemanticCodec
from shared.codec.followup import FollowUps, Held, Met, agreed_snr_db
from shared.errors import CodecMismatch, InvalidInput
from shared.phy import (
    ChannelUses,
    DataFrame,
    Erasure,
    FrameHeader,
    FrameKind,
    LinkEstimate,
    Samples,
    SoundingFrame,
    receive_frame,
)
from shared.phy.header import BASE_MODULUS, BASE_SNR_MODULUS, SEQUENCE_MODULUS


@dataclass(frozen=True, eq=False)
class StreamFace:
    """The face of a stream, and the frame that brought it or was the last to build on it.

    Attributes:
        held: the face with what is known of it.
        sequence: the frame's number.
    """

    held: Held
    sequence: int
    met_snr_db: int

    def is_base_of(self, header: FrameHeader) -> bool:
        """Whether a frame builds on this very reception: what is left to tell of it depends on what it met."""
        base = self.sequence % BASE_MODULUS, self.met_snr_db % BASE_SNR_MODULUS
        return base == (header.base, header.base_snr_db)


@dataclass(frozen=True, eq=False)
class DecodedFrame:
    """A frame that holds a face, or what makes one of the face before.

    Attributes:
        face: the stream's face from now on.
        estimate: measured on the frame's known symbols.
        uses: the frame's split.
    """

    face: StreamFace
    estimate: LinkEstimate
    uses: ChannelUses


class ErasureReason(Enum):
    """Why nothing of a frame is shown."""

    UNREADABLE = "the link was too bad for it"
    BASE_MISSING = "it builds on a frame that is not held here"
    AMBIGUOUS = "its payload does not say clearly enough what to show"


@dataclass(frozen=True)
class ErasedFrame:
    """A frame of which nothing may be shown.

    Attributes:
        reason: why, for the sender.
        message: why, in a sentence.
        estimate: as far as one could be made.
        uses: the split of the likeliest profile.
    """

    reason: ErasureReason
    message: str
    estimate: LinkEstimate | None
    uses: ChannelUses


def read_frame(
    samples: Samples, sequence: int, codec: SemanticCodec, follow_ups: FollowUps, before: StreamFace | None
) -> DecodedFrame | SoundingFrame | ErasedFrame:
    """Reads ``(n,)`` samples that arrived as frame ``sequence``.

    The header has to name the same sequence (modulo 256): a frame that was delayed, repeated or mixed up on its way is
    an erasure, never a face under another frame's number. A frame that builds on another has to name the very frame
    that the stream's face comes from.

    Args:
        samples: as they arrived.
        sequence: the number they came under.
        codec: of the key frames.
        follow_ups: of the frames after them.
        before: the stream's face so far.

    Raises:
        SampleError: if the samples cannot be a frame at all.
        CodecMismatch: if the frame was made with a codec that this receiver does not have.
    """
    number = sequence % SEQUENCE_MODULUS
    received = receive_frame(samples, number)
    if isinstance(received, SoundingFrame):
        return received
    if isinstance(received, Erasure):
        return ErasedFrame(ErasureReason.UNREADABLE, received.message, received.estimate, received.uses)
    header = received.header
    if header.sequence != number:
        message = f"The header belongs to frame {header.sequence}, not to frame {number}."
        return _erased(received, ErasureReason.UNREADABLE, message)
    if header.codec_id != codec.codec_id:
        raise CodecMismatch(
            f"the frame was made with codec {header.codec_id} and this receiver has codec {codec.codec_id}; "
            "start both ends with the same codec"
        )
    met = Met(received.noise_power, agreed_snr_db(received.estimate.snr_db_instantaneous))
    if header.kind is FrameKind.KEY:
        held = _key(received, met, codec, follow_ups)
    elif before is None or not before.is_base_of(header):
        holds = "no face" if before is None else f"the face of frame {before.sequence} at {before.met_snr_db} dB"
        base = f"a frame {header.base} modulo {BASE_MODULUS} at {header.base_snr_db} dB modulo {BASE_SNR_MODULUS}"
        message = f"The frame builds on {base} and {holds} is held here; a key frame repairs that."
        return _erased(received, ErasureReason.BASE_MISSING, message)
    else:
        held = _follow_up(received, met, follow_ups, before.held)
    if held is None or not np.all(np.isfinite(held.w_plus)):
        return _erased(received, ErasureReason.AMBIGUOUS, "The payload does not say clearly enough what to show.")
    return DecodedFrame(StreamFace(held, sequence, met.snr_db), received.estimate, received.uses)


def _key(received: DataFrame, met: Met, codec: SemanticCodec, follow_ups: FollowUps) -> Held | None:
    design_snr_db = float(received.header.design_snr_db)
    w_plus = codec.decode(received.payload, design_snr_db, received.noise_power).w_plus
    if not np.all(np.isfinite(w_plus)):
        return None
    return follow_ups.hold(w_plus, len(received.payload), design_snr_db, met)


def _follow_up(received: DataFrame, met: Met, follow_ups: FollowUps, held: Held) -> Held | None:
    design_snr_db, changes = float(received.header.design_snr_db), received.header.kind is FrameKind.DELTA
    try:
        return follow_ups.follow(held, received.payload, design_snr_db, met, changes=changes)
    except InvalidInput:
        return None  # a payload too short to be what the header calls it


def _erased(received: DataFrame, reason: ErasureReason, message: str) -> ErasedFrame:
    return ErasedFrame(reason, message, received.estimate, received.uses)
