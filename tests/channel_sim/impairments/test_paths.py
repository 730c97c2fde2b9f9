"""Delays, tapped delay lines and the 3GPP profiles against what they are defined to be."""

import numpy as np
import pytest

from channel_sim.delay_line import delayed, interpolation
from channel_sim.impairments.taps import Taps
from channel_sim.impairments.tdl import PROFILES, Tdl
from tests.channel_sim.bench import unit_frame
from tests.channel_sim.places import at


@pytest.mark.parametrize("delay_samples", [0.0, 0.25, 0.5, 0.999, 3.0, 7.3])
def test_delay_by_a_fraction_turns_a_wave_by_that_fraction(delay_samples: float) -> None:
    frequency = 0.11
    wave = np.exp(2j * np.pi * frequency * np.arange(200)).astype(np.complex64)
    expected = wave * np.exp(-2j * np.pi * frequency * delay_samples)
    assert np.max(np.abs(delayed(wave, delay_samples) - expected)[20:-20]) < 0.02


def test_interpolation_error_is_below_minus_45_db_up_to_0_8_of_the_band() -> None:
    frequencies = np.linspace(-0.4, 0.4, 161)
    for fraction in (0.1, 0.25, 0.5, 0.77):
        coefficients = interpolation(fraction)
        response = np.exp(-2j * np.pi * np.outer(frequencies, np.arange(-15, 17))) @ coefficients
        ideal = np.exp(-2j * np.pi * frequencies * fraction)
        assert 20 * np.log10(np.max(np.abs(response - ideal))) < -45


def test_path_between_two_samples_has_the_power_of_its_gain() -> None:
    frame = unit_frame(50_000)
    for delay_us in (0.0, 0.25, 0.5, 2.7):
        received = Taps(delays_us=(delay_us,), powers_db=(0.0,), fixed=True).apply(frame, at())
        assert np.mean(np.abs(received) ** 2) == pytest.approx(1.0, abs=0.01)


def test_whole_delay_is_exact_with_silence_before_and_the_end_cut_off() -> None:
    frame = unit_frame(10)
    assert np.array_equal(delayed(frame, 0.0), frame)
    assert np.array_equal(delayed(frame, 3.0), np.concatenate([np.zeros(3, np.complex64), frame[:7]]))
    assert not delayed(frame, 12.0).any()


def test_fixed_taps_are_the_convolution_with_their_amplitudes() -> None:
    frame = unit_frame(500)
    model = Taps(delays_us=(0.0, 2.0, 5.0), powers_db=(0.0, -3.0, -6.0), fixed=True)
    amplitudes = np.sqrt(10 ** (np.array([0.0, -3.0, -6.0]) / 10))
    response = np.zeros(6)
    response[[0, 2, 5]] = amplitudes / np.sqrt(np.sum(amplitudes**2))
    assert np.allclose(model.apply(frame, at()), np.convolve(frame, response)[:500], atol=1e-5)


def test_taps_fade_independently_with_their_shares_of_the_power() -> None:
    impulse = np.zeros(8, np.complex64)
    impulse[0] = 1
    model = Taps(delays_us=(0.0, 4.0), powers_db=(0.0, -6.0))
    received = np.array([model.apply(impulse, at(sequence)) for sequence in range(1, 3001)])
    powers = np.mean(np.abs(received) ** 2, axis=0)
    share = 1 / (1 + 10**-0.6)
    assert powers[[0, 4]] == pytest.approx([share, 1 - share], rel=0.08)
    assert abs(np.mean(received[:, 0] * received[:, 4].conj())) < 0.03


@pytest.mark.parametrize(("profile", "paths"), [("A", 23), ("B", 23), ("C", 24), ("D", 14), ("E", 15)])
def test_profile_has_the_standards_unit_delay_spread(profile: str, paths: int) -> None:
    delays, powers_db = np.array(PROFILES[profile]).T
    powers = 10 ** (powers_db / 10)
    mean = np.sum(powers * delays) / np.sum(powers)
    spread = np.sqrt(np.sum(powers * (delays - mean) ** 2) / np.sum(powers))
    assert len(PROFILES[profile]) == paths
    assert spread == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(("profile", "k_db"), [("D", 13.3), ("E", 22.0)])
def test_line_of_sight_profiles_have_the_standards_k_factor_on_their_first_path(profile: str, k_db: float) -> None:
    (_, seen_db), (_, scattered_db) = PROFILES[profile][:2]
    assert seen_db - scattered_db == pytest.approx(k_db, abs=0.01)


@pytest.mark.parametrize(("profile", "spread"), [("A", 1.0), ("D", 0.089), ("E", 0.0125)])
def test_first_path_fades_by_rayleigh_or_by_the_profiles_k_factor(profile: str, spread: float) -> None:
    model = Tdl.model_validate({"profile": profile, "delay_spread_ns": 1000.0})
    impulse = np.zeros(16, np.complex64)
    impulse[0] = 1
    # At a gigahertz the next path comes 35 samples later or more.
    power = np.array([abs(model.apply(impulse, at(sequence, rate_hz=1e9))[0]) ** 2 for sequence in range(1, 501)])
    # The variance of |h|^2 over its mean squared is (2K + 1) / (K + 1)^2.
    assert power.var() / power.mean() ** 2 == pytest.approx(spread, rel=0.35)


@pytest.mark.parametrize("profile", ["A", "D"])
def test_measured_delay_spread_is_the_one_asked_for(profile: str) -> None:
    model = Tdl.model_validate({"profile": profile, "delay_spread_ns": 1000.0})
    impulse = np.zeros(400, np.complex64)
    impulse[20] = 1
    power = np.zeros(400)
    for sequence in range(1, 401):
        power += np.abs(model.apply(impulse, at(sequence, rate_hz=2e7))) ** 2
    delays = (np.arange(400) - 20) / 2e7
    mean = np.sum(power * delays) / np.sum(power)
    spread = np.sqrt(np.sum(power * (delays - mean) ** 2) / np.sum(power))
    assert spread == pytest.approx(1e-6, rel=0.12)


def test_no_delay_spread_is_flat_fading() -> None:
    frame = unit_frame(200)
    gain = Tdl(profile="B", delay_spread_ns=0.0).apply(frame, at()) / frame
    assert np.allclose(gain, gain[0], atol=1e-4)
