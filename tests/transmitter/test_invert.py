from __future__ import annotations

import numpy as np
import pytest
import torch

from shared.errors import WeightsMissing
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.pictures import Picture
from shared.prior.face_prior import broadcast_w
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_pictures
from shared.weights import committed
from transmitter.encoder import FREE_STYLES, ImageEncoder
from transmitter.invert import StyleGanInverter, join_styles
from transmitter.inverter import InversionProgress, ignore_progress


@pytest.fixture(scope="module")
def prior() -> MobileStyleGan:
    try:
        return MobileStyleGan.load()
    except WeightsMissing as missing:
        pytest.skip(missing.message)


@pytest.fixture(scope="module")
def inverter(prior: MobileStyleGan) -> StyleGanInverter:
    def judge(face: Picture, shown: Picture) -> tuple[float, float]:
        return float(np.abs(face.mean() - shown.mean())), 1.0

    encoder = ImageEncoder.load(committed("encoder.safetensors"))
    return StyleGanInverter(prior, encoder, Lpips.load(), MobileFaceNet.load(), judge)


@pytest.fixture(scope="module")
def face(prior: MobileStyleGan) -> Picture:
    with torch.inference_mode():
        z = torch.randn(1, 512, generator=torch.Generator().manual_seed(3))
        w = prior.mean_w + 0.6 * (prior.mapping(z) - prior.mean_w)
        picture: Picture = to_pictures(prior.synthesis(broadcast_w(w).contiguous(), 256))[0]
    return picture


def test_refinement_brings_the_reconstruction_nearer_and_says_so(inverter: StyleGanInverter, face: Picture) -> None:
    seen: list[InversionProgress] = []
    inversion = inverter.invert(face, 6, seen.append)
    assert inversion.w_plus.shape == (16, 512)
    assert inversion.w_plus.dtype == np.float32
    assert inversion.losses[-1] < inversion.losses[0]
    assert [p.step for p in seen if p.stage == "refine"] == [1, 2, 3, 4, 5, 6]


def test_the_same_face_gives_the_same_latent(inverter: StyleGanInverter, face: Picture) -> None:
    first, second = (inverter.invert(face, 1, ignore_progress).w_plus for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_without_refinement_the_encoder_answers_alone(inverter: StyleGanInverter, face: Picture) -> None:
    inversion = inverter.invert(face, 0, ignore_progress)
    assert inversion.losses == ()
    fine = inversion.w_plus[FREE_STYLES:]
    np.testing.assert_array_equal(fine, np.broadcast_to(fine[:1], fine.shape))


def test_an_inversion_is_cancelled_between_steps(inverter: StyleGanInverter, face: Picture) -> None:
    class GoneAwayError(Exception):
        pass

    def leave(progress: InversionProgress) -> None:
        if progress.stage == "refine" and progress.step == 2:
            raise GoneAwayError

    with pytest.raises(GoneAwayError):
        inverter.invert(face, 50, leave)


def test_the_encoder_is_nearer_than_the_mean_face(prior: MobileStyleGan) -> None:
    encoder = ImageEncoder.load(committed("encoder.safetensors"))
    with torch.inference_mode():
        w = prior.mean_w + 0.7 * (
            prior.mapping(torch.randn(8, 512, generator=torch.Generator().manual_seed(9))) - prior.mean_w
        )
        guess = encoder(prior.synthesis(broadcast_w(w).contiguous(), 128))[:, -1]
    assert (guess - w).square().sum() < 0.8 * (prior.mean_w - w).square().sum()


def test_offsets_are_added_to_the_first_styles_only() -> None:
    w, offsets = torch.ones(2, 512), torch.full((2, 9, 512), 0.5)
    joined = join_styles(w, offsets)
    assert joined.shape == (2, 16, 512)
    assert (joined[:, :9] == 1.5).all()
    assert (joined[:, 9:] == 1.0).all()
