from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import InvalidInput
from shared.phy import PROFILES, FrameHeader, FrameKind, Profile, convolutional, quantise_design_snr, rate_matching
from shared.phy import header as header_module
from shared.phy.crc import Bits, crc16, to_int
from shared.phy.header import LIST_LENGTH, decode_header, encode_header
from shared.phy.profiles import NORMAL
from tests.phy.air import cross, gaussian

headers = st.sampled_from(FrameKind).flatmap(
    lambda kind: st.builds(
        FrameHeader,
        codec_id=st.integers(0, 7),
        kind=st.just(kind),
        sequence=st.integers(0, 255),
        design_snr_db=st.integers(-10, 21),
        base=st.integers(0, 63 if kind else 0),
        base_snr_db=st.integers(0, 15 if kind else 0),
    )
)
profiles = st.sampled_from(PROFILES)
HEADER = FrameHeader(codec_id=5, kind=FrameKind.KEY, sequence=200, design_snr_db=6)
DELTA = FrameHeader(codec_id=5, kind=FrameKind.DELTA, sequence=200, design_snr_db=6, base=37, base_snr_db=13)


@settings(max_examples=60, deadline=None)
@given(headers, profiles)
def test_every_header_comes_back_from_every_profile(header: FrameHeader, profile: Profile) -> None:
    symbols = encode_header(header, profile)
    assert symbols.shape == (profile.header_count,)
    np.testing.assert_allclose(np.abs(symbols), 1, rtol=1e-12)
    assert decode_header(symbols, profile, header.sequence) == header


def test_fields_lie_where_the_table_says() -> None:
    # codec 101, kind 00, sequence 11001000, design SNR 6 - (-10) = 10000, spare 00
    assert header_module._pack(HEADER) == 0b101_00_11001000_10000_00
    # kind 01, base 100101, and the 1101 that it met
    assert header_module._pack(DELTA) == 0b101_01_100101_1101_10000


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_a_frame_that_builds_on_another_is_read_under_its_own_number_only(profile: Profile) -> None:
    symbols = encode_header(DELTA, profile)
    read = [decode_header(symbols, profile, sequence) for sequence in range(256)]
    assert [header for header in read if header is not None] == [DELTA]
    assert read[200] == DELTA


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_header_read_under_another_check_mask_fails(profile: Profile) -> None:
    symbols = encode_header(HEADER, profile)
    for other in PROFILES:
        relabelled = Profile("other", profile.pilot_count, 1, profile.header_count, other.check_mask, 0, 0)
        assert decode_header(symbols, relabelled) == (HEADER if other is profile else None)


@pytest.mark.parametrize("profile", PROFILES, ids=lambda profile: profile.name)
def test_silence_and_constant_symbols_are_no_header(profile: Profile) -> None:
    for level in (0, 1 + 1j, -1 - 1j, 1 - 1j):
        assert decode_header(np.full(profile.header_count, level, dtype=np.complex128), profile) is None


@pytest.mark.parametrize("information", [0b01, 0b10, 3 << 15, 3 << 15 | 0b11])
def test_spare_bits_and_the_reserved_kind_are_refused_although_the_check_holds(information: int) -> None:
    profile = PROFILES[0]
    assert decode_header(header_module._modulate(information, profile), profile) is None
    assert decode_header(header_module._modulate(0, profile), profile) is not None


def test_wrong_phase_is_a_failed_check_and_not_another_header() -> None:
    for profile in PROFILES:
        for turn in (1j, -1, -1j):
            assert decode_header(turn * encode_header(HEADER, profile), profile) is None


def likeliest(symbols: np.ndarray, count: int) -> list[Bits]:
    """The blocks that a decoder finds in header symbols, the likeliest first."""
    llrs = np.ascontiguousarray(symbols, np.complex128).view(np.float64)
    return list(itertools.islice(convolutional.decode(rate_matching.unmatch(llrs, 36)), count))


def test_header_is_read_although_other_blocks_are_likelier_as_long_as_it_is_on_the_list() -> None:
    profile, rng = NORMAL, np.random.default_rng(11)
    sent = encode_header(HEADER, profile)
    clean = likeliest(sent, 1)[0]
    places = []
    for _ in range(250):
        received = cross(sent, -3, rng).astype(np.complex128)
        found = [np.array_equal(block, clean) for block in likeliest(received, 3 * LIST_LENGTH)]
        place = found.index(True) if any(found) else len(found)
        assert decode_header(received, profile) == (HEADER if place < LIST_LENGTH else None)
        places.append(place)
    assert {*range(LIST_LENGTH + 1)} <= {*places}  # every place on the list was seen, and the first beyond it
    lost = sum(place >= LIST_LENGTH for place in places)
    assert lost < 0.75 * sum(place > 0 for place in places)  # all of which the likeliest block alone would lose


def test_noise_passes_under_no_more_check_masks_than_blocks_are_tried() -> None:
    # The masks of all profiles and numbers are alike to noise, so this share of the 2^16 is the rate of false headers.
    assert LIST_LENGTH / 2**16 <= 1e-4
    rng, passed = np.random.default_rng(12), 0
    for _ in range(10):
        symbols = gaussian(PROFILES[0].header_count, rng).astype(np.complex128)
        for block in likeliest(symbols, 10 * LIST_LENGTH):
            mask = crc16(block[:20]) ^ to_int(block[20:])  # the one under which this block passes
            passed += decode_header(symbols, Profile("any", 2, 1, symbols.size, mask, 0.0, 0.0)) is not None
    assert 0 < passed <= 0.8 * 10 * LIST_LENGTH  # the kind and a key frame's spare bits refuse 7 of 16


def test_noise_is_no_header() -> None:
    rng = np.random.default_rng(13)
    for profile in PROFILES:
        for _ in range(100):  # 7 in 1000 that one of all these passes
            assert decode_header(gaussian(profile.header_count, rng).astype(np.complex128), profile, 9) is None


def test_header_too_noisy_to_read_is_never_taken_for_another() -> None:
    rng = np.random.default_rng(14)
    for profile, snr_db in zip(PROFILES, (-8, -5.5, -3, 2, 7), strict=True):
        for header in (HEADER, DELTA):
            sent = encode_header(header, profile)
            read = [decode_header(cross(sent, snr_db, rng).astype(np.complex128), profile, 200) for _ in range(40)]
            assert {*read} <= {header, None}


@pytest.mark.parametrize(
    "fields",
    [
        {"codec_id": 8}, {"codec_id": -1}, {"sequence": 256}, {"sequence": -1},
        {"design_snr_db": 22}, {"design_snr_db": -11}, {"kind": 3}, {"base": 1}, {"base": 64, "kind": 1},
        {"base_snr_db": 1}, {"base_snr_db": 16, "kind": 1},
    ],
)  # fmt: skip
def test_field_that_does_not_fit_its_bits_is_refused_by_name(fields: dict[str, int]) -> None:
    whole = {"codec_id": 0, "kind": FrameKind.KEY, "sequence": 0, "design_snr_db": 0} | fields
    with pytest.raises(InvalidInput, match=next(iter(fields))):
        FrameHeader(**whole)


@pytest.mark.parametrize(
    ("snr_db", "carried"), [(-math.inf, -10), (-40, -10), (-4.6, -5), (6.4, 6), (20.9, 21), (35, 21), (math.inf, 21)]
)
def test_design_snr_is_rounded_and_clamped(snr_db: float, carried: int) -> None:
    assert quantise_design_snr(snr_db) == carried


def test_design_snr_that_is_not_a_number_is_refused() -> None:
    with pytest.raises(InvalidInput, match="not a number"):
        quantise_design_snr(math.nan)
