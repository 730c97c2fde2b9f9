"""How close is one face to another? LPIPS and identity of uint8 RGB squares `(S, S, 3)`.

LPIPS is always taken at 256 px, whatever the resolution served, because it depends on it: larger squares are reduced
with antialiasing, smaller ones enlarged. Identity is SFace, which no loss of this project uses.
"""

from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from shared.perceptual.lpips import Lpips
from shared.perceptual.sface import SFace
from shared.pictures import Picture
from shared.tensors import to_tensor

LPIPS_SIDE = 256


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

    def identity(self, picture: Picture) -> NDArray[np.float32]:
        """Return the SFace embedding `(128,)` of an FFHQ-framed face, of length 1: the cosine is a product of two."""
        return self._judge.embed(picture)


def _check_square(picture: Picture) -> None:
    if picture.ndim != 3 or picture.shape[0] != picture.shape[1] or picture.shape[2] != 3 or picture.dtype != np.uint8:
        raise ValueError(f"expected (S, S, 3) uint8, got {picture.shape} {picture.dtype}")
