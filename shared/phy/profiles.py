"""Frame profiles: how much of a frame is spent on pilots and on the header, from robust to short.

The transmitter chooses by the SNR that was reported back; the receiver is not told. Each profile has a pilot sequence
of its own, so the choice is heard in the pilots themselves (:mod:`shared.phy.receive`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.phy.uses import ChannelUses


@dataclass(frozen=True)
class Profile:
    """One split of a frame.

    Attributes:
        name: for people and logs.
        pilot_count: pilots in front, symbols.
        pilot_root: root of their Zadoff-Chu sequence, coprime to ``pilot_count``.
        header_count: QPSK symbols of the header after the pilots; 0 in a sounding frame.
        check_mask: added to the header's CRC: a header read under another profile fails, and so does an all-zero one.
        min_snr_db: where the profile begins to be chosen.
        half_lost_db: where one header in two is lost.
    """

    name: str
    pilot_count: int
    pilot_root: int
    header_count: int
    check_mask: int
    min_snr_db: float
    half_lost_db: float

    @property
    def overhead(self) -> int:
        """Symbols that carry no payload."""
        return self.pilot_count + self.header_count

    @property
    def pilots(self) -> NDArray[np.complex128]:
        """The pilot sequence ``(pilot_count,)``, every sample of magnitude 1."""
        return zadoff_chu(self.pilot_count, self.pilot_root)

    def uses(self, sample_count: int) -> ChannelUses:
        """Splits a frame of ``sample_count`` samples."""
        return ChannelUses(k_payload=sample_count - self.overhead, k_header=self.header_count, k_pilot=self.pilot_count)


# Lengths: measured (``python -m shared.phy.measure``) so that the header's frame error rate is below 1e-3 from -5 dB on
# in the robust profile, and a little before ``min_snr_db`` in the others: a reported SNR may be wrong by its own error.
# Pilots and header together are what the SNR is estimated on; their number also sets how wrong that is.
# Roots: found by search, so that no sequence matches the beginning of another by more than 3 % of its energy.
ROBUST: Final = Profile("robust", 66, 61, 240, 0x5A3C, -np.inf, -9.4)
GUARDED: Final = Profile("guarded", 43, 6, 128, 0x93CA, -2.5, -6.9)
NORMAL: Final = Profile("normal", 31, 12, 74, 0xC693, 0.0, -4.2)
SHORT: Final = Profile("short", 15, 4, 29, 0x39A6, 5.0, 0.6)
MINIMAL: Final = Profile("minimal", 9, 8, 20, 0xA56C, 10.0, 3.8)

#: Profiles that carry data, the most robust first.
PROFILES: Final = (ROBUST, GUARDED, NORMAL, SHORT, MINIMAL)

#: Pilots only: sent to be measured before anything is known of the channel. No header, no payload.
SOUNDING: Final = Profile("sounding", 64, 33, 0, 0, -np.inf, -np.inf)


def profile_for(snr_db: float) -> Profile:
    """The shortest profile whose header still arrives (frame error rate below 1e-3) at ``snr_db``."""
    return next((profile for profile in reversed(PROFILES) if snr_db >= profile.min_snr_db), ROBUST)


def candidates(sample_count: int) -> tuple[Profile, ...]:
    """Profiles that a frame of ``sample_count`` samples can have; empty if it is too short for any."""
    data = tuple(profile for profile in PROFILES if sample_count > profile.overhead)
    return (*data, SOUNDING) if sample_count == SOUNDING.overhead else data


@cache
def zadoff_chu(length: int, root: int) -> NDArray[np.complex128]:
    """Constant amplitude, zero periodic autocorrelation; shape ``(length,)`` (Chu 1972; TS 36.211 section 5.5.1).

    ``x[m] = exp(-j pi root m (m + length mod 2) / length)``.
    """
    index = np.arange(length)
    # The exponent repeats every 2 length; reducing it in integers keeps the phase exact.
    turns = root * index * (index + length % 2) % (2 * length)
    sequence: NDArray[np.complex128] = np.exp(-1j * np.pi * turns / length)
    sequence.flags.writeable = False
    return sequence
