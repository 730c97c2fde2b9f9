import math

import pytest
import torch
from torch.nn import functional as F

from shared.errors import WeightsMissing
from shared.prior import mobile_stylegan
from shared.prior.face_prior import broadcast_w, truncate
from shared.prior.heads import FIRST_STYLE, Head, make_heads
from shared.prior.mobile_stylegan import MobileStyleGan


def near_w(prior: MobileStyleGan) -> torch.Tensor:
    """Two latents at psi 0.7 with small offsets per style."""
    generator = torch.Generator().manual_seed(5)
    w = truncate(prior.mapping(torch.randn(2, 512, generator=generator)), prior.mean_w, 0.7)
    return broadcast_w(w) + 0.05 * torch.randn(2, 16, 512, generator=generator)


def test_heads_draw_what_averaging_the_full_picture_gives(prior: MobileStyleGan) -> None:
    w_plus = near_w(prior)
    full = prior.synthesis(w_plus, 1024).clamp(-1, 1)
    for resolution in (128, 256):
        drawn = prior.synthesis(w_plus, resolution).clamp(-1, 1)
        assert drawn.shape == (2, 3, resolution, resolution)
        psnr_db = 10 * math.log10(4 / F.mse_loss(drawn, F.avg_pool2d(full, 1024 // resolution)).item())
        assert psnr_db > 23  # 26 dB on average, see weights/heads.md; another face would be below 10 dB


def test_every_style_matters_at_128_px(prior: MobileStyleGan) -> None:
    w_plus = near_w(prior)[:1].requires_grad_()
    (gradient,) = torch.autograd.grad(prior.synthesis(w_plus, 128).square().mean(), w_plus)
    assert (gradient.abs().sum(dim=(0, 2)) > 0).all()


def test_an_untrained_head_ignores_no_unseen_style() -> None:
    head = Head(128)
    torch.nn.init.ones_(head.modulation.weight)
    features = torch.ones(1, 256, 128, 128)
    offsets = torch.zeros(1, 16, 512)
    plain = head(features, offsets)
    for style in range(16):
        changed = offsets.clone()
        changed[:, style] = 0.1
        assert torch.equal(head(features, changed), plain) == (style < FIRST_STYLE[128])


def test_heads_are_keyed_by_resolution() -> None:
    assert list(make_heads()) == ["128", "256"]


def test_missing_heads_are_reported(
    prior: MobileStyleGan,  # noqa: ARG001  skips where the prior itself is missing
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def nothing_committed(name: str) -> None:
        raise WeightsMissing(name)

    monkeypatch.setattr(mobile_stylegan, "committed", nothing_committed)
    with pytest.raises(WeightsMissing, match=r"heads\.safetensors"):
        MobileStyleGan.load()
    bare = MobileStyleGan.load(with_heads=False)
    with pytest.raises(ValueError, match="cannot render at 128 px"):
        bare.synthesis(torch.zeros(1, 16, 512), 128)


def test_a_preview_is_close_to_the_picture_and_differentiable(prior: MobileStyleGan) -> None:
    w_plus = near_w(prior).requires_grad_()
    preview = prior.preview(w_plus)
    with torch.no_grad():
        picture = prior.synthesis(w_plus, 128)
    assert preview.shape == picture.shape
    psnr_db = 10 * math.log10(4 / F.mse_loss(preview.detach().clamp(-1, 1), picture.clamp(-1, 1)).item())
    assert psnr_db > 20  # 24.6 dB on average, see weights/preview.md
    (gradient,) = torch.autograd.grad(preview.square().mean(), w_plus)
    assert (gradient.abs().sum(dim=(0, 2)) > 0).all()
