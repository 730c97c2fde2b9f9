import math

import numpy as np
import pytest
import skimage.data

from evaluation.metrics import psnr_db, ssim


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
