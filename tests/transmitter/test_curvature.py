from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from transmitter.curvature import Curvature

APART = torch.tensor((0.3,) * 9 + (0.1,) * 7)


@pytest.fixture(scope="module")
def axes() -> Tensor:
    """Orthogonal axes of falling length."""
    generator = torch.Generator().manual_seed(1)
    turned, _ = torch.linalg.qr(torch.randn(512, 512, generator=generator))
    return turned * torch.linspace(2, 0.1, 512)[:, None]


def drawn(count: int, seed: int) -> Tensor:
    return torch.randn(count, 16, 512, generator=torch.Generator().manual_seed(seed))


def test_gradient_in_the_coordinates_is_that_of_the_step(axes: Tensor) -> None:
    curvature = Curvature.of(drawn(3, 2), axes, APART, rank=2)
    coordinates = torch.zeros(1, 17, 512, requires_grad=True)
    slope = drawn(1, 3)
    (expected,) = torch.autograd.grad((curvature.step(coordinates) * slope).sum(), coordinates)
    torch.testing.assert_close(curvature.gradient(slope), expected, atol=1e-4, rtol=1e-4)


def test_flattening_divides_by_the_curvature_that_was_measured(axes: Tensor) -> None:
    gradients = drawn(4, 4)
    curvature = Curvature.of(gradients, axes, APART, rank=4)
    outer = curvature.gradient(gradients).flatten(1).double()  # (4, 17 * 512)
    probe = curvature.gradient(drawn(1, 5))
    damping = 0.3 * float(curvature.values[0])
    flat = curvature.flattened(probe, damping).flatten(1).double()
    # (H + damping) flat / damping gives the gradient back, with H = E[g g^T].
    back = (flat @ outer.T) @ outer / len(outer) / damping + flat
    torch.testing.assert_close(back, probe.flatten(1).double(), atol=1e-3, rtol=1e-3)


def test_what_hardly_shows_is_left_as_it_is(axes: Tensor) -> None:
    curvature = Curvature.of(drawn(2, 6), axes, APART, rank=2)
    gradient = curvature.gradient(drawn(1, 7)).flatten(1)
    beside = gradient - (gradient @ curvature.vectors.T) @ curvature.vectors
    torch.testing.assert_close(curvature.flattened(beside.view(1, 17, 512), 1e-6).flatten(1), beside)


def test_a_curvature_is_the_same_after_a_file(axes: Tensor, tmp_path: Path) -> None:
    curvature = Curvature.of(drawn(3, 8), axes, APART, rank=3)
    curvature.save(tmp_path / "curvature.safetensors")
    again = Curvature.load(tmp_path / "curvature.safetensors")
    for name in ("axes", "apart", "values", "vectors"):
        torch.testing.assert_close(getattr(again, name), getattr(curvature, name), atol=2e-3, rtol=2e-3)
