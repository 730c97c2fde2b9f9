from __future__ import annotations

import numpy as np
import pytest

from shared.codec.basis import LatentBasis
from shared.codec.change import ChangeSpace
from shared.codec.followup import GaussianFollowUps, Held
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


def held_after_key(codec: LinearCodec, follow_ups: GaussianFollowUps, face, seed: int, snr_db: float = SNR_DB) -> Held:
    symbols, noise_power = add_noise(codec.encode(face, K, snr_db), snr_db, seed)
    return follow_ups.hold(codec.decode(symbols, snr_db, noise_power).w_plus, K, snr_db, noise_power)


def error(shown, face) -> float:
    return float(np.square(shown - face).sum())


def test_every_follow_up_has_mean_power_one(codec, follow_ups):
    face = draw_face(codec.basis, 1)
    design = follow_ups.after_key(K, SNR_DB)
    for k in (15, 16, 37, 200):
        for position in (None, np.full(5, 3.0)):
            symbols = follow_ups.encode(face, position, design, k, SNR_DB)
            assert symbols.shape == (k,)
            assert np.square(np.abs(symbols)).mean() == pytest.approx(1, abs=1e-5)


def test_a_change_is_told_in_37_symbols_at_6_db(codec, follow_ups):
    face, rng = draw_face(codec.basis, 1), np.random.default_rng(3)
    held = held_after_key(codec, follow_ups, face, 2)
    errors = []
    for seed in range(40):
        position = rng.uniform(-9, 9, 5)
        symbols = follow_ups.encode(face, position, held.design, 37, SNR_DB)
        noisy, noise_power = add_noise(symbols, SNR_DB, seed)
        after = follow_ups.follow(held, noisy, SNR_DB, noise_power, changes=True)
        if after is not None:
            errors.append(after.position - position)
    assert len(errors) >= 39  # a position that is left open is sent again, never guessed
    assert np.sqrt(np.square(errors).mean()) < 0.6  # of a range of 18
    assert np.abs(errors).max() < 3


def test_each_refinement_brings_the_face_nearer_and_both_ends_agree_on_the_plan(codec, follow_ups):
    distances = np.zeros(4)
    for seed in range(6):
        face = draw_face(codec.basis, seed)
        held = held_after_key(codec, follow_ups, face, seed)
        design = follow_ups.after_key(K, SNR_DB)
        distances[0] += error(held.w_plus, face)
        for number in range(1, 4):
            symbols, noise_power = add_noise(
                follow_ups.encode(face, None, design, K, SNR_DB), SNR_DB, 10 * seed + number
            )
            held = follow_ups.follow(held, symbols, SNR_DB, noise_power, changes=False)
            design = follow_ups.after(design, K, SNR_DB, changes=False)
            np.testing.assert_array_equal(held.design, design)
            distances[number] += error(held.w_plus, face)
    assert (np.diff(distances) < 0).all()
    assert distances[1] < 0.8 * distances[0]


def test_a_key_frame_and_a_refinement_come_near_to_one_frame_of_twice_the_symbols(codec, follow_ups):
    twice, two = 0.0, 0.0
    for seed in range(8):
        face = draw_face(codec.basis, seed)
        held = held_after_key(codec, follow_ups, face, seed)
        symbols, noise_power = add_noise(follow_ups.encode(face, None, held.design, K, SNR_DB), SNR_DB, 50 + seed)
        two += error(follow_ups.follow(held, symbols, SNR_DB, noise_power, changes=False).w_plus, face)
        long, noise_power = add_noise(codec.encode(face, 2 * K, SNR_DB), SNR_DB, 90 + seed)
        twice += error(codec.decode(long, SNR_DB, noise_power).w_plus, face)
    assert two < 1.25 * twice


def test_changes_move_the_face_and_refine_it_without_adding_up_errors(codec, follow_ups):
    face = draw_face(codec.basis, 4)
    held = held_after_key(codec, follow_ups, face, 5)
    before = error(held.w_plus, face)
    for turn in range(10):
        position = np.array([1.0, -2, 3, 0, turn])
        noisy, noise_power = add_noise(follow_ups.encode(face, position, held.design, 60, SNR_DB), SNR_DB, turn)
        held = follow_ups.follow(held, noisy, SNR_DB, noise_power, changes=True)
        assert np.abs(held.position - position).max() < 1.5
        assert error(held.face, face) < 1.02 * before


def test_noise_alone_leaves_a_change_open_instead_of_guessing_it(codec, follow_ups):
    held = held_after_key(codec, follow_ups, draw_face(codec.basis, 1), 2)
    noise, _ = add_noise(np.zeros(60, np.complex64), 0.0, 7)
    assert follow_ups.follow(held, noise, SNR_DB, 1.0, changes=True) is None


def test_what_no_edit_makes_or_reaches_has_no_position(follow_ups):
    assert follow_ups.locate(SPACE.move(np.full(5, 2.0))) == pytest.approx(np.full(5, 2.0), abs=1e-4)
    assert follow_ups.locate(np.zeros((16, 512), np.float32)) == pytest.approx(np.zeros(5))
    assert follow_ups.locate(SPACE.move(np.full(5, 19.0))) is None
    assert follow_ups.locate(np.random.default_rng(2).standard_normal((16, 512)).astype(np.float32)) is None


def test_a_worse_link_takes_more_symbols_for_a_change(codec, follow_ups):
    least = [follow_ups.symbols_for_change(snr_db) for snr_db in (-5, 0, 6, 20)]
    assert least == sorted(least, reverse=True)
    with pytest.raises(InvalidInput, match="at least 15"):
        follow_ups.encode(draw_face(codec.basis, 1), np.zeros(5), follow_ups.after_key(K, 6), 14, 6)
