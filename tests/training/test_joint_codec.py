from pathlib import Path

import numpy as np
import pytest
import torch

from shared.codec.joint import JointCodec
from shared.codec.networks import JointNetworks
from shared.codec.perceptual import PerceptualBasis
from shared.codec.sizes import COEFFICIENTS
from tests.codec.channel import add_noise
from tests.codec.conftest import face_like_basis, face_like_perceptual_basis
from training.adapters import Schedule, condition, train_pair
from training.simulated_link import Conditions, SimulatedLink

K, SNR_DB = 140, 6


@pytest.fixture(scope="module")
def visible() -> PerceptualBasis:
    return face_like_perceptual_basis(face_like_basis())


def at_one_point() -> Conditions:
    return Conditions(k=(K, K), design_snr_db=(SNR_DB, SNR_DB), mismatch_db=0.0, fading=0.0)


def faces_of(codec: JointCodec, count: int, seed: int) -> tuple[np.ndarray, torch.Tensor]:
    """Latents, and the same as white coefficients."""
    generator = np.random.default_rng(seed)
    basis = codec.basis
    coefficients = (basis.deviation * generator.standard_normal((count, len(basis.deviation)))).astype(np.float32)
    latents = np.stack([basis.synthesise(row) for row in coefficients])
    first = codec.ranking[:COEFFICIENTS]
    return latents, torch.from_numpy(coefficients[:, first] / basis.deviation[first])


def visible_error(codec: JointCodec, latents: np.ndarray, link: SimulatedLink, first: np.ndarray) -> float:
    errors = []
    for seed, latent in enumerate(latents):
        noisy, noise_power = add_noise(codec.encode(latent, K, SNR_DB), SNR_DB, seed)
        error = codec.basis.analyse(codec.decode(noisy, SNR_DB, noise_power).w_plus) - codec.basis.analyse(latent)
        errors.append(float((link.weights.numpy() * np.square(error[first] / codec.basis.deviation[first])).sum()))
    return float(np.mean(errors))


def carried_error(link: SimulatedLink, white: torch.Tensor, networks: JointNetworks, seed: int = 1) -> float:
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        estimate = link.carry(white, networks, link.draw(len(white), generator), generator)
    return float(((estimate - white).square() * link.weights).sum(1).mean())


@pytest.mark.parametrize("trained", [False, True])
def test_simulation_makes_the_error_that_the_codec_makes(visible: PerceptualBasis, trained: bool) -> None:
    torch.manual_seed(2)
    networks = JointNetworks()
    if trained:
        torch.nn.init.normal_(networks.encoder.last.weight, std=0.03)
        torch.nn.init.normal_(networks.decoder.last.weight, std=0.03)
    codec = JointCodec(visible, networks.eval().requires_grad_(False), 3)
    link = SimulatedLink(codec, at_one_point())
    latents, white = faces_of(codec, 60, 3)
    real = visible_error(codec, latents, link, codec.ranking[:COEFFICIENTS])
    assert carried_error(link, white.repeat(20, 1), networks) == pytest.approx(real, rel=0.12)


def test_untrained_networks_make_about_the_error_that_plans_expect(visible: PerceptualBasis) -> None:
    codec = JointCodec(visible, JointNetworks(), 3)
    link = SimulatedLink(codec, at_one_point())
    _, white = faces_of(codec, 500, 4)
    generator = torch.Generator().manual_seed(1)
    drawn = link.draw(500, generator)
    with torch.no_grad():
        loss = link.loss(link.carry(white, JointNetworks(), drawn, generator), white, drawn)
    assert float(loss) == pytest.approx(1.0, abs=0.25)


def test_a_pair_of_adapters_learns_while_the_networks_stay(visible: PerceptualBasis, tmp_path: Path) -> None:
    codec = JointCodec(visible, JointNetworks(), 3)
    _, white = faces_of(codec, 4, 5)  # four faces only: there is something to learn
    codec._networks.save(tmp_path / "joint.safetensors")
    before = (tmp_path / "joint.safetensors").read_bytes()
    own = SimulatedLink(codec, condition(SNR_DB, fading=False))
    schedule = Schedule(steps=60, learning_rate=1e-2)
    adapters = train_pair(SNR_DB, own, white, schedule, lambda *_: None, tmp_path / "joint.safetensors")
    link = SimulatedLink(codec, at_one_point())
    untrained = carried_error(link, white.repeat(60, 1), JointNetworks())
    assert carried_error(link, white.repeat(60, 1), JointNetworks(adapters)) < 0.95 * untrained
    assert (tmp_path / "joint.safetensors").read_bytes() == before
    assert float(adapters.pairs[0].snr_db) == SNR_DB
