import pytest
import torch
from torch.nn import functional as F

from shared.perceptual.crop import ARCFACE_POINTS, CROP_SIDE, FFHQ_POINTS, crop_box, recognition_crop


def test_fit_brings_every_landmark_near_its_place() -> None:
    left, top, side = crop_box()
    for (x, y), (u, v) in zip(FFHQ_POINTS, ARCFACE_POINTS, strict=True):
        assert CROP_SIDE * (x - left) / side == pytest.approx(u, abs=3)
        assert CROP_SIDE * (y - top) / side == pytest.approx(v, abs=3)


@pytest.mark.parametrize("side", [128, 256, 512])
def test_a_spot_at_the_eye_appears_at_the_eye(side: int) -> None:
    x, y = FFHQ_POINTS[0]
    columns = (torch.arange(side) + 0.5) / side
    spot = torch.exp(-((columns[None, :] - x) ** 2 + (columns[:, None] - y) ** 2) / (2 * 0.01**2))
    crop = recognition_crop(spot[None, None].expand(1, 3, -1, -1))[0, 0]
    row, column = divmod(int(crop.argmax()), CROP_SIDE)
    left, top, width = crop_box()
    assert column + 0.5 == pytest.approx(CROP_SIDE * (x - left) / width, abs=1)
    assert row + 0.5 == pytest.approx(CROP_SIDE * (y - top) / width, abs=1)


def test_crop_hardly_depends_on_the_resolution() -> None:
    smooth = F.interpolate(torch.rand(1, 3, 12, 12, generator=torch.Generator().manual_seed(3)), 512, mode="bicubic")
    crops = [recognition_crop(F.interpolate(smooth, (side, side), mode="area")) for side in (128, 256, 512)]
    assert (crops[1] - crops[2]).abs().max() < 0.02
    assert (crops[0] - crops[2]).abs().max() < 0.06


def test_gradient_reaches_the_picture() -> None:
    picture = torch.rand(2, 3, 160, 160, requires_grad=True)
    recognition_crop(picture).sum().backward()
    assert picture.grad is not None
    assert (picture.grad[:, :, 80, 80] > 0).all()
    assert (picture.grad[:, :, 0, 0] == 0).all()  # the crop leaves the corners out


def test_oblong_pictures_are_refused() -> None:
    with pytest.raises(ValueError, match="squares"):
        recognition_crop(torch.zeros(1, 3, 128, 100))
