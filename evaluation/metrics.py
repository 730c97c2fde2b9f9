"""PSNR and SSIM of two pictures of one shape, uint8 RGB `(H, W, 3)`, taken at their own resolution."""

import math

import numpy as np
from skimage.metrics import structural_similarity

from shared.pictures import Picture

PEAK = 255.0


def psnr_db(picture: Picture, reference: Picture) -> float:
    """Return the peak signal-to-noise ratio, 10 log10(255^2 / MSE), in dB; infinite for equal pictures."""
    _check_same_shape(picture, reference)
    mean_square = float(np.mean((picture.astype(np.float64) - reference.astype(np.float64)) ** 2))
    return math.inf if mean_square == 0 else 10 * math.log10(PEAK**2 / mean_square)


def ssim(picture: Picture, reference: Picture) -> float:
    """Return the structural similarity (Wang et al., IEEE TIP 2004, Gaussian window of 1.5 px), mean over colours."""
    _check_same_shape(picture, reference)
    return float(
        structural_similarity(
            picture,
            reference,
            channel_axis=2,
            data_range=PEAK,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
    )


def _check_same_shape(picture: Picture, reference: Picture) -> None:
    if picture.shape != reference.shape:
        raise ValueError(f"pictures of different shapes cannot be compared: {picture.shape} and {reference.shape}")
