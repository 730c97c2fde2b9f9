"""All calibrations, long or quick."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from channel_sim.calibration.ber import error_rates
from channel_sim.calibration.check import Check
from channel_sim.calibration.estimator import Estimates, estimator_checks
from channel_sim.calibration.fading import autocorrelation, delay_spreads, envelopes
from channel_sim.calibration.snr import every_model, interference, thermal_noise


def calibrate(found: Iterable[Estimates], *, quick: bool) -> Iterator[Check]:
    """Yields the checks as they are made; seeds are fixed, so that the outcome is always the same.

    Args:
        found: what the SNR estimator said, measured already.
        quick: fewer frames where chance decides the tolerance; a million samples per SNR in either case.
    """
    frames = 500 if quick else 10_000
    yield from thermal_noise(1_000_000)
    yield from every_model(1_000_000, frames)
    yield from interference(1_000_000)
    yield from envelopes(4 * frames)
    yield from autocorrelation(4 * frames)
    yield from delay_spreads(frames // 2)
    yield from error_rates(2 * frames, 200)
    yield from estimator_checks(found)
