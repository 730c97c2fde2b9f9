"""One frame of samples to a latent: pure, synchronous, and without a guess."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from shared.codec.codec import Latent, SemanticCodec
from shared.errors import CodecMismatch
from shared.phy import ChannelUses, Erasure, FrameKind, LinkEstimate, Samples, SoundingFrame, receive_frame
from shared.phy.header import SEQUENCE_MODULUS


@dataclass(frozen=True, eq=False)
class DecodedFrame:
    """A frame that holds a face.

    Attributes:
        w_plus: the decoded latent, shape ``(16, 512)``.
        estimate: measured on the frame's known symbols.
        uses: the frame's split.
    """

    w_plus: Latent
    estimate: LinkEstimate
    uses: ChannelUses


def read_frame(samples: Samples, sequence: int, codec: SemanticCodec) -> DecodedFrame | SoundingFrame | Erasure:
    """Reads ``(n,)`` samples that arrived as frame ``sequence``.

    The header has to name the same sequence (modulo 256): a frame that was delayed, repeated or mixed up on its way is
    an erasure, never a face under another frame's number.

    Raises:
        SampleError: if the samples cannot be a frame at all.
        CodecMismatch: if the frame was made with a codec that this receiver does not have.
    """
    received = receive_frame(samples)
    if isinstance(received, SoundingFrame | Erasure):
        return received
    header = received.header
    if header.sequence != sequence % SEQUENCE_MODULUS:
        message = f"The header belongs to frame {header.sequence}, not to frame {sequence % SEQUENCE_MODULUS}."
        return Erasure(message, received.estimate, received.uses)
    if header.codec_id != codec.codec_id:
        raise CodecMismatch(
            f"the frame was made with codec {header.codec_id} and this receiver has codec {codec.codec_id}; "
            "start both ends with the same codec"
        )
    if header.kind is not FrameKind.KEY:
        message = f"This receiver decodes whole faces, and the frame holds a {header.kind.name.lower()}."
        return Erasure(message, received.estimate, received.uses)
    decoded = codec.decode(received.payload, float(header.design_snr_db), received.noise_power)
    if not np.all(np.isfinite(decoded.w_plus)):
        return Erasure("The payload decodes to nothing finite.", received.estimate, received.uses)
    return DecodedFrame(decoded.w_plus, received.estimate, received.uses)
