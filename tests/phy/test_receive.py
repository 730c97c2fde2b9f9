from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import SampleError
from shared.phy import (
    PROFILES,
    SOUNDING,
    DataFrame,
    Erasure,
    FrameHeader,
    Profile,
    SoundingFrame,
    build_frame,
    build_sounding,
    profile_for,
    receive_frame,
)
from shared.phy.profiles import GUARDED, MINIMAL, NORMAL, ROBUST, SHORT
from shared.phy.receive import detect_profile
from tests.phy.air import cross, gaussian, rayleigh_gain
from tests.phy.test_header import HEADER, headers, profiles


def _label(value: object) -> str:
    return value.name if isinstance(value, Profile) else str(value)


every = pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)


@settings(max_examples=60, deadline=None)
@given(headers, profiles, st.integers(1, 600), st.integers(0, 2**32 - 1))
def test_round_trip_at_high_snr_with_any_phase(header: FrameHeader, profile: Profile, count: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    payload = gaussian(count, rng)
    frame = build_frame(header, payload, profile)
    gain = 0.7 * np.exp(2j * np.pi * rng.random())
    received = receive_frame(cross(frame.samples, 35, rng, gain), header.sequence)
    assert isinstance(received, DataFrame)
    assert received.header == header
    assert received.uses == frame.uses
    assert received.payload.dtype == np.complex64
    np.testing.assert_allclose(received.payload, frame.samples[profile.overhead :], atol=0.3)
    assert received.estimate.gain_db == pytest.approx(20 * np.log10(0.7), abs=0.3)
    assert received.estimate.snr_db_instantaneous == pytest.approx(35 + 20 * np.log10(0.7), abs=6)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 2 * np.pi), st.sampled_from([0.0, 6.0, 12.0]), st.integers(0, 2**32 - 1))
def test_turning_every_sample_changes_nothing_but_the_rounding(angle: float, snr_db: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    samples = cross(build_frame(HEADER, gaussian(40, rng), profile_for(snr_db)).samples, snr_db, rng)
    straight, turned = receive_frame(samples), receive_frame((samples * np.exp(1j * angle)).astype(np.complex64))
    assert type(straight) is type(turned)
    assert straight.uses == turned.uses
    assert straight.estimate is not None
    assert turned.estimate is not None
    assert turned.estimate.snr_db == pytest.approx(straight.estimate.snr_db, abs=1e-3)
    assert turned.estimate.gain_db == pytest.approx(straight.estimate.gain_db, abs=1e-3)
    if isinstance(straight, DataFrame) and isinstance(turned, DataFrame):
        assert turned.header == straight.header
        np.testing.assert_allclose(turned.payload, straight.payload, atol=1e-4)


@every
def test_noiseless_frame_is_received_exactly(profile: Profile) -> None:
    frame = build_frame(HEADER, gaussian(30, np.random.default_rng(0)), profile)
    received = receive_frame(frame.samples)
    assert isinstance(received, DataFrame)
    assert received.header == HEADER
    assert 0 < received.noise_power < 1e-9
    np.testing.assert_allclose(received.payload, frame.samples[profile.overhead :], atol=1e-6)


@pytest.mark.parametrize(
    ("profile", "snr_db"), [(ROBUST, -5), (GUARDED, -2.5), (NORMAL, 0), (SHORT, 5), (MINIMAL, 10)], ids=_label
)
def test_header_arrives_where_its_profile_begins(profile: Profile, snr_db: float) -> None:
    # At the rate allowed, 1e-3, more than 3 failures in 400 would be one run's bad luck in a thousand.
    rng = np.random.default_rng(21)
    failures = 0
    for _ in range(400):
        frame = build_frame(HEADER, gaussian(8, rng), profile)
        received = receive_frame(cross(frame.samples, snr_db, rng, np.exp(2j * np.pi * rng.random())))
        failures += not (isinstance(received, DataFrame) and received.header == HEADER)
    assert failures <= 3


@pytest.mark.parametrize("fading", [False, True], ids=["awgn", "rayleigh"])
@pytest.mark.parametrize("snr_db", [-5, 0, 6, 12, 20])
def test_mean_reported_snr_of_fifty_frames_is_within_one_db(snr_db: float, fading: bool) -> None:
    rng = np.random.default_rng(22)
    profile = profile_for(snr_db)
    reported = []
    for _ in range(50):
        gain = rayleigh_gain(rng) if fading else 1.0 + 0.0j
        received = receive_frame(cross(build_frame(HEADER, gaussian(100, rng), profile).samples, snr_db, rng, gain))
        assert received.estimate is not None
        reported.append(received.estimate.snr_db)
    assert abs(np.mean(reported) - snr_db) < 1


@pytest.mark.parametrize(
    ("profile", "snr_db"),
    [(GUARDED, -7), (NORMAL, -5), (SHORT, 0), (MINIMAL, 5)],
    ids=["guarded", "normal", "short", "minimal"],
)
@pytest.mark.parametrize("fading", [False, True], ids=["awgn", "rayleigh"])
def test_reported_snr_is_unbiased_among_erased_frames_too(profile: Profile, snr_db: float, fading: bool) -> None:
    rng = np.random.default_rng(23)
    reported = []
    while len(reported) < 50:
        gain = rayleigh_gain(rng) if fading else 1.0 + 0.0j
        received = receive_frame(cross(build_frame(HEADER, gaussian(400, rng), profile).samples, snr_db, rng, gain))
        if isinstance(received, Erasure):
            assert received.estimate is not None
            reported.append(received.estimate.snr_db)
    assert abs(np.mean(reported) - snr_db) < 1


@pytest.mark.parametrize(
    ("profile", "snr_db"),
    [(ROBUST, -8), (GUARDED, -5.5), (NORMAL, -3), (SHORT, 2), (MINIMAL, 7), (SOUNDING, -8)],
    ids=_label,
)
def test_profile_is_recognised_three_db_below_where_its_header_still_arrives(profile: Profile, snr_db: float) -> None:
    rng = np.random.default_rng(24)
    wrong = 0
    for _ in range(1000):
        payload = gaussian(512 - profile.overhead, rng)
        frame = build_sounding() if profile is SOUNDING else build_frame(HEADER, payload, profile)
        wrong += detect_profile(cross(frame.samples, snr_db, rng).astype(np.complex128)) is not profile
    assert wrong <= 10


@pytest.mark.parametrize("profile", [*PROFILES, SOUNDING], ids=lambda profile: profile.name)
def test_profile_is_never_mistaken_on_a_good_channel(profile: Profile) -> None:
    rng = np.random.default_rng(25)
    for count in (1, 2, 3, 300, 500):
        frame = build_sounding() if profile is SOUNDING else build_frame(HEADER, gaussian(count, rng), profile)
        for snr_db in (20, 300):
            assert detect_profile(cross(frame.samples, snr_db, rng, 1j).astype(np.complex128)) is profile


def test_decoded_header_is_used_as_pilots() -> None:
    rng = np.random.default_rng(30)
    reports = [receive_frame(cross(build_frame(HEADER, gaussian(8, rng), SHORT).samples, 12, rng)) for _ in range(600)]
    decoded = [report.estimate.snr_db for report in reports if isinstance(report, DataFrame)]
    assert len(decoded) == 600
    bound = 1 / SHORT.overhead
    assert 0.8 < np.var(np.array(decoded) * np.log(10) / 10) / bound < 1.3  # pilots alone: 3.3


def test_sounding_measures_the_channel() -> None:
    rng = np.random.default_rng(26)
    reports = [receive_frame(cross(build_sounding().samples, 6, rng, 0.5j)) for _ in range(50)]
    assert all(isinstance(report, SoundingFrame) and report.uses.k_total == 64 for report in reports)
    estimates = [report.estimate for report in reports if report.estimate is not None]
    assert np.mean([estimate.snr_db for estimate in estimates]) == pytest.approx(6, abs=0.4)
    assert np.mean([estimate.gain_db for estimate in estimates]) == pytest.approx(-6.02, abs=0.4)


def test_noise_alone_is_an_erasure_with_an_estimate() -> None:
    rng = np.random.default_rng(27)
    for _ in range(500):  # at most 1.7e-5 of them may pass by chance
        received = receive_frame(gaussian(512, rng))
        assert isinstance(received, Erasure)
        assert received.estimate is not None
        assert received.uses.k_total == 512


def test_silence_is_an_erasure_without_an_estimate() -> None:
    received = receive_frame(np.zeros(300, dtype=np.complex64))
    assert isinstance(received, Erasure)
    assert received.estimate is None
    assert received.uses.k_total == 300
    assert received.message == "No signal: the frame's pilots hold no power."


@every
def test_failed_header_is_an_erasure_that_says_so_and_still_measures(profile: Profile) -> None:
    rng = np.random.default_rng(28)
    samples = build_frame(HEADER, gaussian(50, rng), profile).samples
    samples[profile.pilot_count : profile.overhead] = gaussian(profile.header_count, rng)
    received = receive_frame(cross(samples, 15, rng))
    assert isinstance(received, Erasure)
    assert received.message == "The header failed its check."
    assert received.uses == profile.uses(samples.size)
    assert received.estimate is not None
    assert abs(received.estimate.snr_db - 15) < 5


def test_payload_beyond_float32_is_an_erasure_and_no_overflow() -> None:
    samples = build_frame(HEADER, np.ones(4, dtype=np.complex64), MINIMAL).samples
    samples[: MINIMAL.overhead] *= np.float32(1e-20)
    samples[MINIMAL.overhead :] *= np.float32(1e30)
    received = receive_frame(samples)
    assert isinstance(received, Erasure)
    assert "out of all proportion" in received.message


@settings(max_examples=60, deadline=None)
@given(st.integers(MINIMAL.overhead + 1, 600), st.integers(0, 2**32 - 1), st.sampled_from([1e-38, 1.0, 1e37]))
def test_any_finite_samples_are_answered(count: int, seed: int, scale: float) -> None:
    received = receive_frame(
        (scale * gaussian(count, np.random.default_rng(seed)).astype(np.complex128)).astype(np.complex64)
    )
    assert received.uses.k_total == count


@pytest.mark.parametrize("count", [1, MINIMAL.overhead])
def test_frame_too_short_for_any_profile_is_refused(count: int) -> None:
    with pytest.raises(SampleError, match=f"at least {MINIMAL.overhead + 1} samples"):
        receive_frame(np.ones(count, dtype=np.complex64))


def test_samples_that_are_not_finite_are_refused() -> None:
    samples = np.ones(100, dtype=np.complex64)
    samples[7] = np.nan
    with pytest.raises(SampleError, match="Sample 7"):
        receive_frame(samples)


def test_same_samples_same_answer_bit_for_bit() -> None:
    rng = np.random.default_rng(29)
    samples = cross(build_frame(HEADER, gaussian(60, rng), SHORT).samples, 8, rng)
    before = samples.copy()
    one, two = receive_frame(samples), receive_frame(samples)
    assert isinstance(one, DataFrame)
    assert isinstance(two, DataFrame)
    assert np.array_equal(one.payload, two.payload)
    assert (one.header, one.noise_power, one.estimate) == (two.header, two.noise_power, two.estimate)
    assert np.array_equal(samples, before)
