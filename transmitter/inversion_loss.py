"""What an inversion minimises.

The loss weighs what facts of this field taught: a perceptual distance alone turns the person into someone else, so
identity is in the loss, the inner face counts twice, and the style vectors are kept close to one common w, where the
prior's faces and its edits are good.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.prior.mobile_stylegan import MobileStyleGan

SIDE = 256
"""Side in pixels at which a face is matched. At 128, where LPIPS sees no finer, skin, hair and eyes stay another's."""


def inner(images: Tensor) -> Tensor:
    """The inner face of squares ``(..., S, S)`` in FFHQ framing: brows to chin, cheek to cheek."""
    side = images.shape[-1]
    kept = slice(side * 22 // 100, side * 84 // 100)
    return images[..., kept, kept]


@dataclass(frozen=True)
class LossWeights:
    """Terms of the inversion's loss.

    Attributes:
        lpips: perceptual distance of the whole square.
        inner_lpips: the same of the inner face, which people look at.
        pixel: mean square error, which holds colour and light.
        identity: 1 - cosine of a face-recognition network.
        offsets: mean square of the style vectors' distance from their mean, in deviations of W.
        pull: mean square of that mean's distance from the mean of W, in deviations of W.
    """

    lpips: float = 1.0
    inner_lpips: float = 1.0
    pixel: float = 1.0
    identity: float = 0.6
    offsets: float = 0.06
    pull: float = 0.004


class InversionLoss:
    """Distance of renders from as many faces, plus the latents' distance from where the prior is good.

    Args:
        faces: ``(B, 3, S, S)`` in [-1, 1].
        lpips: perceptual network.
        identity: face-recognition network.
        prior: whose W the latents are to stay near.
        weights: of the terms.
    """

    def __init__(
        self, faces: Tensor, lpips: Lpips, identity: MobileFaceNet, prior: MobileStyleGan, weights: LossWeights
    ) -> None:
        self._faces, self._lpips, self._identity, self._weights = faces, lpips, identity, weights
        self._mean_w, self._w_std = prior.mean_w, prior.w_std
        with torch.no_grad():
            self._features = lpips.features(faces)
            self._inner_features = lpips.features(inner(faces))
            self._embedding = identity.embed(faces)

    def __call__(self, render: Tensor, w_plus: Tensor) -> Tensor:
        """Losses ``(B,)`` of renders ``(B, 3, S, S)`` of ``w_plus (B, 16, 512)``."""
        weights = self._weights
        whole = self._lpips.compare(self._lpips.features(render), self._features)
        close = self._lpips.compare(self._lpips.features(inner(render)), self._inner_features)
        identity = 1 - (self._identity.embed(render) * self._embedding).sum(-1)
        w = w_plus.mean(1)
        return (
            weights.lpips * whole
            + weights.inner_lpips * close
            + weights.pixel * (render - self._faces).square().mean((1, 2, 3))
            + weights.identity * identity
            + weights.offsets * ((w_plus - w[:, None]) / self._w_std).square().mean((1, 2))
            + weights.pull * ((w - self._mean_w) / self._w_std).square().mean(1)
        )
