from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from shared.errors import WeightsCorrupt, WeightsMissing
from shared.models.catalogue import model_path
from shared.perceptual.lpips import Lpips


def waves(side: int = 64) -> tuple[Tensor, Tensor, Tensor]:
    """Three synthetic pictures (1, 3, side, side): one, a slightly changed one, and the first upside down."""
    y, x = np.mgrid[:side, :side] / side
    first = np.stack([np.sin(6 * x + 2 * y), np.cos(5 * y * x + 1), x - y])
    changed = np.stack([np.sin(6 * x + 2.3 * y), np.cos(5 * y * x + 1.2), (x - y) ** 2])
    return tuple(torch.from_numpy(image.astype(np.float32).copy())[None] for image in (first, changed, first[:, ::-1]))  # type: ignore[return-value]


def test_distances_are_those_of_the_published_network(lpips: Lpips) -> None:
    first, changed, upside_down = waves()
    # Golden: the published weights in a loop of float64 numpy convolutions, written independently of this code.
    assert lpips(first, changed).item() == pytest.approx(0.1073908, abs=1e-5)
    assert lpips(first, upside_down).item() == pytest.approx(0.2005953, abs=1e-5)


def test_distance_is_zero_to_itself_and_symmetric(lpips: Lpips) -> None:
    first, changed, _ = waves()
    assert lpips(first, first).item() == 0
    assert lpips(first, changed).item() == pytest.approx(lpips(changed, first).item(), rel=1e-6)


def test_each_image_of_a_batch_is_compared_with_its_own_partner(lpips: Lpips) -> None:
    first, changed, upside_down = waves()
    together = lpips(torch.cat([first, first]), torch.cat([changed, upside_down]))
    torch.testing.assert_close(together, torch.cat([lpips(first, changed), lpips(first, upside_down)]))


def test_features_of_one_target_serve_a_whole_batch(lpips: Lpips) -> None:
    first, changed, upside_down = waves()
    distances = lpips.compare(lpips.features(torch.cat([changed, upside_down])), lpips.features(first))
    torch.testing.assert_close(distances, torch.cat([lpips(changed, first), lpips(upside_down, first)]))


def test_gradient_descent_lowers_the_distance(lpips: Lpips) -> None:
    image, target, _ = waves()
    image = image.clone().requires_grad_()
    before = lpips(image, target)
    (gradient,) = torch.autograd.grad(before.sum(), image)
    after = lpips(image - 0.002 * gradient / gradient.square().mean().sqrt(), target)
    assert after.item() < before.item() - 0.0005


def test_gradient_is_finite_on_flat_pictures(lpips: Lpips) -> None:
    flat = torch.zeros(1, 3, 64, 64, requires_grad=True)
    lpips(flat, torch.ones(1, 3, 64, 64)).sum().backward()
    assert flat.grad is not None
    assert torch.isfinite(flat.grad).all()


def test_no_weight_is_trained(lpips: Lpips) -> None:
    assert not any(parameter.requires_grad for parameter in lpips.parameters())
    assert not lpips.training


@pytest.mark.parametrize("shape", [(3, 64, 64), (1, 1, 64, 64), (1, 3, 16, 64)])
def test_other_shapes_are_refused(lpips: Lpips, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="expected images"):
        lpips.features(torch.zeros(shape))


def test_missing_weights_name_the_command(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="deepsc models pull"):
        Lpips.load(tmp_path / "lpips.safetensors")


def test_weights_of_another_network_are_corrupt(tmp_path: Path) -> None:
    save_file({"features.0.weight": torch.zeros(1)}, tmp_path / "other.safetensors")
    (tmp_path / "noise.safetensors").write_bytes(b"\x00" * 64)
    for name in ("other.safetensors", "noise.safetensors"):
        with pytest.raises(WeightsCorrupt, match="Lpips"):
            Lpips.load(tmp_path / name)


def test_published_heads_are_not_negative(lpips: Lpips) -> None:
    assert lpips.heads  # without a negative head no difference can make two pictures more alike
    weights = load_file(model_path("lpips"))
    assert all((weights[f"lin{i}.weight"] >= 0).all() for i in range(5))
