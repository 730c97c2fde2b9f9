from pathlib import Path

import numpy as np
import pytest
import torch

from shared.codec.adapters import REACH_DB, AdapterPair, Adapters
from shared.codec.codec import Latent
from shared.codec.joint import JointCodec
from shared.codec.linear import LinearCodec
from shared.codec.networks import JointNetworks
from shared.codec.perceptual import PerceptualBasis
from shared.errors import InvalidInput
from tests.codec.channel import add_noise

LENGTHS = (16, 64, 140, 260, 512)


@pytest.fixture(scope="module")
def face(visible: PerceptualBasis) -> Latent:
    generator = np.random.default_rng(7)
    return visible.synthesise((visible.deviation * generator.standard_normal(8192)).astype(np.float32))


def trained_looking(seed: int = 3, adapters: Adapters | None = None) -> JointNetworks:
    """Networks whose last layers are no longer zero."""
    torch.manual_seed(seed)
    networks = JointNetworks() if adapters is None else JointNetworks(adapters)
    for part in (networks.encoder, networks.decoder):
        torch.nn.init.normal_(part.last.weight, std=0.02)
    return networks.eval().requires_grad_(False)


def moved(pair: AdapterPair) -> AdapterPair:
    for part in (pair.encoder, pair.decoder):
        torch.nn.init.normal_(part.up.weight, std=0.05)
    return pair.eval().requires_grad_(False)


@pytest.mark.parametrize("k", LENGTHS)
def test_before_training_it_is_the_linear_code(visible: PerceptualBasis, face: Latent, k: int) -> None:
    joint, linear = JointCodec(visible, JointNetworks(), 3), LinearCodec(visible, 2)
    sent = joint.encode(face, k, 6.0)
    np.testing.assert_allclose(sent, linear.encode(face, k, 6.0), atol=1e-5)
    noisy, noise_power = add_noise(sent, 6.0, 1)
    decoded = joint.decode(noisy, 6.0, noise_power), linear.decode(noisy, 6.0, noise_power)
    np.testing.assert_allclose(decoded[0].w_plus, decoded[1].w_plus, atol=1e-3)


@pytest.mark.parametrize("k", LENGTHS)
@pytest.mark.parametrize("snr_db", [-10.0, 6.0, 21.0])
def test_every_payload_has_mean_power_one(visible: PerceptualBasis, face: Latent, k: int, snr_db: float) -> None:
    symbols = JointCodec(visible, trained_looking(), 3).encode(face, k, snr_db)
    assert symbols.shape == (k,)
    assert np.square(np.abs(symbols)).mean() == pytest.approx(1, abs=1e-5)


def test_networks_come_back_from_their_file(tmp_path: Path, visible: PerceptualBasis, face: Latent) -> None:
    networks = trained_looking()
    networks.save(tmp_path / "joint.safetensors")
    again = JointNetworks.load(tmp_path / "joint.safetensors")
    sent = [JointCodec(visible, one, 3).encode(face, 140, 6.0) for one in (networks, again)]
    np.testing.assert_allclose(sent[0], sent[1], atol=5e-3)


@pytest.mark.parametrize("k", [15, 4096])
def test_impossible_numbers_of_symbols_are_refused(visible: PerceptualBasis, face: Latent, k: int) -> None:
    with pytest.raises(InvalidInput, match="symbols"):
        JointCodec(visible, JointNetworks(), 3).encode(face, k, 6)


def test_a_latent_that_is_not_finite_is_refused(visible: PerceptualBasis) -> None:
    with pytest.raises(InvalidInput, match="finite"):
        JointCodec(visible, JointNetworks(), 3).encode(np.full((16, 512), np.inf, np.float32), 64, 6)


def test_a_noiseless_channel_does_not_break_the_decoder(visible: PerceptualBasis, face: Latent) -> None:
    codec = JointCodec(visible, trained_looking(), 3)
    assert np.isfinite(codec.decode(codec.encode(face, 140, 21.0), 21.0, 0.0).w_plus).all()


def test_fresh_adapters_change_nothing(visible: PerceptualBasis, face: Latent) -> None:
    plain = JointCodec(visible, trained_looking(), 3)
    adapted = JointCodec(visible, trained_looking(adapters=Adapters((AdapterPair(6.0).eval(),))), 3)
    np.testing.assert_array_equal(plain.encode(face, 140, 6.0), adapted.encode(face, 140, 6.0))


def test_adapters_change_the_codec_near_their_snr_and_nowhere_else(visible: PerceptualBasis, face: Latent) -> None:
    plain = JointCodec(visible, trained_looking(), 3)
    adapted = JointCodec(visible, trained_looking(adapters=Adapters((moved(AdapterPair(6.0)),))), 3)

    def change(snr_db: float) -> float:
        sent = plain.encode(face, 140, snr_db), adapted.encode(face, 140, snr_db)
        received = plain.decode(sent[0], snr_db, 0.25), adapted.decode(sent[0], snr_db, 0.25)
        return float(np.abs(sent[0] - sent[1]).max()) + float(np.abs(received[0].w_plus - received[1].w_plus).max())

    assert change(6.0) > change(9.0) > 1e-4
    assert change(6.0 + REACH_DB) == 0
    assert change(-5.0) == 0


def test_a_pair_is_at_most_a_twentieth_of_the_codec() -> None:
    def size(module: torch.nn.Module) -> int:
        return sum(parameter.numel() for parameter in module.parameters())

    assert size(AdapterPair()) <= 0.05 * size(JointNetworks())


def test_adapters_come_back_from_their_file(tmp_path: Path) -> None:
    adapters = Adapters((moved(AdapterPair(0.0)), moved(AdapterPair(12.0))))
    adapters.save(tmp_path / "adapters.safetensors")
    again = Adapters.load(tmp_path / "adapters.safetensors")
    assert [float(pair.snr_db) for pair in again.pairs] == [0.0, 12.0]
    slots, design = torch.randn(2, 400), torch.tensor([0.0, 12.0])
    torch.testing.assert_close(again.to_slots(slots, design), adapters.to_slots(slots, design), atol=1e-2, rtol=1e-2)
