"""What reports say of a link: steady, changed, or fading."""

import numpy as np
import pytest

from shared.phy import LinkOutlook
from transmitter.snr import RECENT, SnrTracker

KNOWN_SYMBOLS = 60
NOISE_DB = 10 / np.log(10) / np.sqrt(KNOWN_SYMBOLS)


def after(reports_db: list[float]) -> LinkOutlook:
    tracker = SnrTracker()
    for measured in reports_db:
        tracker.learn(measured, KNOWN_SYMBOLS)
    assert tracker.outlook is not None
    return tracker.outlook


def noisy(levels_db: list[float], seed: int) -> list[float]:
    return [
        float(level) for level in levels_db + NOISE_DB * np.random.default_rng(seed).standard_normal(len(levels_db))
    ]


def test_before_the_first_report_nothing_is_believed() -> None:
    assert SnrTracker().outlook is None
    assert after([3.0]) == LinkOutlook(3.0)


def test_reports_on_a_steady_link_are_averaged() -> None:
    states = [after(noisy([8.0] * 30, seed)) for seed in range(40)]
    assert all(link.spread_db == 0 for link in states)
    assert np.std([link.snr_db for link in states]) < 0.7 * NOISE_DB


@pytest.mark.parametrize("then_db", [-5.0, 20.0])
def test_a_link_that_changed_is_believed_at_once_and_not_taken_for_fading(then_db: float) -> None:
    link = after(noisy([8.0] * 10 + [then_db], 1))
    assert link.spread_db == 0
    assert link.snr_db == pytest.approx(then_db, abs=4 * NOISE_DB)


def test_a_link_that_is_turned_down_step_by_step_is_followed() -> None:
    levels = [level for level in (20.0, 14.0, 8.0, 2.0) for _ in range(3)]
    assert after(noisy(levels, 2)).snr_db == pytest.approx(2, abs=4 * NOISE_DB)


def test_a_link_that_fades_is_known_by_its_mean_and_spread() -> None:
    told = LinkOutlook.rayleigh(10)
    levels = 10 + 10 * np.log10(np.random.default_rng(3).exponential(size=(60, 2 * RECENT)))
    states = [after(noisy(list(row), seed)) for seed, row in enumerate(levels)]
    fading = [link for link in states if link.spread_db > 0]
    assert len(fading) >= 0.9 * len(states)
    assert np.mean([link.snr_db for link in fading]) == pytest.approx(told.snr_db, abs=1)
    assert np.mean([link.spread_db for link in fading]) == pytest.approx(told.spread_db, abs=1)


def test_after_the_fading_has_ended_the_link_is_steady_again() -> None:
    levels = list(10 * np.log10(np.random.default_rng(4).exponential(size=12)))
    assert after(noisy([*levels, *[5.0] * RECENT], 5)).spread_db == 0
