"""Frames as a transmitter would send them, for tests of what receives them."""

from __future__ import annotations

import numpy as np

from protos.link_pb2 import Frame
from shared.phy import FrameHeader, FrameKind, build_frame, build_sounding, profile_for, quantise_design_snr, to_bytes
from tests.fakes.codec import PhaseCodec
from tests.fakes.face import latent_of
from tests.fakes.followup import PhaseFollowUps

NOISELESS = 60  # as both ends take a frame that met no noise

DEGREES = [0.0, 1.0, 2.0, 3.0, 4.0]


def face_frame(
    sequence: int,
    degrees: list[float] = DEGREES,
    *,
    header_sequence: int | None = None,
    codec_id: int = 7,
    snr_db: float = 12.0,
    k_payload: int = 100,
) -> Frame:
    """A noiseless key frame of a face that shows ``degrees``."""
    named = sequence if header_sequence is None else header_sequence
    header = FrameHeader(codec_id, FrameKind.KEY, named % 256, quantise_design_snr(snr_db))
    symbols = PhaseCodec().encode(latent_of(degrees), k_payload, snr_db)
    return wire_frame(sequence, build_frame(header, symbols, profile_for(snr_db)).samples)


def follow_up_frame(
    sequence: int,
    base: int,
    change: list[float] | None,
    *,
    base_snr_db: int = NOISELESS,
    header_sequence: int | None = None,
    k_payload: int = 100,
) -> Frame:
    """A noiseless frame that builds on frame ``base``: a delta by ``change`` degrees, or without one a refinement.

    The frame before met ``base_snr_db``.
    """
    named = sequence if header_sequence is None else header_sequence
    kind = FrameKind.REFINEMENT if change is None else FrameKind.DELTA
    position = None if change is None else np.array(change)
    symbols = PhaseFollowUps().encode(latent_of(DEGREES), position, np.ones(1), k_payload, 12.0)
    header = FrameHeader(7, kind, named % 256, 12, base=base % 64, base_snr_db=base_snr_db % 16)
    return wire_frame(sequence, build_frame(header, symbols, profile_for(12.0)).samples)


def sounding_frame(sequence: int) -> Frame:
    """Pilots only."""
    return wire_frame(sequence, build_sounding().samples)


def wire_frame(sequence: int, samples) -> Frame:  # type: ignore[no-untyped-def]
    """``(n,)`` samples under a sequence number."""
    return Frame(sequence=sequence, sample_count=len(samples), samples=to_bytes(samples))
