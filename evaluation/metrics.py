"""How close is one face to another? The four measures every table here uses, on uint8 RGB squares `(S, S, 3)`.

LPIPS is always taken at 256 px, whatever the resolution served, because it depends on it: larger squares are reduced
with antialiasing, smaller ones enlarged. Identity is SFace, which no loss of this project uses. PSNR and SSIM are
taken at the resolution of the pictures.
"""

import math
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from shared.perceptual.lpips import Lpips
from shared.perceptual.sface import SFace
from shared.tensors import to_tensor

Picture = NDArray[np.uint8]

LPIPS_SIDE = 256
PEAK = 255.0


class FaceMetrics:
    """LPIPS and identity; each network is loaded when it is first asked. May be shared between threads.

    Raises `WeightsMissing` on first use when a network has not been pulled.
    """

    @cached_property
    def _lpips(self) -> Lpips:
        return Lpips.load()

    @cached_property
    def _judge(self) -> SFace:
        return SFace.load()

    def lpips(self, picture: Picture, reference: Picture) -> float:
        """Return the LPIPS distance (version 0.1, AlexNet) at 256 px: 0 when equal, about 0.5 between two people."""
        _check_square(picture)
        _check_square(reference)
        with torch.inference_mode():
            return float(self._lpips(*(to_tensor(square[None].copy(), LPIPS_SIDE) for square in (picture, reference))))

    def identity_cosine(self, picture: Picture, reference: Picture) -> float:
        """Return the cosine of the SFace embeddings of two FFHQ-framed faces: 1 when equal, about 0.1 for strangers."""
        return self._judge.cosine(picture, reference)


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


def _check_square(picture: Picture) -> None:
    if picture.ndim != 3 or picture.shape[0] != picture.shape[1] or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"expected (S, S, 3) uint8, got {picture.shape} {picture.dtype}")


def _check_same_shape(picture: Picture, reference: Picture) -> None:
    if picture.shape != reference.shape:
        raise ValueError(f"pictures of different shapes cannot be compared: {picture.shape} and {reference.shape}")
