from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.codec.basis import LatentBasis
from shared.codec.codec import Latent
from shared.codec.linear import LinearCodec, allocate_power
from shared.errors import InvalidInput
from tests.codec.channel import add_noise


def draw_face(basis: LatentBasis, seed: int, scale: float = 1.0) -> Latent:
    generator = np.random.default_rng(seed)
    coefficients = scale * basis.deviation * generator.standard_normal(basis.deviation.shape)
    return basis.synthesise(coefficients.astype(np.float32))


def nmse_db(basis: LatentBasis, sent: Latent, received: Latent) -> float:
    return float(10 * np.log10(np.square(sent - received).sum() / np.square(sent - basis.mean).sum()))


def mean_nmse_db(basis: LatentBasis, k: int, snr_db: float, faces: int = 24, scale: float = 1.0) -> float:
    codec = LinearCodec(basis, codec_id=1)
    results = []
    for seed in range(faces):
        face = draw_face(basis, seed, scale)
        noisy, noise_power = add_noise(codec.encode(face, k, snr_db), snr_db, 1000 + seed)
        results.append(nmse_db(basis, face, codec.decode(noisy, snr_db, noise_power).w_plus))
    return float(np.mean(results))


@settings(max_examples=25, deadline=None)
@given(k=st.integers(16, 512), snr_db=st.integers(-10, 21), seed=st.integers(0, 99), scale=st.floats(0, 4))
def test_every_payload_has_mean_power_one(basis: LatentBasis, k: int, snr_db: int, seed: int, scale: float) -> None:
    symbols = LinearCodec(basis, 1).encode(draw_face(basis, seed, scale), k, snr_db)
    assert symbols.shape == (k,)
    assert np.square(np.abs(symbols)).mean() == pytest.approx(1, abs=1e-5)


def test_error_falls_with_snr_and_with_symbols(basis: LatentBasis) -> None:
    over_snr = [mean_nmse_db(basis, 128, snr_db) for snr_db in (-5, 0, 6, 12, 20)]
    over_symbols = [mean_nmse_db(basis, k, 6) for k in (16, 64, 256, 512)]
    assert over_snr == sorted(over_snr, reverse=True)
    assert over_symbols == sorted(over_symbols, reverse=True)
    assert over_snr[-1] < -8


def test_decoder_expects_the_error_it_makes(basis: LatentBasis) -> None:
    codec = LinearCodec(basis, 1)
    for k, snr_db in ((64, 0), (128, 6), (256, 12)):
        face = draw_face(basis, 3)
        noisy, noise_power = add_noise(codec.encode(face, k, snr_db), snr_db, 4)
        expected = codec.decode(noisy, snr_db, noise_power).expected_nmse_db
        assert expected == pytest.approx(mean_nmse_db(basis, k, snr_db), abs=1.2)


@pytest.mark.parametrize("scale", [0.5, 2.0])
def test_the_norm_of_an_unusual_face_crosses_the_channel(basis: LatentBasis, scale: float) -> None:
    usual, unusual = mean_nmse_db(basis, 256, 12), mean_nmse_db(basis, 256, 12, scale=scale)
    assert unusual < usual + 1.0


def test_the_mean_face_survives(basis: LatentBasis) -> None:
    codec = LinearCodec(basis, 1)
    noisy, noise_power = add_noise(codec.encode(basis.mean, 128, 6), 6, 1)
    error = codec.decode(noisy, 6, noise_power).w_plus - basis.mean
    assert np.square(error).sum() < 0.25 * basis.total_variance


def test_power_goes_to_what_matters_and_is_all_spent() -> None:
    importance = np.array([3.0, 0.01, 2.0, 1.0])
    active, energy = allocate_power(importance, slots=4, energy=10.0, noise_power=2.0)
    assert active.tolist() == [0, 2, 3]
    assert energy.sum() == pytest.approx(10.0)
    assert (energy + 1.0).tolist() == pytest.approx((importance[active] * 13.0 / 6.0).tolist())


def test_the_norm_is_told_even_below_the_noise(basis: LatentBasis) -> None:
    codec, rng = LinearCodec(basis, 1), np.random.default_rng(2)
    symbols = codec.encode(draw_face(basis, 1, scale=1.5), 256, -5.0)
    noise = np.sqrt(10**0.5 / 2) * (rng.standard_normal(500) + 1j * rng.standard_normal(500))
    off = np.angle((symbols[0] + noise) * np.conj(symbols[0]))
    assert np.abs(off).max() < 1.0  # a turn past pi would read a large face as a small one
    assert np.sqrt(np.square(off).mean()) < 0.25


def test_at_low_snr_only_the_strongest_coefficients_are_sent(basis: LatentBasis) -> None:
    codec = LinearCodec(basis, 1)
    assert len(codec.plan(256, -10).active) < len(codec.plan(256, 20).active) / 2


def test_coefficients_and_latents_are_one_to_one(basis: LatentBasis) -> None:
    face = draw_face(basis, 9)
    np.testing.assert_allclose(basis.synthesise(basis.analyse(face)), face, atol=1e-4)


@pytest.mark.parametrize("k", [0, 15, 4096])
def test_impossible_numbers_of_symbols_are_refused(basis: LatentBasis, k: int) -> None:
    with pytest.raises(InvalidInput, match="symbols"):
        LinearCodec(basis, 1).encode(basis.mean, k, 6)


def test_a_latent_that_is_not_finite_is_refused(basis: LatentBasis) -> None:
    with pytest.raises(InvalidInput, match="finite"):
        LinearCodec(basis, 1).encode(np.full((16, 512), np.nan, np.float32), 64, 6)


def test_a_basis_comes_back_from_its_file(basis: LatentBasis, tmp_path: Path) -> None:
    basis.save(tmp_path / "basis.safetensors")
    again = LatentBasis.load(tmp_path / "basis.safetensors")
    np.testing.assert_allclose(again.features, basis.features, atol=1e-3)
    np.testing.assert_array_equal(again.deviation, basis.deviation)
