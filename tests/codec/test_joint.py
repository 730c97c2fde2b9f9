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
from shared.codec.sizes import SLOTS
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


def seen_error(
    codec: JointCodec | LinearCodec, visible: PerceptualBasis, k: int, snr_db: float, met_snr_db: float | None = None
) -> float:
    """Mean visible error over 40 faces and as many draws of noise, of a link that is as it was designed for or not."""
    met_snr_db = snr_db if met_snr_db is None else met_snr_db
    generator = np.random.default_rng(8)
    weights = visible.visibility * np.square(visible.deviation)
    total = 0.0
    for seed in range(40):
        coefficients = (visible.deviation * generator.standard_normal(8192)).astype(np.float32)
        noisy, noise_power = add_noise(codec.encode(visible.synthesise(coefficients), k, snr_db), met_snr_db, seed)
        error = visible.analyse(codec.decode(noisy, snr_db, noise_power).w_plus) - coefficients
        total += float((weights * np.square(error / visible.deviation)).sum())
    return total / 40


def test_folds_leave_less_to_see_than_a_linear_code(visible: PerceptualBasis) -> None:
    folded, linear = JointCodec(visible, JointNetworks(), 3), LinearCodec(visible, 2)
    assert seen_error(folded, visible, 140, 6.0) < 0.85 * seen_error(linear, visible, 140, 6.0)


@pytest.mark.parametrize("met_snr_db", [-6.0, 0.0, 3.0, 6.0, 12.0])
@pytest.mark.parametrize("k", [64, 140])
def test_a_plan_foretells_the_error_that_is_made_whatever_the_link_turns_out_to_be(
    visible: PerceptualBasis, k: int, met_snr_db: float
) -> None:
    codec = JointCodec(visible, JointNetworks(), 3)
    left = codec.plan(k, 6.0).left(10 ** (-met_snr_db / 10))
    foretold = (codec.importance[: len(left)] * left).sum() + codec.importance[len(left) :].sum()
    assert seen_error(codec, visible, k, 6.0, met_snr_db) == pytest.approx(float(foretold), rel=0.25)


@pytest.mark.parametrize(("k", "snr_db"), [(404, -5.0), (404, -3.0), (64, 0.0), (140, 6.0), (140, 12.0)])
def test_a_plan_is_worth_the_energies_that_it_states(visible: PerceptualBasis, k: int, snr_db: float) -> None:
    plan = JointCodec(visible, JointNetworks(), 3).plan(k, snr_db)
    linear = plan.half_noise / (plan.energy + plan.half_noise)
    np.testing.assert_allclose(plan.left(2 * plan.half_noise), linear, rtol=1e-5)


@pytest.mark.parametrize("k", LENGTHS)
@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 21.0])
def test_a_plan_spends_all_energy_on_slots_that_exist(visible: PerceptualBasis, k: int, snr_db: float) -> None:
    plan = JointCodec(visible, JointNetworks(), 3).plan(k, snr_db)
    folded = sum(float(level.energy.sum()) for level in plan.levels)
    assert plan.gain_energy + plan.sent.sum() + folded == pytest.approx(k)
    assert len(plan.sent) + 2 * sum(len(level.energy) for level in plan.levels) <= 2 * (k - 1)


@pytest.mark.parametrize("snr_db", [-10.0, 0.0, 21.0])
def test_a_level_of_folds_has_folds_and_no_more_than_the_level_before(visible: PerceptualBasis, snr_db: float) -> None:
    codec = JointCodec(visible, JointNetworks(), 3)
    for k in (16, 40, 148, 404):
        counts = [len(level.energy) for level in codec.plan(k, snr_db).levels]
        assert counts == sorted(counts, reverse=True)
        assert 0 not in counts


def test_a_worse_channel_than_expected_is_no_cliff(visible: PerceptualBasis) -> None:
    """A frame made for 6 dB that meets less: the error rises step by step, and never above that of knowing nothing."""
    codec = JointCodec(visible, JointNetworks(), 3)
    generator = np.random.default_rng(9)
    face = visible.synthesise((visible.deviation * generator.standard_normal(8192)).astype(np.float32))
    sent, errors = codec.encode(face, 140, 6.0), []
    for snr_db in (6.0, 3.0, 0.0, -3.0):
        noisy = [add_noise(sent, snr_db, seed) for seed in range(20)]
        decoded = [codec.decode(symbols, 6.0, noise_power).w_plus for symbols, noise_power in noisy]
        errors.append(np.mean([np.square(latent - face).sum() for latent in decoded]))
    assert errors == sorted(errors)
    assert errors[-1] < np.square(face - visible.mean).sum()


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
    slots, design = torch.randn(2, SLOTS), torch.tensor([0.0, 12.0])
    torch.testing.assert_close(again.to_slots(slots, design), adapters.to_slots(slots, design), atol=1e-2, rtol=1e-2)
