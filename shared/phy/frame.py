"""Building a frame: ``[pilots | header | payload]``, each part of unit mean power, and so the whole.

The payload's own scale is divided out and told to nobody; a codec must not need it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.errors import SampleError
from shared.phy.cf32 import Samples, check_samples
from shared.phy.header import FrameHeader, encode_header
from shared.phy.profiles import SOUNDING, Profile
from shared.phy.uses import ChannelUses


@dataclass(frozen=True, eq=False)
class Frame:
    """Samples ready for the air.

    Attributes:
        samples: shape ``(uses.k_total,)``, mean power 1.
        uses: how they are split.
    """

    samples: Samples
    uses: ChannelUses


def build_frame(header: FrameHeader, payload: NDArray[np.complexfloating], profile: Profile) -> Frame:
    """Frames ``payload`` ``(k,)`` of any scale.

    Raises:
        SampleError: if the payload is empty, all zero or not finite.
    """
    check_samples(payload)
    parts = [profile.pilots, encode_header(header, profile), _normalise(payload.astype(np.complex128))]
    samples = np.concatenate(parts).astype(np.complex64)
    return Frame(samples=samples, uses=profile.uses(samples.size))


def build_sounding() -> Frame:
    """A frame of pilots only, to measure a channel before anything is known of it."""
    samples = SOUNDING.pilots.astype(np.complex64)
    return Frame(samples=samples, uses=SOUNDING.uses(samples.size))


def _normalise(payload: NDArray[np.complex128]) -> NDArray[np.complex128]:
    """Scales to mean power 1; the peak is divided out first, so that no square overflows or vanishes."""
    peak = np.max(np.abs(payload))
    if peak == 0:
        raise SampleError("The payload is all zeros: it has no power to be scaled to 1.")
    relative = payload / peak
    scaled: NDArray[np.complex128] = relative / np.sqrt(np.mean(np.abs(relative) ** 2))
    return scaled
