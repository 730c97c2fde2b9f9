"""Receiving a frame: which profile, which channel, which header, and the payload as its decoder wants it.

1. Every profile that fits the length is tried on the first samples by matched filter; the best one is taken.
2. Its pilots give a first channel estimate, which sets the phase for the header.
3. A header that passes its check is coded again: its symbols are then known too, and channel and noise are estimated
   anew on pilots and header together. One that fails is an erasure, and nothing about the payload is guessed.
4. The payload is divided by the gain, and the noise that this leaves is stated.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.errors import SampleError
from shared.phy.cf32 import Samples, check_samples
from shared.phy.estimate import ChannelEstimate, LinkEstimate, estimate_channel
from shared.phy.header import FrameHeader, decode_header, encode_header
from shared.phy.profiles import PROFILES, SOUNDING, Profile, candidates
from shared.phy.uses import ChannelUses


@dataclass(frozen=True, eq=False)
class DataFrame:
    """A frame whose header passed its check.

    Attributes:
        header: as sent.
        payload: equalised symbols ``(uses.k_payload,)``: what was sent, at unit mean power, plus noise.
        noise_power: variance of that noise per complex symbol, linear.
        estimate: measured on pilots and header.
        uses: the frame's split.
    """

    header: FrameHeader
    payload: Samples
    noise_power: float
    estimate: LinkEstimate
    uses: ChannelUses


@dataclass(frozen=True)
class SoundingFrame:
    """A frame of pilots only.

    Attributes:
        estimate: measured on them.
        uses: all of them pilots.
    """

    estimate: LinkEstimate
    uses: ChannelUses


@dataclass(frozen=True)
class Erasure:
    """A frame of which nothing may be shown.

    Attributes:
        message: why, in a sentence.
        estimate: measured on the pilots of the likeliest profile; None if there was no signal at all.
        uses: the split of that profile. Only the total is certain.
    """

    message: str
    estimate: LinkEstimate | None
    uses: ChannelUses


ReceivedFrame = DataFrame | SoundingFrame | Erasure
"""What became of a frame; tell them apart with ``isinstance`` or ``match``."""


def receive_frame(samples: Samples, sequence: int = 0) -> ReceivedFrame:
    """Reads one frame of samples ``(n,)``, complete and in time, through a channel that is flat and constant over it.

    Args:
        samples: as they arrived.
        sequence: 0..255, the number modulo 256 under which they came; a frame that builds on another is read only under
            its own.

    Raises:
        SampleError: if a sample is not finite, or the frame is too short to be one.
    """
    check_samples(samples)
    received = samples.astype(np.complex128)
    profile = detect_profile(received)
    uses = profile.uses(received.size)
    pilots, header_end = profile.pilots, profile.overhead
    first = estimate_channel(received[: pilots.size], pilots)
    if first is None:
        return Erasure("No signal: the frame's pilots hold no power.", None, uses)
    if profile is SOUNDING:
        return SoundingFrame(first.link, uses)
    header = decode_header(received[pilots.size : header_end] * np.conj(first.gain), profile, sequence)
    if header is None:
        return Erasure("The header failed its check.", first.link, uses)
    known = np.concatenate([pilots, encode_header(header, profile)])
    final = estimate_channel(received[:header_end], known)
    payload = None if final is None else _equalise(received[header_end:], final)
    if final is None or payload is None:
        return Erasure("The payload is out of all proportion to the pilots.", first.link, uses)
    return DataFrame(header, payload, final.equalised_noise_power, final.link, uses)


def detect_profile(received: NDArray[np.complex128]) -> Profile:
    """The likeliest profile of a frame ``(n,)``, of those that its length allows.

    The matched filter's coherence ``c = |<p, y>|^2 / (N |y|^2)`` lies in 0..1, and white Gaussian noise alone exceeds
    it with probability ``(1 - c)^(N - 1)`` whatever its power: one measure for pilots of every length. The profile
    least likely to be chance wins.

    Raises:
        SampleError: if the frame is too short for any profile.
    """
    fitting = candidates(received.size)
    if not fitting:
        shortest = min(profile.overhead for profile in PROFILES) + 1
        raise SampleError(f"A frame has at least {shortest} samples, and this one has {received.size}.")
    return max(fitting, key=lambda profile: _surprise(received[: profile.pilot_count], profile.pilots))


def _surprise(received: NDArray[np.complex128], pilots: NDArray[np.complex128]) -> float:
    """Minus the logarithm of the probability that noise alone matches ``pilots`` as well as ``received`` does."""
    energy = float(np.sum(np.abs(received) ** 2))
    if energy == 0:
        return 0.0
    coherence = abs(np.vdot(pilots, received)) ** 2 / (pilots.size * energy)
    # Kept off 1, where a noiseless frame would make every profile's surprise infinite or undefined.
    return -(pilots.size - 1) * math.log(max(1 - coherence, np.finfo(np.float32).eps))


def _equalise(received: NDArray[np.complex128], channel: ChannelEstimate) -> Samples | None:
    """Payload divided by the gain; None if it does not fit into float32, which no radio's frame would do."""
    equalised = received / channel.gain
    if np.max(np.abs(equalised)) > np.finfo(np.float32).max:
        return None
    return equalised.astype(np.complex64)
