"""Frames for links that fade are made for less than the mean."""

import numpy as np
import pytest

from shared.phy import PROFILES, LinkOutlook, build_frame, profile_for, receive_frame
from shared.phy.header import FrameHeader, FrameKind
from shared.phy.receive import DataFrame
from tests.phy.air import cross


def test_a_steady_link_is_made_for_as_it_is() -> None:
    for snr_db in (-7.0, 1.0, 7.5, 30.0):
        link = LinkOutlook(snr_db)
        assert link.payload_snr_db == snr_db
        assert link.profile is profile_for(snr_db)
        assert (link.outage(snr_db), link.outage(snr_db + 0.1)) == (0, 1)


def test_the_more_a_link_fades_the_less_is_counted_on() -> None:
    spreads = [LinkOutlook(10, spread_db) for spread_db in (0.0, 2.0, 6.0, 10.0)]
    payloads = [link.payload_snr_db for link in spreads]
    headers = [link.profile.header_count for link in spreads]
    assert payloads == sorted(payloads, reverse=True)
    assert headers == sorted(headers)
    assert headers[-1] > headers[0]


def test_a_better_link_has_no_more_overhead_and_a_worse_one_no_less() -> None:
    overheads = [LinkOutlook.rayleigh(snr_db).profile.overhead for snr_db in np.arange(-12, 34, 0.5)]
    assert overheads == sorted(overheads, reverse=True)
    assert LinkOutlook.rayleigh(12).worse_by(20).profile is PROFILES[0]


def test_a_rayleigh_link_has_the_mean_the_spread_and_the_outage_of_its_power() -> None:
    power_db = 10 * np.log10(np.random.default_rng(1).exponential(size=200_000)) + 6
    link = LinkOutlook.rayleigh(6)
    assert link.snr_db == pytest.approx(power_db.mean(), abs=0.05)
    assert link.spread_db == pytest.approx(power_db.std(), abs=0.05)
    for least_db in (-6.0, 0.0, 6.0):
        assert link.outage(least_db) == pytest.approx((power_db < least_db).mean(), abs=0.005)
    assert link.outage(1e6) == 1


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_half_of_the_headers_are_lost_where_the_profile_says(profile) -> None:
    rng = np.random.default_rng(5)
    header, payload = FrameHeader(1, FrameKind.KEY, 1, 6), np.ones(100, np.complex64)
    frame = build_frame(header, payload, profile).samples
    arrived = [isinstance(receive_frame(cross(frame, profile.half_lost_db, rng)), DataFrame) for _ in range(160)]
    assert np.mean(arrived) == pytest.approx(0.5, abs=0.15)
