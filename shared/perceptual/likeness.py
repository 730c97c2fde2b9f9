"""How near one face is to another, in the two numbers this project reports: LPIPS, and identity by SFace."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from shared.perceptual.lpips import Lpips
from shared.perceptual.sface import SFace
from shared.tensors import to_tensor

SIDE = 256
"""Side in pixels at which LPIPS compares; pictures of other sizes are resized to it."""


class Likeness:
    """Compares FFHQ-framed faces. Safe to share between threads.

    Neither network is part of any loss as it stands here: LPIPS guides the inversion at 128 px, SFace guides nothing.

    Example::

        lpips, identity_cosine = Likeness.load()(received, intended)
    """

    def __init__(self, lpips: Lpips, sface: SFace) -> None:
        self._lpips = lpips
        self._sface = sface

    @classmethod
    def load(cls) -> Likeness:
        """With the pulled networks.

        Raises:
            WeightsMissing: if they were not pulled.
        """
        return cls(Lpips.load(), SFace.load())

    def __call__(self, face: NDArray[np.uint8], other: NDArray[np.uint8]) -> tuple[float, float]:
        """LPIPS and identity cosine of two RGB squares ``(S, S, 3)``, each of its own size."""
        with torch.inference_mode():
            distance = self._lpips(to_tensor(face[None], SIDE), to_tensor(other[None], SIDE))
        return float(distance[0]), self._sface.cosine(face, other)
