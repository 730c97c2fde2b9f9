"""MS-SSIM against the same measure elsewhere, and where it has room for no more scales."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data

from evaluation.metrics import ssim
from evaluation.ms_ssim import ms_ssim, scales_of


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    return np.ascontiguousarray(skimage.data.astronaut()[:256, 128:384])


def noisy(face: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(1).normal(0, deviation, face.shape)
    return np.clip(face + noise, 0, 255).astype(np.uint8)


def test_five_scales_are_those_of_pytorch_msssim(face: np.ndarray) -> None:
    # Its version 1.0.0 on the same pictures.
    brighter = np.clip(face.astype(int) + 20, 0, 255).astype(np.uint8)
    assert ms_ssim(noisy(face, 20), face) == pytest.approx(0.848046, abs=2e-5)
    assert ms_ssim(face[:, ::-1], face) == pytest.approx(0.090794, abs=5e-5)
    assert ms_ssim(brighter, face) == pytest.approx(0.998530, abs=2e-5)


def test_one_scale_is_ssim(face: np.ndarray) -> None:
    assert ms_ssim(noisy(face, 20), face, scales=1) == pytest.approx(ssim(noisy(face, 20), face), abs=1e-9)


def test_it_is_one_for_equal_and_falls_with_noise_however_few_the_scales(face: np.ndarray) -> None:
    for side in (11, 64, 128, 256):
        part = face[:side, :side]
        assert ms_ssim(part, part) == pytest.approx(1)
        assert 1 > ms_ssim(noisy(part, 5), part) > ms_ssim(noisy(part, 60), part) >= 0


def test_a_negative_picture_is_zero_and_no_power_of_a_negative_number(face: np.ndarray) -> None:
    assert ms_ssim(255 - face, face) == 0


def test_scales_are_those_that_hold_a_window() -> None:
    assert [scales_of(side) for side in (10, 11, 128, 175, 176, 1024)] == [0, 1, 4, 4, 5, 5]


def test_what_has_no_room_or_another_shape_is_refused(face: np.ndarray) -> None:
    with pytest.raises(ValueError, match="room for 0"):
        ms_ssim(face[:10, :10], face[:10, :10])
    with pytest.raises(ValueError, match="room for 4 scales, not for 5"):
        ms_ssim(face[:128, :128], face[:128, :128], scales=5)
    with pytest.raises(ValueError, match="different shapes"):
        ms_ssim(face, face[:128])
