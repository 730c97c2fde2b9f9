from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from shared.phy import PROFILES, SOUNDING, Profile, profile_for
from shared.phy.profiles import candidates, zadoff_chu

every = pytest.mark.parametrize("profile", [*PROFILES, SOUNDING], ids=lambda profile: profile.name)


@every
def test_pilots_have_constant_amplitude_and_no_periodic_autocorrelation(profile: Profile) -> None:
    pilots = profile.pilots
    np.testing.assert_allclose(np.abs(pilots), 1, rtol=1e-12)
    for shift in range(1, pilots.size):
        assert abs(np.vdot(pilots, np.roll(pilots, shift))) < 1e-9


def test_odd_lengths_have_them_too() -> None:
    sequence = zadoff_chu(25, 7)
    assert max(abs(np.vdot(sequence, np.roll(sequence, shift))) for shift in range(1, 25)) < 1e-9


def test_no_pilot_sequence_resembles_the_beginning_of_another() -> None:
    for one, other in itertools.combinations((*PROFILES, SOUNDING), 2):
        length = min(one.pilot_count, other.pilot_count)
        coherence = abs(np.vdot(one.pilots[:length], other.pilots[:length])) ** 2 / length**2
        assert coherence < 0.03, (one.name, other.name)


@every
def test_pilot_roots_are_coprime_to_their_length(profile: Profile) -> None:
    assert math.gcd(profile.pilot_root, profile.pilot_count) == 1


@pytest.mark.parametrize(
    ("snr_db", "name"),
    [
        (-math.inf, "robust"), (-5, "robust"), (-2.6, "robust"), (-2.5, "guarded"), (-0.01, "guarded"), (0, "normal"),
        (4.9, "normal"), (6, "short"), (9.9, "short"), (12, "minimal"), (math.inf, "minimal"), (math.nan, "robust"),
    ],
)  # fmt: skip
def test_profile_follows_the_reported_snr(snr_db: float, name: str) -> None:
    assert profile_for(snr_db).name == name


def test_better_channels_cost_less_overhead() -> None:
    overheads = [profile.overhead for profile in PROFILES]
    assert overheads == sorted(overheads, reverse=True)
    assert profile_for(6).overhead <= 60
    assert profile_for(12).overhead <= 34


def test_check_masks_differ_and_none_is_zero() -> None:
    assert len({profile.check_mask for profile in PROFILES} - {0}) == len(PROFILES)


def test_frame_of_a_length_can_only_have_profiles_that_leave_room_for_a_payload() -> None:
    shortest = min(profile.overhead for profile in PROFILES)
    assert candidates(shortest) == ()
    assert [profile.name for profile in candidates(shortest + 1)] == ["minimal"]
    assert candidates(512) == PROFILES
    assert SOUNDING in candidates(64)
    assert SOUNDING not in candidates(65)
