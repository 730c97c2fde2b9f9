import math

import numpy as np
import pytest
import skimage.data

from evaluation.metrics import FaceMetrics, psnr_db, ssim
from shared.errors import WeightsMissing
from shared.models.catalogue import model_path


@pytest.fixture(scope="module")
def metrics() -> FaceMetrics:
    try:
        model_path("lpips")
        model_path("sface")
    except WeightsMissing as error:
        pytest.skip(error.message)
    return FaceMetrics()


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return np.ascontiguousarray(skimage.data.astronaut()[31:203, 143:315])


def test_psnr_is_its_formula(face: np.ndarray) -> None:
    shifted = np.clip(face.astype(int), 0, 245).astype(np.uint8)
    assert psnr_db(shifted, shifted + 10) == pytest.approx(20 * math.log10(25.5))
    assert psnr_db(face, face) == math.inf


def test_ssim_is_one_for_equal_and_falls_with_noise(face: np.ndarray) -> None:
    noise = np.random.default_rng(1).normal(0, 1, face.shape)
    noisy = [np.clip(face + deviation * noise, 0, 255).astype(np.uint8) for deviation in (5, 40)]
    assert ssim(face, face) == pytest.approx(1)
    assert 1 > ssim(noisy[0], face) > ssim(noisy[1], face) + 0.1


def test_different_shapes_are_refused(face: np.ndarray) -> None:
    for measure in (psnr_db, ssim):
        with pytest.raises(ValueError, match="different shapes"):
            measure(face, face[:100])


def test_lpips_compares_at_one_resolution(metrics: FaceMetrics, face: np.ndarray) -> None:
    mirrored = face[:, ::-1]
    doubled = [picture.repeat(2, axis=0).repeat(2, axis=1) for picture in (face, mirrored)]
    assert metrics.lpips(face, face) == pytest.approx(0, abs=1e-6)
    assert metrics.lpips(doubled[0], doubled[1]) == pytest.approx(metrics.lpips(face, mirrored), abs=0.05)
    with pytest.raises(ValueError, match="uint8"):
        metrics.lpips(face[:100], face)


def test_identity_survives_the_mirror_but_not_a_stranger(metrics: FaceMetrics, face: np.ndarray) -> None:
    assert metrics.identity_cosine(face, np.ascontiguousarray(face[:, ::-1])) > 0.8
    assert metrics.identity_cosine(face, np.ascontiguousarray(face[::-1])) < 0.5
