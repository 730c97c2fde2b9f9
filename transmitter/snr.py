"""What is believed of the link's SNR, from one report to the next."""

from __future__ import annotations

import math

_DB_PER_NEPER = 10 / math.log(10)

DRIFT_DB2 = 0.05
"""Variance in dB^2 by which a link is taken to wander between two reports."""

SURPRISE = 3.0
"""Standard deviations beyond which a report is taken for a link that has changed, and not for noise."""


class SnrTracker:
    """A link's Es/N0 in dB: a Kalman filter of one number, which begins anew when the link jumps.

    A report measured on ``N`` known symbols has a variance of ``(10/ln 10)^2 / (N - 1.5)`` dB^2
    (``docs/conventions.md``): 0.6 dB rms for a short frame. Averaged over a conversation the profile is chosen for the
    link and not for the noise.
    """

    def __init__(self) -> None:
        self.snr_db: float | None = None
        self._variance = math.inf

    def learn(self, measured_db: float, known_symbols: int) -> None:
        """Takes in a report."""
        error = _DB_PER_NEPER**2 / max(known_symbols - 1.5, 0.5)
        if self.snr_db is not None:
            prior = self._variance + DRIFT_DB2
            off = measured_db - self.snr_db
            if off**2 <= SURPRISE**2 * (prior + error):
                gain = prior / (prior + error)
                self.snr_db += gain * off
                self._variance = prior * (1 - gain)
                return
        self.snr_db, self._variance = measured_db, error
