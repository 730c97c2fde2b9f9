"""Link adaptation: the SNR that a frame is made for, where the link may not be the same from frame to frame."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Self

PAYLOAD_MARGIN: Final = 0.3
"""Fade margin of the payload's power and folds, in standard deviations: a little less is lost in bad frames than gained
in good ones."""

FRAMING_MARGIN: Final = 1.0
"""The same of pilots and header. Without them the whole frame is lost, so they are made for worse."""

RAYLEIGH_MEAN_DB: Final = -10 * 0.5772156649015329 / math.log(10)
RAYLEIGH_SPREAD_DB: Final = 10 / math.log(10) * math.pi / math.sqrt(6)
"""Mean and standard deviation of a unit exponential power in dB: that of a log-exponential (Gumbel) variable."""


@dataclass(frozen=True)
class LinkOutlook:
    """What the next frame will meet, as far as is known.

    Attributes:
        snr_db: Es/N0 in dB, the mean of what frames meet.
        spread_db: its standard deviation from one frame to the next; 0 for a steady link.
    """

    snr_db: float
    spread_db: float = 0.0

    @classmethod
    def rayleigh(cls, snr_db: float) -> Self:
        """A link whose every frame has a Rayleigh gain of its own around a mean Es/N0 of ``snr_db``."""
        return cls(snr_db + RAYLEIGH_MEAN_DB, RAYLEIGH_SPREAD_DB)

    @property
    def payload_snr_db(self) -> float:
        """What a payload is coded for."""
        return self.snr_db - PAYLOAD_MARGIN * self.spread_db

    @property
    def framing_snr_db(self) -> float:
        """What pilots and header are chosen for."""
        return self.snr_db - FRAMING_MARGIN * self.spread_db
