from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from shared.codec.basis import LatentBasis
from shared.codec.change import ChangeSpace
from shared.codec.followup import GaussianFollowUps, Held, Met, agreed_snr_db
from shared.codec.linear import LinearCodec
from shared.errors import InvalidInput
from tests.codec.test_linear import add_noise, draw_face

STEPS = np.random.default_rng(1).standard_normal((5, 16, 512)).astype(np.float32) / 90
SPACE = ChangeSpace(STEPS, np.full(5, 18, np.float32))
K, SNR_DB = 256, 6.0


@pytest.fixture(scope="module")
def codec(basis: LatentBasis) -> LinearCodec:
    return LinearCodec(basis, 1)


@pytest.fixture(scope="module")
def follow_ups(codec: LinearCodec) -> GaussianFollowUps:
    return GaussianFollowUps(codec, SPACE)


def held_after_key(
    codec: LinearCodec, follow_ups: GaussianFollowUps, face, seed: int, met_snr_db: float = SNR_DB
) -> Held:
    symbols, noise_power = add_noise(codec.encode(face, K, SNR_DB), met_snr_db, seed)
    decoded = codec.decode(symbols, SNR_DB, noise_power).w_plus
    return follow_ups.hold(decoded, K, SNR_DB, Met(noise_power, met_snr_db))


def after(follow_ups: GaussianFollowUps, held: Held, symbols, seed: int, met_snr_db: float, *, changes: bool) -> Held:
    noisy, noise_power = add_noise(symbols, met_snr_db, seed)
    followed = follow_ups.follow(held, noisy, SNR_DB, Met(noise_power, met_snr_db), changes=changes)
    assert followed is not None
    return followed


def error(shown, face) -> float:
    return float(np.square(shown - face).sum())


def test_every_follow_up_has_mean_power_one(codec, follow_ups):
    face = draw_face(codec.basis, 1)
    agreed = follow_ups.after_key(K, SNR_DB, SNR_DB)
    for k in (15, 17, 37, 200):
        for position in (None, np.full(5, 3.0)):
            symbols = follow_ups.encode(face, position, agreed, k, SNR_DB)
            assert symbols.shape == (k,)
            assert np.square(np.abs(symbols)).mean() == pytest.approx(1, abs=1e-5)


def test_a_change_is_told_in_37_symbols_at_6_db(codec, follow_ups):
    face, rng = draw_face(codec.basis, 1), np.random.default_rng(3)
    held = held_after_key(codec, follow_ups, face, 2)
    errors = []
    for seed in range(40):
        position = rng.uniform(-9, 9, 5)
        symbols = follow_ups.encode(face, position, held.agreed, 37, SNR_DB)
        noisy, noise_power = add_noise(symbols, SNR_DB, seed)
        after = follow_ups.follow(held, noisy, SNR_DB, Met(noise_power, SNR_DB), changes=True)
        if after is not None:
            errors.append(after.position - position)
    assert len(errors) >= 39  # a position that is left open is sent again, never guessed
    assert np.sqrt(np.square(errors).mean()) < 0.6  # of a range of 18
    assert np.abs(errors).max() < 3


@pytest.mark.parametrize("met_snr_db", [[6, 6, 6, 6], [-3, 9, 2, 6]])
def test_each_refinement_brings_the_face_nearer_and_both_ends_agree_on_the_plan(codec, follow_ups, met_snr_db):
    distances = np.zeros(4)
    for seed in range(6):
        face = draw_face(codec.basis, seed)
        held = held_after_key(codec, follow_ups, face, seed, met_snr_db[0])
        agreed = follow_ups.after_key(K, SNR_DB, met_snr_db[0])
        distances[0] += error(held.w_plus, face)
        for number in range(1, 4):
            symbols = follow_ups.encode(face, None, agreed, K, SNR_DB)
            held = after(follow_ups, held, symbols, 10 * seed + number, met_snr_db[number], changes=False)
            agreed = follow_ups.after(agreed, K, SNR_DB, met_snr_db[number], changes=False)
            np.testing.assert_array_equal(held.agreed, agreed)
            distances[number] += error(held.w_plus, face)
    assert (np.diff(distances) < 0).all()
    assert distances[1] < 0.8 * distances[0]


def test_a_key_frame_and_a_refinement_come_near_to_one_frame_of_twice_the_symbols(codec, follow_ups):
    twice, two = 0.0, 0.0
    for seed in range(8):
        face = draw_face(codec.basis, seed)
        held = held_after_key(codec, follow_ups, face, seed)
        symbols = follow_ups.encode(face, None, held.agreed, K, SNR_DB)
        two += error(after(follow_ups, held, symbols, 50 + seed, SNR_DB, changes=False).w_plus, face)
        long, noise_power = add_noise(codec.encode(face, 2 * K, SNR_DB), SNR_DB, 90 + seed)
        twice += error(codec.decode(long, SNR_DB, noise_power).w_plus, face)
    assert two < 1.25 * twice


def test_a_refinement_mends_what_a_fade_has_spoiled(codec, follow_ups):
    errors = {"as it was met": 0.0, "as it was designed": 0.0}
    for seed in range(6):
        face = draw_face(codec.basis, seed)
        held = held_after_key(codec, follow_ups, face, seed, met_snr_db=-9)
        designed = replace(held, agreed=follow_ups.after_key(K, SNR_DB, SNR_DB))
        for name, before in zip(errors, (held, designed), strict=True):
            symbols = follow_ups.encode(face, None, before.agreed, K, SNR_DB)
            errors[name] += error(after(follow_ups, before, symbols, seed, SNR_DB, changes=False).w_plus, face)
    assert errors["as it was met"] < 0.85 * errors["as it was designed"]


def test_a_refinement_tells_its_scale_however_large_the_face(codec, follow_ups):
    for size in (0.4, 1.0, 2.0):
        distances = np.zeros(2)
        for seed in range(6):
            face = codec.basis.mean + size * (draw_face(codec.basis, seed) - codec.basis.mean)
            held = held_after_key(codec, follow_ups, face, seed, met_snr_db=-6)
            symbols = follow_ups.encode(face, None, held.agreed, K, SNR_DB)
            refined = after(follow_ups, held, symbols, seed, SNR_DB, changes=False)
            distances += error(held.w_plus, face), error(refined.w_plus, face)
        assert distances[1] < 0.7 * distances[0], size


def test_quality_is_what_is_seen_and_known(codec, follow_ups):
    steps = [follow_ups.quality(follow_ups.after_key(K, SNR_DB, met_snr_db)) for met_snr_db in (-10, 0, 6, 20)]
    assert 0 < steps[0] < steps[1] < steps[2] < steps[3] < 1
    after_key = follow_ups.after_key(K, SNR_DB, SNR_DB)
    assert follow_ups.quality(follow_ups.after(after_key, K, SNR_DB, SNR_DB, changes=False)) > steps[2]
    assert follow_ups.quality(np.square(codec.basis.deviation, dtype=np.float64)) == pytest.approx(0)
    seen, unknown = codec.basis.visibility, np.square(codec.basis.deviation) - after_key
    assert steps[2] == pytest.approx((seen * unknown).sum() / (seen * np.square(codec.basis.deviation)).sum(), rel=1e-5)


def test_both_ends_take_the_same_whole_decibels_from_a_report():
    assert [agreed_snr_db(measured) for measured in (6.4, 5.6, -3.4, 141.0, -200.0)] == [6, 6, -3, 60, -60]


def test_changes_move_the_face_and_refine_it_without_adding_up_errors(codec, follow_ups):
    face = draw_face(codec.basis, 4)
    held = held_after_key(codec, follow_ups, face, 5)
    before = error(held.w_plus, face)
    for turn in range(10):
        position = np.array([1.0, -2, 3, 0, turn])
        symbols = follow_ups.encode(face, position, held.agreed, 60, SNR_DB)
        held = after(follow_ups, held, symbols, turn, SNR_DB, changes=True)
        assert np.abs(held.position - position).max() < 1.5
        assert error(held.face, face) < 1.02 * before


def test_noise_alone_leaves_a_change_open_instead_of_guessing_it(codec, follow_ups):
    held = held_after_key(codec, follow_ups, draw_face(codec.basis, 1), 2)
    noise, _ = add_noise(np.zeros(60, np.complex64), 0.0, 7)
    assert follow_ups.follow(held, noise, SNR_DB, Met(1.0, 0), changes=True) is None


def test_what_no_edit_makes_or_reaches_has_no_position(follow_ups):
    assert follow_ups.locate(SPACE.move(np.full(5, 2.0))) == pytest.approx(np.full(5, 2.0), abs=1e-4)
    assert follow_ups.locate(np.zeros((16, 512), np.float32)) == pytest.approx(np.zeros(5))
    assert follow_ups.locate(SPACE.move(np.full(5, 19.0))) is None
    assert follow_ups.locate(np.random.default_rng(2).standard_normal((16, 512)).astype(np.float32)) is None


def test_a_worse_link_takes_more_symbols_for_a_change(follow_ups):
    least = [follow_ups.symbols_for_change(snr_db) for snr_db in (-5, 0, 6, 20)]
    assert least == sorted(least, reverse=True)


@pytest.mark.parametrize(("k", "position"), [(14, np.zeros(5)), (16, np.zeros(5)), (1, None)])
def test_payloads_too_short_for_what_they_tell_are_refused(codec, follow_ups, k, position):
    with pytest.raises(InvalidInput, match="takes"):
        follow_ups.encode(draw_face(codec.basis, 1), position, follow_ups.after_key(K, 6, 6), k, 6)
