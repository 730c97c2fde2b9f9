"""The two identity networks on one real face, its mirror image and JPEG, and a face that belongs to nobody."""

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from shared.errors import WeightsCorrupt, WeightsMissing
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.perceptual.sface import SFace
from shared.tensors import to_tensor

Picture = NDArray[np.uint8]


def squeezed(picture: Picture) -> Picture:
    buffer = BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=20)
    return np.array(Image.open(buffer))


def mirrored(picture: Picture) -> Picture:
    return np.ascontiguousarray(picture[:, ::-1])


def test_mobilefacenet_output_is_that_of_the_published_network(identity: MobileFaceNet) -> None:
    y, x = np.mgrid[:112, :112] / 112
    crop = torch.from_numpy(np.stack([np.sin(6 * x + 2 * y), np.cos(5 * y * x + 1), x - y]).astype(np.float32))[None]
    with torch.inference_mode():
        embedding = identity(crop)
    # Golden: the published class with the published checkpoint on the same picture, blue first.
    expected = torch.tensor([0.016834158, 0.003046442, 0.069568723, -0.050545368])
    torch.testing.assert_close(embedding[0, :4], expected, atol=1e-5, rtol=0)
    assert embedding.norm().item() == pytest.approx(1, abs=1e-6)


def test_mobilefacenet_knows_a_person_again(identity: MobileFaceNet, astronaut: Picture, stranger: Picture) -> None:
    with torch.inference_mode():
        face = to_tensor(astronaut[None])
        same = [identity.cosine(face, to_tensor(other(astronaut)[None])).item() for other in (mirrored, squeezed)]
        other = identity.cosine(face, to_tensor(stranger[None])).item()
    assert min(same) > 0.8
    assert other < 0.4


def test_mobilefacenet_gradient_moves_a_face_towards_the_person(
    identity: MobileFaceNet, astronaut: Picture, stranger: Picture
) -> None:
    target = identity.embed(to_tensor(astronaut[None]))
    face = to_tensor(stranger[None]).requires_grad_()
    before = (identity.embed(face) * target).sum()
    (gradient,) = torch.autograd.grad(before, face)
    step = 0.01 * gradient / gradient.square().mean().sqrt()
    assert (identity.embed(face + step) * target).sum().item() > before.item() + 0.05


def test_sface_knows_a_person_again(judge: SFace, astronaut: Picture, stranger: Picture) -> None:
    assert judge.cosine(astronaut, astronaut) == pytest.approx(1, abs=1e-5)
    assert judge.cosine(astronaut, mirrored(astronaut)) > 0.8
    assert judge.cosine(astronaut, squeezed(astronaut)) > 0.8
    assert judge.cosine(astronaut, stranger) < 0.36


def test_sface_reads_red_first(judge: SFace, astronaut: Picture) -> None:
    # Golden: OpenCV's own FaceRecognizerSF gives the same embedding to a cosine of 0.99997.
    embedding = judge.embed(astronaut)
    assert embedding.shape == (128,)
    assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-5)
    assert embedding @ judge.embed(np.ascontiguousarray(astronaut[..., ::-1])) < 0.97


def test_sface_refuses_what_is_not_a_square_picture(judge: SFace, astronaut: Picture) -> None:
    for wrong in (astronaut[:100], astronaut.astype(np.float32), astronaut[..., 0]):
        with pytest.raises(ValueError, match="uint8"):
            judge.embed(wrong)


def test_sface_without_its_file_names_the_command(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="deepsc models pull"):
        SFace.load(tmp_path / "sface.onnx")
    (tmp_path / "sface.onnx").write_bytes(b"not a network")
    with pytest.raises(WeightsCorrupt, match="does not open"):
        SFace.load(tmp_path / "sface.onnx")
