from __future__ import annotations

import pytest
import torch

from shared.errors import WeightsMissing
from shared.perceptual.face_features import EARLY, LATE, WHOLE, FeatureReader
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from transmitter.encoder import ImageEncoder


@pytest.fixture(scope="module")
def reader() -> FeatureReader:
    try:
        return FeatureReader(Lpips.load(), MobileFaceNet.load())
    except WeightsMissing as missing:
        pytest.skip(missing.message)


def test_features_have_the_shapes_that_the_encoder_reads(reader: FeatureReader) -> None:
    faces = torch.rand(2, 3, 96, 96, generator=torch.Generator().manual_seed(1)) * 2 - 1
    with torch.inference_mode():
        features = reader(faces)
    assert [tuple(part.shape) for part in features] == [(2, EARLY, 8, 8), (2, LATE, 7, 7), (2, WHOLE)]


def test_features_tell_faces_apart_and_pass_gradients_on(reader: FeatureReader) -> None:
    faces = (torch.rand(2, 3, 128, 128, generator=torch.Generator().manual_seed(2)) * 2 - 1).requires_grad_()
    features = reader(faces)
    assert not torch.allclose(features.whole[0], features.whole[1])
    (gradient,) = torch.autograd.grad(features.late.square().sum(), faces)
    assert gradient.abs().sum() > 0


def test_the_encoder_tells_w_apart_from_offsets() -> None:
    encoder = ImageEncoder(width=8)
    encoder.axes.copy_(torch.eye(512) * 2)
    w_plus = torch.zeros(1, 16, 512)
    w_plus[:, :, 3] = 4.0
    w_plus[:, 0, 5] = 16.0
    w, offsets = encoder.coordinates(w_plus)
    assert w[0, 3] == 2.0  # in standard deviations of 2
    assert w[0, 5] == pytest.approx(0.5)
    assert offsets[0, 0, 5] == pytest.approx(7.5)
    assert offsets[0, 1, 5] == pytest.approx(-0.5)
