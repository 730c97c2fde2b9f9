from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from shared.errors import SampleError
from shared.phy import PROFILES, ChannelUses, FrameHeader, Profile, Samples, build_frame, build_sounding, profile_for
from tests.phy.test_header import HEADER, headers, profiles

payloads = hnp.arrays(
    np.complex64,
    st.integers(1, 80),
    elements=st.complex_numbers(allow_nan=False, allow_infinity=False, width=64),
).filter(lambda payload: bool(np.any(payload)))


@settings(max_examples=80, deadline=None)
@given(payloads, headers, profiles)
def test_every_frame_and_every_part_of_it_has_mean_power_one(
    payload: Samples, header: FrameHeader, profile: Profile
) -> None:
    frame = build_frame(header, payload, profile)
    power = np.abs(frame.samples.astype(np.complex128)) ** 2
    ends = [0, profile.pilot_count, profile.overhead, frame.uses.k_total]
    for start, end in itertools.pairwise(ends):
        assert power[start:end].mean() == pytest.approx(1, abs=1e-6)
    assert power.mean() == pytest.approx(1, abs=1e-6)


def test_scale_of_a_payload_is_told_to_nobody() -> None:
    payload = np.random.default_rng(0).standard_normal(50).astype(np.complex64)
    frames = [build_frame(HEADER, scale * payload, profile_for(6)) for scale in (1, 2.0**-40, 2.0**40)]
    assert all(np.array_equal(frames[0].samples, frame.samples) for frame in frames)


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_payload_whose_squares_leave_double_precision_is_scaled_all_the_same(scale: float) -> None:
    payload = np.random.default_rng(1).standard_normal(50) + 0j
    expected = build_frame(HEADER, payload, profile_for(6)).samples
    np.testing.assert_allclose(build_frame(HEADER, scale * payload, profile_for(6)).samples, expected, rtol=1e-6)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_every_channel_use_is_counted(profile: Profile) -> None:
    frame = build_frame(HEADER, np.ones(100, dtype=np.complex64), profile)
    assert frame.uses == ChannelUses(100, profile.header_count, profile.pilot_count)
    assert frame.samples.shape == (frame.uses.k_total,)
    assert frame.samples.dtype == np.complex64


def test_sounding_is_pilots_only() -> None:
    frame = build_sounding()
    assert frame.uses == ChannelUses(k_pilot=64)
    np.testing.assert_allclose(np.abs(frame.samples), 1, rtol=1e-6)


@pytest.mark.parametrize(
    ("payload", "sentence"),
    [([], "at least one sample"), ([0, 0], "all zeros"), ([1, np.nan], "Sample 1 is NaN"), ([np.inf], "infinite")],
)
def test_payload_that_cannot_be_sent_is_refused(payload: list[float], sentence: str) -> None:
    with pytest.raises(SampleError, match=sentence):
        build_frame(HEADER, np.array(payload, dtype=np.complex64), PROFILES[0])
