"""The air interface of one frame: pilots, header, payload, and what a receiver can tell from them. Needs numpy only."""

from __future__ import annotations

from shared.phy.adaptation import LinkOutlook
from shared.phy.cf32 import MAX_SAMPLES, Samples, from_bytes, to_bytes
from shared.phy.estimate import LinkEstimate
from shared.phy.frame import Frame, build_frame, build_sounding
from shared.phy.header import FrameHeader, FrameKind, quantise_design_snr
from shared.phy.profiles import PROFILES, SOUNDING, Profile, profile_for
from shared.phy.receive import DataFrame, Erasure, ReceivedFrame, SoundingFrame, receive_frame
from shared.phy.uses import ChannelUses, source_dimensions

__all__ = [
    "MAX_SAMPLES",
    "PROFILES",
    "SOUNDING",
    "ChannelUses",
    "DataFrame",
    "Erasure",
    "Frame",
    "FrameHeader",
    "FrameKind",
    "LinkEstimate",
    "LinkOutlook",
    "Profile",
    "ReceivedFrame",
    "Samples",
    "SoundingFrame",
    "build_frame",
    "build_sounding",
    "from_bytes",
    "profile_for",
    "quantise_design_snr",
    "receive_frame",
    "source_dimensions",
    "to_bytes",
]
