"""What is believed of the link's SNR, from one report to the next."""

from __future__ import annotations

import math
from collections import deque

import numpy as np

from shared.phy import LinkOutlook

_DB_PER_NEPER = 10 / math.log(10)

DRIFT_DB2 = 0.05
"""Variance in dB^2 by which a link is taken to wander between two reports."""

SURPRISE = 3.0
"""Standard deviations beyond which a report is taken for a link that has changed, and not for noise."""

RECENT = 8
"""Reports by which a link that fades is told from one that has changed."""


class SnrTracker:
    """The SNR in dB that frames meet: a Kalman filter of one number, which begins anew when the link jumps.

    A report measured on ``N`` known symbols that met a linear ``snr`` has a variance of
    ``(10/ln 10)^2 (1 / (N - 1.5) + 2 / (N snr))`` dB^2, the noise's and the gain's (``docs/conventions.md``): 0.7 dB
    rms for a short frame. Averaged over a conversation the profile is chosen for the link and not for the noise. A link
    that has jumped once is believed where it is; one that has jumped at least twice, and at half of the recent reports,
    fades: it will not be where it was last, but somewhere among them.
    """

    def __init__(self) -> None:
        self._snr_db: float | None = None
        self._variance = math.inf
        self._recent: deque[float] = deque(maxlen=RECENT)
        self._jumps: deque[bool] = deque(maxlen=RECENT)

    @property
    def outlook(self) -> LinkOutlook | None:
        """What is believed now; ``None`` before the first report."""
        if self._snr_db is None:
            return None
        if sum(self._jumps) < max(2, len(self._jumps) / 2):
            return LinkOutlook(self._snr_db)
        return LinkOutlook(float(np.mean(self._recent)), float(np.std(self._recent)))

    def learn(self, measured_db: float, known_symbols: int) -> None:
        """Takes in a report.

        Args:
            measured_db: the SNR that a frame's symbols really had, its fade included.
            known_symbols: on which that was measured.
        """
        self._recent.append(measured_db)
        of_noise, of_gain = 1 / max(known_symbols - 1.5, 0.5), 2 / (known_symbols * 10 ** (measured_db / 10))
        error = _DB_PER_NEPER**2 * (of_noise + of_gain)
        if self._snr_db is None:
            self._snr_db, self._variance = measured_db, error
            return
        prior = self._variance + DRIFT_DB2
        off = measured_db - self._snr_db
        jumped = off**2 > SURPRISE**2 * (prior + error)
        self._jumps.append(jumped)
        if jumped:
            self._snr_db, self._variance = measured_db, error
            return
        gain = prior / (prior + error)
        self._snr_db += gain * off
        self._variance = prior * (1 - gain)
