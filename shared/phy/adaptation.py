"""Link adaptation: what a frame is made for, where the link may not be the same from frame to frame."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np

from shared.phy.profiles import PROFILES, Profile, profile_for

PAYLOAD_MARGIN: Final = 0.3
"""Fade margin of a payload, in standard deviations: what it loses in bad frames is more than it gains in good ones."""

LOSS_COST: Final = 4
"""Of two ways to make a frame, one may take 4 % more channel uses if it is lost 1 % less often."""

TYPICAL_PAYLOAD: Final = 400
"""Symbols beside which a profile's overhead counts."""

RAYLEIGH_MEAN_DB: Final = -10 * np.euler_gamma / math.log(10)
RAYLEIGH_SPREAD_DB: Final = 10 / math.log(10) * math.pi / math.sqrt(6)
"""Mean and standard deviation in dB of an exponential power of mean 1: it has a Gumbel distribution."""


@dataclass(frozen=True)
class LinkOutlook:
    """What the next frame will meet, as far as is known.

    Attributes:
        snr_db: instantaneous Es/N0 in dB, fades included, the mean of what frames meet.
        spread_db: its standard deviation from one frame to the next; 0 for a steady link.
    """

    snr_db: float
    spread_db: float = 0.0

    @classmethod
    def rayleigh(cls, snr_db: float) -> Self:
        """A link whose every frame has a Rayleigh gain of its own around a mean Es/N0 of ``snr_db``."""
        return cls(snr_db + RAYLEIGH_MEAN_DB, RAYLEIGH_SPREAD_DB)

    def worse_by(self, db: float) -> Self:
        """The same link with ``db`` less."""
        return replace(self, snr_db=self.snr_db - db)

    def outage(self, least_db: float) -> float:
        """How likely a frame meets less than ``least_db``; fades are skewed as Rayleigh's, whatever their spread."""
        if self.spread_db == 0:
            return float(self.snr_db < least_db)
        deviations = (least_db - self.snr_db) / self.spread_db
        power = math.exp(min((deviations * RAYLEIGH_SPREAD_DB + RAYLEIGH_MEAN_DB) * math.log(10) / 10, 700.0))
        return -math.expm1(-power)

    @property
    def payload_snr_db(self) -> float:
        """What a payload is coded for."""
        return self.snr_db - PAYLOAD_MARGIN * self.spread_db

    @property
    def profile(self) -> Profile:
        """What pilots and header are made for: on a link that fades, for fewer losses than its mean promises."""
        shortest = profile_for(self.snr_db)
        if self.spread_db == 0:
            return shortest
        robust_enough = PROFILES[: PROFILES.index(shortest) + 1]
        return min(robust_enough, key=self._cost)

    def _cost(self, profile: Profile) -> float:
        arrives = max(1 - self.outage(profile.half_lost_db), 1e-9)
        return (TYPICAL_PAYLOAD + profile.overhead) / arrives**LOSS_COST
