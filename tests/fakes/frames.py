"""Frames as a transmitter would send them, for tests of what receives them."""

from __future__ import annotations

from protos.link_pb2 import Frame
from shared.phy import FrameHeader, FrameKind, build_frame, build_sounding, profile_for, quantise_design_snr, to_bytes
from tests.fakes.codec import PhaseCodec
from tests.fakes.face import latent_of

DEGREES = [0.0, 1.0, 2.0, 3.0, 4.0]


def face_frame(
    sequence: int,
    degrees: list[float] = DEGREES,
    *,
    header_sequence: int | None = None,
    codec_id: int = 7,
    kind: FrameKind = FrameKind.KEY,
    snr_db: float = 12.0,
    k_payload: int = 100,
) -> Frame:
    """A noiseless frame of a face that shows ``degrees``."""
    named = sequence if header_sequence is None else header_sequence
    header = FrameHeader(codec_id, kind, named % 256, quantise_design_snr(snr_db))
    symbols = PhaseCodec().encode(latent_of(degrees), k_payload, snr_db)
    return wire_frame(sequence, build_frame(header, symbols, profile_for(snr_db)).samples)


def sounding_frame(sequence: int) -> Frame:
    """Pilots only."""
    return wire_frame(sequence, build_sounding().samples)


def wire_frame(sequence: int, samples) -> Frame:  # type: ignore[no-untyped-def]
    """``(n,)`` samples under a sequence number."""
    return Frame(sequence=sequence, sample_count=len(samples), samples=to_bytes(samples))
