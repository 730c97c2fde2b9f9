"""Frames for links that fade are made for less than the mean."""

import numpy as np
import pytest

from shared.phy import LinkOutlook, profile_for


def test_a_steady_link_is_made_for_as_it_is() -> None:
    link = LinkOutlook(7.5)
    assert link.payload_snr_db == link.framing_snr_db == 7.5


def test_the_more_a_link_fades_the_less_is_counted_on_and_least_for_the_header() -> None:
    calm, wild = LinkOutlook(10, 2), LinkOutlook(10, 6)
    assert wild.payload_snr_db < calm.payload_snr_db < 10
    assert wild.framing_snr_db < wild.payload_snr_db
    assert profile_for(wild.framing_snr_db).header_count > profile_for(10).header_count


def test_a_rayleigh_link_has_the_mean_and_the_spread_of_its_power_in_db() -> None:
    power_db = 10 * np.log10(np.random.default_rng(1).exponential(size=200_000)) + 6
    link = LinkOutlook.rayleigh(6)
    assert link.snr_db == pytest.approx(power_db.mean(), abs=0.05)
    assert link.spread_db == pytest.approx(power_db.std(), abs=0.05)
