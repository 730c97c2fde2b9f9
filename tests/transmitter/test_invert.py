from __future__ import annotations

import numpy as np
import pytest
import torch

from shared.codec.catalogue import load_codec
from shared.errors import InvalidInput, WeightsMissing
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.pictures import Picture
from shared.prior.face_prior import broadcast_w
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_pictures, to_tensor
from shared.weights import committed
from transmitter.curvature import Curvature
from transmitter.descent import Pace
from transmitter.encoder import ImageEncoder
from transmitter.invert import StyleGanInverter
from transmitter.inverter import InversionProgress, Refinement, ignore_progress
from transmitter.models import load_inverter
from transmitter.receptions import Receptions
from transmitter.symbols import MAX_USES, SymbolBudget


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
    curvature = Curvature.load(committed("curvature.safetensors"))
    return StyleGanInverter(prior, encoder, Lpips.load(), MobileFaceNet.load(), judge, curvature)


@pytest.fixture(scope="module")
def face(prior: MobileStyleGan) -> Picture:
    with torch.inference_mode():
        z = torch.randn(1, 512, generator=torch.Generator().manual_seed(3))
        w = prior.mean_w + 0.6 * (prior.mapping(z) - prior.mean_w)
        picture: Picture = to_pictures(prior.synthesis(broadcast_w(w).contiguous(), 256))[0]
    return picture


def test_refinement_brings_the_reconstruction_nearer_and_says_so(inverter: StyleGanInverter, face: Picture) -> None:
    seen: list[InversionProgress] = []
    inversion = inverter.invert(face, Refinement(6), seen.append)
    assert inversion.w_plus.shape == (16, 512)
    assert inversion.w_plus.dtype == np.float32
    assert inversion.losses[-1] < inversion.losses[0]
    assert [p.step for p in seen if p.stage == "refine"] == [1, 2, 3, 4, 5, 6]


def test_the_same_face_gives_the_same_latent(inverter: StyleGanInverter, face: Picture) -> None:
    first, second = (inverter.invert(face, Refinement(1), ignore_progress).w_plus for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_without_refinement_the_encoder_answers_alone(inverter: StyleGanInverter, face: Picture) -> None:
    seen: list[InversionProgress] = []
    inversion = inverter.invert(face, Refinement(0), seen.append)
    assert inversion.losses == ()
    assert {progress.stage for progress in seen} == {"encode"}


def test_refinement_ends_when_its_time_is_up(inverter: StyleGanInverter, face: Picture) -> None:
    inversion = inverter.invert(face, Refinement(1000, seconds=0.5), ignore_progress)
    assert 1 <= len(inversion.losses) < 100


def test_what_the_head_for_small_pictures_misses_is_not_put_into_the_latent(
    prior: MobileStyleGan, face: Picture
) -> None:
    reddish = MobileStyleGan.load()
    head = reddish.heads["256"]
    with torch.no_grad():
        head.conv.bias += torch.tensor([0.3, 0.0, 0.0])

    def redness(inverter: StyleGanInverter) -> float:
        w_plus = torch.from_numpy(inverter.invert(face, Refinement(6), ignore_progress).w_plus)[None]
        with torch.inference_mode():
            return float(prior.synthesis(w_plus, 512)[:, 0].mean())

    assert abs(redness(load_inverter(reddish)) - redness(load_inverter(prior))) < 0.05


def test_an_inversion_for_a_link_is_nearer_when_it_has_arrived(prior: MobileStyleGan, face: Picture) -> None:
    receptions = Receptions(load_codec(), SymbolBudget(MAX_USES))
    inverter = load_inverter(prior, receptions)
    lpips = Lpips.load()

    def arrived_off(refinement: Refinement) -> float:
        arriving = receptions.expected(inverter.invert(face, refinement, ignore_progress).w_plus, -5.0)
        with torch.inference_mode():
            shown = prior.synthesis(torch.from_numpy(arriving)[None], 128)
            return float(lpips(shown, to_tensor(face[None], 128)))

    assert arrived_off(Refinement(4, for_snr_db=-5.0)) < 0.95 * arrived_off(Refinement(4))


def test_an_inverter_without_a_link_cannot_invert_for_one(inverter: StyleGanInverter, face: Picture) -> None:
    with pytest.raises(InvalidInput, match="no link"):
        inverter.invert(face, Refinement(1, for_snr_db=0.0), ignore_progress)


def test_a_face_that_stepped_too_far_goes_back_and_on_in_shorter_steps(prior: MobileStyleGan, face: Picture) -> None:
    encoder = ImageEncoder.load(committed("encoder.safetensors"))
    curvature = Curvature.load(committed("curvature.safetensors"))
    hasty = StyleGanInverter(
        prior, encoder, Lpips.load(), MobileFaceNet.load(), lambda *_: (0.0, 1.0), curvature, pace=Pace(size=8.0)
    )
    inversion = hasty.invert(face, Refinement(8), ignore_progress)
    assert np.isfinite(inversion.w_plus).all()
    assert inversion.losses[-1] < inversion.losses[0]
    assert list(inversion.losses) == sorted(inversion.losses, reverse=True)


def test_an_inversion_is_cancelled_between_steps(inverter: StyleGanInverter, face: Picture) -> None:
    class GoneAwayError(Exception):
        pass

    def leave(progress: InversionProgress) -> None:
        if progress.stage == "refine" and progress.step == 2:
            raise GoneAwayError

    with pytest.raises(GoneAwayError):
        inverter.invert(face, Refinement(50), leave)


def test_a_second_pass_looks_nearer_than_the_first(inverter: StyleGanInverter, prior: MobileStyleGan) -> None:
    lpips = Lpips.load()
    with torch.inference_mode():
        z = torch.randn(6, 512, generator=torch.Generator().manual_seed(9))
        w_plus = broadcast_w(prior.mean_w + 0.7 * (prior.mapping(z) - prior.mean_w)).contiguous()
        faces = prior.synthesis(w_plus, 128)

        def distance(answer: torch.Tensor) -> float:
            return float(lpips(prior.synthesis(answer, 128), faces).mean())

        first, second = (distance(inverter.guess(faces, ignore_progress, passes)) for passes in (1, 2))
        mean_face = distance(prior.mean_w.expand(6, 16, -1).contiguous())
    assert second < first < 0.8 * mean_face
