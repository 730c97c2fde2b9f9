"""Steps towards the least of losses whose least is known."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from transmitter.curvature import Curvature
from transmitter.descent import Descent, Pace

STEEPEST = 100.0


@pytest.fixture
def curvature() -> Curvature:
    """One that knows of no direction: what it is not told, steps have to find out."""
    return Curvature(torch.eye(512), torch.ones(16), torch.ones(1), torch.zeros(1, 17 * 512))


def bowls(seed: int = 1, faces: int = 2) -> tuple[Tensor, Tensor]:
    """Of each face the least, ``(B, 16, 512)``, and how steep each of the numbers is, the same shape."""
    generator = torch.Generator().manual_seed(seed)
    least = torch.randn(faces, 16, 512, generator=generator)
    steep = STEEPEST ** torch.rand(faces, 16, 512, generator=generator)
    return least, steep / 8192


def descend(curvature: Curvature, pace: Pace, steps: int, faces: int = 2) -> tuple[Tensor, list[float]]:
    """Losses at the end ``(B,)``, and the least of the first face after each step."""
    least, steep = bowls(faces=faces)
    w_plus = torch.zeros_like(least)
    descent, losses = Descent(w_plus, curvature, pace), []

    def loss_of(w_plus: Tensor) -> Tensor:
        return 0.5 * (steep * (w_plus - least).square()).sum((1, 2))

    for _ in range(steps):
        w_plus = descent.step(loss_of(w_plus), steep * (w_plus - least))
        losses.append(float(descent.loss[0]))
    return loss_of(descent.best(loss_of(w_plus))), losses


PACE = Pace(damping=0.05)


def test_what_was_learned_on_the_way_brings_a_face_down_faster(curvature: Curvature) -> None:
    with_memory, _ = descend(curvature, PACE, 20)
    without, _ = descend(curvature, Pace(damping=0.05, memory=0), 20)
    assert (with_memory < 0.5 * without).all()


def test_where_the_mean_curvature_is_the_faces_own_the_first_step_is_newtons() -> None:
    generator = torch.Generator().manual_seed(4)
    seen = torch.randn(6, 16, 512, generator=generator)  # what the loss looks at
    least = torch.randn(1, 16, 512, generator=generator)
    descent = Descent(
        torch.zeros(1, 16, 512), Curvature.of(seen, torch.eye(512), torch.ones(16), 6), Pace(size=1.0, damping=1.0)
    )

    def off(w_plus: Tensor) -> Tensor:
        return (seen * (w_plus - least)).sum((1, 2))

    at_first = off(torch.zeros(1, 16, 512))
    gradient = (at_first[:, None, None] * seen).mean(0, keepdim=True)
    stepped = descent.step(0.5 * at_first.square().mean()[None], gradient)
    assert off(stepped).square().mean() < 1e-4 * at_first.square().mean()


def test_the_least_loss_never_rises_and_the_best_latent_has_it(curvature: Curvature) -> None:
    end, losses = descend(curvature, Pace(size=40.0, damping=0.05), 15)
    assert losses == sorted(losses, reverse=True)
    assert end[0] <= losses[-1] < losses[0]


def test_faces_side_by_side_go_as_each_would_alone(curvature: Curvature) -> None:
    _, alone = descend(curvature, PACE, 8, faces=1)
    least, steep = bowls(faces=1)
    several = Descent(torch.zeros(3, 16, 512), curvature, PACE)
    w_plus, together = torch.zeros(3, 16, 512), []
    scales = torch.tensor([1.0, 7.0, 0.2])[:, None, None]
    for _ in range(8):
        loss = 0.5 * (scales * steep * (w_plus - least).square()).sum((1, 2))
        w_plus = several.step(loss, scales * steep * (w_plus - least))
        together.append(float(several.loss[0]))
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


def test_a_loss_that_is_no_number_is_a_slip(curvature: Curvature) -> None:
    least, steep = bowls(faces=1)
    w_plus = torch.zeros(1, 16, 512)
    descent = Descent(w_plus, curvature, PACE)

    def loss_of(w_plus: Tensor) -> Tensor:
        return 0.5 * (steep * (w_plus - least).square()).sum((1, 2))

    first = loss_of(w_plus)
    descent.step(first, steep * (w_plus - least))
    w_plus = descent.step(torch.tensor([torch.nan]), torch.full((1, 16, 512), torch.nan))
    for _ in range(5):
        w_plus = descent.step(loss_of(w_plus), steep * (w_plus - least))
    assert torch.isfinite(w_plus).all()
    assert loss_of(descent.best(loss_of(w_plus))) < first
