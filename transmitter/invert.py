"""GAN inversion: one encoder pass, then a bounded number of gradient steps at 128 px. The generator is never tuned.

The loss weighs what facts of this field taught: a perceptual distance alone turns the person into someone else, so
identity is in the loss, the inner face counts twice, and the style vectors are kept close to one common w, where the
prior's faces and its edits are good.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.prior.face_prior import NUM_STYLES
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_pictures, to_tensor
from transmitter.encoder import FREE_STYLES, ImageEncoder
from transmitter.inverter import Inversion, InversionProgress

SIDE = 128
"""Side in pixels at which the face is matched."""

INNER = slice(SIDE * 22 // 100, SIDE * 84 // 100)
"""Rows and columns of the inner face in FFHQ framing: brows to chin, cheek to cheek."""


@dataclass(frozen=True)
class LossWeights:
    """Terms of the inversion's loss.

    Attributes:
        lpips: perceptual distance of the whole square.
        inner_lpips: the same of the inner face, which people look at.
        pixel: mean square error, which holds colour and light.
        identity: 1 - cosine of a face-recognition network.
        offsets: mean square of the style vectors' distance from their common w, in deviations of W.
        pull: mean square of the common w's distance from the mean, in deviations of W.
    """

    lpips: float = 1.0
    inner_lpips: float = 1.0
    pixel: float = 1.0
    identity: float = 0.6
    offsets: float = 0.06
    pull: float = 0.004


class Axes:
    """Coordinates of W in which all directions are about as long: where gradient steps find faces, not just any pixels.

    Args:
        axes: principal axes of W as rows ``(512, 512)``, each as long as its standard deviation, longest first.
    """

    SHORTEST = 0.05
    """Axes shorter than this part of the longest count as so long: they hardly show, and would be drowned in steps."""

    def __init__(self, axes: Tensor) -> None:
        lengths = axes.norm(dim=1, keepdim=True)
        units = axes / lengths
        lengths = lengths.clamp_min(self.SHORTEST * float(lengths[0]))
        self._to_w, self._from_w = units * lengths, (units / lengths).T

    def of(self, step: Tensor) -> Tensor:
        """Step in W ``(..., 512)`` -> coordinates ``(..., 512)``."""
        coordinates: Tensor = step @ self._from_w
        return coordinates

    def step(self, coordinates: Tensor) -> Tensor:
        """Coordinates ``(..., 512)`` -> step in W ``(..., 512)``."""
        step: Tensor = coordinates @ self._to_w
        return step


class InversionLoss:
    """Distance of renders from as many faces at 128 px, plus the latents' distance from where the prior is good."""

    def __init__(
        self, faces: Tensor, lpips: Lpips, identity: MobileFaceNet, prior: MobileStyleGan, weights: LossWeights
    ) -> None:
        self._faces, self._lpips, self._identity, self._weights = faces, lpips, identity, weights
        self._mean_w, self._w_std = prior.mean_w, prior.w_std
        with torch.no_grad():
            self._features = lpips.features(faces)
            self._inner_features = lpips.features(self._inner(faces))
            self._embedding = identity.embed(faces)

    @staticmethod
    def _inner(image: Tensor) -> Tensor:
        return image[:, :, INNER, INNER]

    def __call__(self, render: Tensor, w: Tensor, offsets: Tensor) -> Tensor:
        """Mean loss of renders ``(B, 3, 128, 128)`` of ``w (B, 512)`` with ``offsets (B, n, 512)``."""
        weights = self._weights
        whole = self._lpips.compare(self._lpips.features(render), self._features)
        inner = self._lpips.compare(self._lpips.features(self._inner(render)), self._inner_features)
        identity = 1 - (self._identity.embed(render) * self._embedding).sum(-1)
        return (
            weights.lpips * whole
            + weights.inner_lpips * inner
            + weights.pixel * (render - self._faces).square().mean((1, 2, 3))
            + weights.identity * identity
            + weights.offsets * (offsets / self._w_std).square().mean((1, 2))
            + weights.pull * ((w - self._mean_w) / self._w_std).square().mean(1)
        ).mean()


class StyleGanInverter:
    """`Inverter` by encoder and gradient refinement through the prior's 128 px head. Deterministic.

    Args:
        prior: the face prior.
        encoder: the first guess.
        lpips: perceptual network of the loss.
        identity: face-recognition network of the loss.
        judge: LPIPS and identity cosine of the finished reconstruction against the face, both uint8 ``(S, S, 3)``;
            the identity network is another than the loss's.
        learning_rate: step of Adam along the axes of W, in standard deviations.
        trust: how far the first guess goes from the mean face towards the encoder's answer. The first encoder has seen
            no photo, and halfway its mistakes are undone sooner.
    """

    def __init__(
        self,
        prior: MobileStyleGan,
        encoder: ImageEncoder,
        lpips: Lpips,
        identity: MobileFaceNet,
        judge: Callable[[NDArray[np.uint8], NDArray[np.uint8]], tuple[float, float]],
        weights: LossWeights | None = None,
        learning_rate: float = 0.08,
        trust: float = 0.5,
    ) -> None:
        self._prior, self._encoder, self._lpips, self._identity = prior, encoder, lpips, identity
        self._judge = judge
        self._weights = weights or LossWeights()
        self._learning_rate, self._trust = learning_rate, trust
        self._axes = Axes(encoder.axes)

    def invert(
        self, face: NDArray[np.uint8], refine_steps: int, on_progress: Callable[[InversionProgress], None]
    ) -> Inversion:
        """See `Inverter.invert`."""
        started = time.perf_counter()
        on_progress(InversionProgress("encode", 0, 1))
        target = to_tensor(face[None], SIDE)
        w_plus = self.guess(target)
        on_progress(InversionProgress("encode", 1, 1))
        losses: list[float] = []
        if refine_steps:
            w_plus = self.refine(target, w_plus, refine_steps, on_progress, losses)
        with torch.inference_mode():
            shown = to_pictures(self._prior.synthesis(w_plus, 256))[0]
        lpips, identity_cosine = self._judge(face, shown)
        latent = w_plus[0].numpy().astype(np.float32)
        return Inversion(latent, lpips, identity_cosine, tuple(losses), 1e3 * (time.perf_counter() - started))

    def guess(self, faces: Tensor) -> Tensor:
        """The encoder's answer to ``(B, 3, 128, 128)``, as far as it is trusted: ``(B, 16, 512)``."""
        with torch.no_grad():
            answer: Tensor = self._prior.mean_w + self._trust * (self._encoder(faces) - self._prior.mean_w)
        return answer

    def refine(
        self,
        faces: Tensor,
        w_plus: Tensor,
        steps: int,
        on_progress: Callable[[InversionProgress], None],
        losses: list[float],
    ) -> Tensor:
        """Adam over the common w and the offsets, with a short rise and a cosine fall of the step size.

        Args:
            faces: ``(B, 3, 128, 128)`` in [-1, 1].
            w_plus: first guesses, ``(B, 16, 512)``.
            steps: gradient steps.
            on_progress: called after each; it may raise.
            losses: takes the mean loss before each step.
        """
        loss_of = InversionLoss(faces, self._lpips, self._identity, self._prior, self._weights)
        start = w_plus[:, -1]
        at = self._axes.of(start - self._prior.mean_w).requires_grad_()  # (B, 512)
        apart = self._axes.of(w_plus[:, :FREE_STYLES] - start[:, None]).requires_grad_()  # (B, 9, 512)
        optimiser = torch.optim.Adam([at, apart], lr=self._learning_rate, betas=(0.9, 0.95))
        rise = max(1, steps // 10)
        for step in range(steps):
            fall = 0.5 * (1 + np.cos(np.pi * max(0, step - rise) / max(1, steps - rise)))
            rate = self._learning_rate * min(1.0, (step + 1) / rise) * (0.05 + 0.95 * fall)
            optimiser.param_groups[0]["lr"] = rate
            w, offsets = self._prior.mean_w + self._axes.step(at), self._axes.step(apart)
            loss = loss_of(self._prior.synthesis(join_styles(w, offsets), SIDE), w, offsets)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            losses.append(float(loss.detach()))
            on_progress(InversionProgress("refine", step + 1, steps, losses[-1]))
        with torch.no_grad():
            return join_styles(self._prior.mean_w + self._axes.step(at), self._axes.step(apart))


def join_styles(w: Tensor, offsets: Tensor) -> Tensor:
    """Common ``w (B, 512)`` and ``offsets (B, 9, 512)`` of the first style vectors -> w+ ``(B, 16, 512)``."""
    styles = NUM_STYLES - offsets.shape[1]
    return torch.cat([w[:, None] + offsets, w[:, None].expand(-1, styles, -1)], dim=1)
