"""The torch port against outputs of the published graph, run once by OpenVINO in float32.

`golden.safetensors` holds three seeded z, the graph's w, its 1024 px images averaged down to 64 px, and a full
resolution crop of 32 px around the left eye, at row 464 and column 368.
"""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.nn import functional as F

from shared.errors import WeightsMissing
from shared.prior.face_prior import broadcast_w
from shared.prior.mobile_stylegan import CHANNELS, FEATURE_SIZES, MobileStyleGan, inverse_haar

GOLDEN = load_file(Path(__file__).with_name("golden.safetensors"))
W_TOLERANCE = 2e-5  # w has a standard deviation of 0.4
IMAGE_TOLERANCE = 5e-4  # an eighth of one step of an 8 bit image


def random_w_plus(prior: MobileStyleGan, batch: int) -> torch.Tensor:
    """Latents near W whose sixteen styles all differ."""
    generator = torch.Generator().manual_seed(3)
    w = prior.mapping(torch.randn(batch, 512, generator=generator))
    return broadcast_w(w) + 0.1 * torch.randn(batch, 16, 512, generator=generator)


def test_mapping_equals_the_published_graph(prior: MobileStyleGan) -> None:
    assert (prior.mapping(GOLDEN["z"]) - GOLDEN["w"]).abs().max() < W_TOLERANCE


def test_synthesis_equals_the_published_graph(prior: MobileStyleGan) -> None:
    images = prior.synthesis(broadcast_w(GOLDEN["w"]))
    assert images.shape == (3, 3, 1024, 1024)
    assert (F.avg_pool2d(images, 16) - GOLDEN["image_64px"]).abs().max() < IMAGE_TOLERANCE
    assert (images[:, :, 464:496, 368:400] - GOLDEN["crop_464_368"]).abs().max() < IMAGE_TOLERANCE


def test_prior_is_frozen_and_in_eval_mode(prior: MobileStyleGan) -> None:
    assert not prior.training
    assert not any(parameter.requires_grad for parameter in prior.parameters())


def test_features_have_the_documented_shapes(prior: MobileStyleGan) -> None:
    w_plus = random_w_plus(prior, 1)
    for size, channels in zip(FEATURE_SIZES[:6], CHANNELS[:6], strict=True):
        assert prior.features(w_plus, size).shape == (1, channels, size, size)


def test_a_batch_gives_what_its_items_give_alone(prior: MobileStyleGan) -> None:
    w_plus = random_w_plus(prior, 2)
    alone = torch.cat([prior.features(row[None], 64) for row in w_plus])
    torch.testing.assert_close(prior.features(w_plus, 64), alone, atol=1e-4, rtol=1e-4)


def test_gradient_reaches_exactly_the_styles_in_use(prior: MobileStyleGan) -> None:
    w_plus = random_w_plus(prior, 1).requires_grad_()
    (gradient,) = torch.autograd.grad(prior.features(w_plus, 64).square().mean(), w_plus)
    reached = gradient.abs().sum(dim=(0, 2)) > 0
    assert reached.tolist() == [True] * 9 + [False] * 7  # conv1 and four blocks


def test_each_style_drives_its_own_layers(prior: MobileStyleGan) -> None:
    w_plus = random_w_plus(prior, 1)
    changed = w_plus.clone()
    changed[:, 7] += 0.5  # `up` and `conv1` of the block at 64 px
    assert torch.equal(prior.features(w_plus, 32), prior.features(changed, 32))
    assert not torch.allclose(prior.features(w_plus, 64), prior.features(changed, 64), atol=1e-3)


def test_inverse_haar_equals_the_transposed_filters() -> None:
    x = torch.randn(2, 12, 4, 5, generator=torch.Generator().manual_seed(0))
    a = 0.5**0.5
    taps = {"low": torch.tensor([a, a]), "high": torch.tensor([a, -a])}
    low, (rows, columns, diagonal) = x[:, :3], x[:, 3:].reshape(2, 3, 3, 4, 5).unbind(2)
    expected = torch.zeros(2, 3, 8, 10)
    for band, down, across in (
        (low, "low", "low"),
        (rows, "high", "low"),
        (columns, "low", "high"),
        (diagonal,) + ("high",) * 2,
    ):
        kernel = torch.outer(taps[down], taps[across]).expand(3, 1, 2, 2)
        expected += F.conv_transpose2d(band, kernel, stride=2, groups=3)
    torch.testing.assert_close(inverse_haar(x), expected)


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_where_a_gradient_is_asked_for_inverse_haar_gives_the_same_picture_and_that_gradient(
    memory_format: torch.memory_format,
) -> None:
    x = torch.randn(2, 12, 4, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    x = x.to(memory_format=memory_format)
    wanting = x.clone().requires_grad_()
    torch.testing.assert_close(inverse_haar(wanting).detach(), inverse_haar(x))
    assert torch.autograd.gradcheck(inverse_haar, (wanting,))


def test_half_size_is_the_mean_of_each_square_of_the_full_picture(prior: MobileStyleGan) -> None:
    w_plus = random_w_plus(prior, 1)
    means = F.avg_pool2d(prior.synthesis(w_plus, 1024), 2)
    torch.testing.assert_close(prior.synthesis(w_plus, 512), means, atol=2e-5, rtol=0)
    for side in (256, 128):
        torch.testing.assert_close(prior.averaged(w_plus, side), F.avg_pool2d(means, 512 // side), atol=2e-5, rtol=0)


def test_what_a_head_misses_is_the_full_picture_less_its_own(prior: MobileStyleGan) -> None:
    w_plus = random_w_plus(prior, 2)
    for side in (256, 128):
        expected = prior.averaged(w_plus, side) - prior.synthesis(w_plus, side)
        torch.testing.assert_close(prior.missed(w_plus, side), expected, atol=2e-5, rtol=0)


def test_missing_prior_names_the_command_that_brings_it(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="deepsc models pull"):
        MobileStyleGan.load(tmp_path / "prior.safetensors")


def test_wrong_shapes_and_sizes_are_refused(prior: MobileStyleGan) -> None:
    with pytest.raises(ValueError, match="w_plus must be"):
        prior.synthesis(torch.zeros(1, 18, 512))
    with pytest.raises(ValueError, match="no features at 48 px"):
        prior.features(torch.zeros(1, 16, 512), 48)
    with pytest.raises(ValueError, match="cannot render at 300 px"):
        prior.synthesis(torch.zeros(1, 16, 512), 300)
