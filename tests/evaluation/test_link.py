from dataclasses import replace

import numpy as np
import pytest

from channel_sim.awgn import Awgn
from channel_sim.chain import Chain
from channel_sim.randomness import FrameContext
from evaluation.link import Air, deliver, rate_distortion_nmse_db
from shared.codec.linear import LinearCodec
from shared.phy import LinkOutlook
from tests.codec.conftest import face_like_basis


def test_the_bound_of_a_white_source_is_its_closed_form() -> None:
    dimensions, k, snr_db = 200, 100, 6.0
    bits_per_dimension = k * np.log2(1 + 10 ** (snr_db / 10)) / dimensions
    bound = rate_distortion_nmse_db(np.ones(dimensions), k, snr_db)
    assert bound == pytest.approx(-20 * np.log10(2) * bits_per_dimension, abs=1e-3)


def test_dimensions_below_the_water_are_given_up() -> None:
    variances = np.array([1.0] * 4 + [1e-9] * 1000)
    assert rate_distortion_nmse_db(variances, 8, 10.0) == pytest.approx(
        rate_distortion_nmse_db(np.ones(4), 8, 10.0), abs=0.02
    )


@pytest.mark.parametrize(("snr_db", "k_payload"), [(0.0, 128), (6.0, 128), (20.0, 64)])
def test_no_delivery_beats_the_bound_by_luck_of_the_mean(snr_db: float, k_payload: int) -> None:
    basis = face_like_basis()
    codec = LinearCodec(basis, 1)
    generator = np.random.default_rng(1)
    errors, energies = [], []
    for index in range(12):
        coefficients = (basis.deviation * generator.standard_normal(basis.deviation.shape)).astype(np.float32)
        face = basis.synthesise(coefficients)
        air = Air.of(snr_db, "none", FrameContext(seed=1, stream_id=f"{index}", sequence=1))
        delivery = deliver(face, codec, k_payload, air)
        assert delivery.w_plus is not None
        assert delivery.uses.k_payload == k_payload
        errors.append(np.square(delivery.w_plus - face).sum())
        energies.append(np.square(face - basis.mean).sum())
    nmse_db = 10 * np.log10(sum(errors) / sum(energies))
    bound_db = rate_distortion_nmse_db(np.square(basis.deviation.astype(np.float64)), k_payload, snr_db)
    assert bound_db - 0.3 < nmse_db < 0


def test_a_frame_lost_in_noise_is_an_erasure_not_a_guess() -> None:
    codec, frame = LinearCodec(face_like_basis(), 1), FrameContext(seed=1, stream_id="x", sequence=1)
    air = Air(Chain([Awgn(snr_db=-15.0)]), LinkOutlook(12.0), frame)
    delivery = deliver(codec.basis.mean, codec, 64, air)
    assert delivery.w_plus is None


def test_a_sender_that_knows_of_the_fading_loses_fewer_frames() -> None:
    codec = LinearCodec(face_like_basis(), 1)
    frames = [FrameContext(seed=1, stream_id=f"{index}", sequence=1) for index in range(150)]
    told = [Air.of(6.0, "rayleigh", frame) for frame in frames]
    not_told = [replace(air, link=LinkOutlook(6.0)) for air in told]
    lost = [sum(deliver(codec.basis.mean, codec, 64, air).w_plus is None for air in airs) for airs in (told, not_told)]
    assert lost[0] < 0.3 * lost[1]
