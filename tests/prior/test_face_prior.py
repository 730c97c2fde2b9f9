import torch

from shared.prior.face_prior import FacePrior, broadcast_w, truncate
from shared.prior.mobile_stylegan import MobileStyleGan


def test_mobile_stylegan_is_a_face_prior(prior: MobileStyleGan) -> None:
    seam: FacePrior = prior  # checked by mypy
    assert (seam.w_dim, seam.num_styles, seam.mean_w.shape) == (512, 16, (512,))


def test_broadcast_repeats_w_for_every_style() -> None:
    w = torch.randn(2, 512, generator=torch.Generator().manual_seed(0))
    w_plus = broadcast_w(w)
    assert w_plus.shape == (2, 16, 512)
    assert all(torch.equal(w_plus[:, i], w) for i in range(16))


def test_truncation_scales_the_distance_to_the_mean() -> None:
    w, mean_w = torch.full((3, 512), 4.0), torch.full((512,), 2.0)
    assert torch.equal(truncate(w, mean_w, 0.5), torch.full((3, 512), 3.0))
    assert torch.equal(truncate(w, mean_w, 1.0), w)
    assert torch.equal(truncate(w, mean_w, 0.0), mean_w.expand(3, -1))
