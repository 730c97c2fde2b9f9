"""GAN inversion: a few encoder passes, then a bounded number of gradient steps. The generator is never tuned."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.errors import InvalidInput
from shared.perceptual.face_features import FeatureReader
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.prior.face_prior import NUM_STYLES, W_DIM
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_pictures, to_tensor
from transmitter.curvature import Curvature
from transmitter.encoder import ImageEncoder
from transmitter.inversion_loss import SIDE, InversionLoss, LossWeights
from transmitter.inverter import Inversion, InversionProgress, Refinement
from transmitter.receptions import Receptions

PASSES = 2
"""Encoder passes. A third hardly helps: what the second misses is left to gradient steps."""


SLIP = 1.15
"""Times the least loss so far from which on a face has slipped: there the mean curvature is not its own."""

SLIPPED_STRIDE = 0.4
"""What is left of its steps then."""


@dataclass(frozen=True)
class Descent:
    """How the gradient steps are made.

    Attributes:
        size: of a step, as a part of the Newton step where the loss is steep.
        momentum: Nesterov's.
        damping: added to the curvature; the larger, the less is moved that hardly shows.
    """

    size: float = 0.5
    momentum: float = 0.8
    damping: float = 0.003


class StyleGanInverter:
    """`Inverter` by encoder and gradient refinement at 128 px. Deterministic for a given number of steps.

    The encoder looks at its answers in the prior's cheap preview. Gradient steps do not: they would please the preview,
    with colours and features that the prior's own picture does not have.

    Args:
        prior: the face prior.
        encoder: the first guess.
        lpips: perceptual network of the loss.
        identity: face-recognition network of the loss.
        judge: LPIPS and identity cosine of the finished reconstruction against the face, both uint8 ``(S, S, 3)``;
            the identity network is another than the loss's.
        curvature: of the loss, which steps are divided by.
        receptions: of the links that it may be asked to invert for.
    """

    def __init__(
        self,
        prior: MobileStyleGan,
        encoder: ImageEncoder,
        lpips: Lpips,
        identity: MobileFaceNet,
        judge: Callable[[NDArray[np.uint8], NDArray[np.uint8]], tuple[float, float]],
        curvature: Curvature,
        weights: LossWeights | None = None,
        descent: Descent | None = None,
        receptions: Receptions | None = None,
    ) -> None:
        self._prior, self._encoder, self._lpips, self._identity = prior, encoder, lpips, identity
        self._read = FeatureReader(lpips, identity)
        self._judge = judge
        self._curvature, self._descent = curvature, descent or Descent()
        self._weights = weights or LossWeights()
        self._receptions = receptions
        with torch.no_grad():
            self._mean_face = self._read(prior.preview(encoder.start(1)))

    def invert(
        self, face: NDArray[np.uint8], refinement: Refinement, on_progress: Callable[[InversionProgress], None]
    ) -> Inversion:
        """See `Inverter.invert`."""
        started = time.perf_counter()
        target = to_tensor(face[None], SIDE)
        w_plus = self.guess(target, on_progress)
        losses: list[float] = []
        for part in refinement.parts():
            w_plus = self.refine(target, w_plus, part, on_progress, losses)
        with torch.inference_mode():
            shown = to_pictures(self._prior.synthesis(w_plus, 256))[0]
        elapsed_ms = 1e3 * (time.perf_counter() - started)
        lpips, identity_cosine = self._judge(face, shown)
        return Inversion(w_plus[0].numpy().astype(np.float32), lpips, identity_cosine, tuple(losses), elapsed_ms)

    def guess(self, faces: Tensor, on_progress: Callable[[InversionProgress], None], passes: int = PASSES) -> Tensor:
        """The encoder's answer to faces ``(B, 3, 128, 128)`` in [-1, 1]: ``(B, 16, 512)``."""
        with torch.no_grad():
            face = self._read(faces)
            w_plus, shown = self._encoder.start(len(faces)), self._mean_face.expand(len(faces))
            for done in range(passes):
                on_progress(InversionProgress("encode", done, passes))
                if done:
                    shown = self._read(self._prior.preview(w_plus))
                w_plus = self._encoder(face, shown, w_plus)
            on_progress(InversionProgress("encode", passes, passes))
        return w_plus

    def refine(
        self,
        faces: Tensor,
        w_plus: Tensor,
        refinement: Refinement,
        on_progress: Callable[[InversionProgress], None],
        losses: list[float],
    ) -> Tensor:
        """Gradient steps with momentum, each divided by the loss's mean curvature; they grow shortly, then shrink.

        Args:
            faces: ``(B, 3, 128, 128)`` in [-1, 1].
            w_plus: first guesses, ``(B, 16, 512)``.
            refinement: how many steps, and how long at most: where time is short, fewer steps are planned after the
                first one was timed. With a link, what is drawn and compared is what arrives there on average.
            on_progress: called after each; it may raise.
            losses: takes the mean over faces of the least loss so far, before each step.
        """
        through = self._through(refinement.for_snr_db)
        loss_of = InversionLoss(faces, self._lpips, self._identity, self._prior, self._weights)
        velocity = torch.zeros(len(faces), 1 + NUM_STYLES, W_DIM)
        foothold = _Foothold.of(w_plus, velocity)
        steps, step, started = refinement.steps, 0, time.perf_counter()
        while step < steps:
            at = w_plus.detach().requires_grad_()
            each = loss_of(self._prior.synthesis(through(at), SIDE), at)
            (gradient,) = torch.autograd.grad(each.sum(), at)
            damping = self._descent.damping
            newton = self._curvature.flattened(self._curvature.gradient(gradient), damping) / damping
            slipped = foothold.settle(each.detach(), at.detach(), newton)[:, None, None]
            velocity = torch.where(slipped, 0.0, velocity)
            size = self._descent.size * step_size(step, steps) * foothold.stride[:, None, None]
            push = -size * torch.where(slipped, foothold.newton, newton)
            velocity = self._descent.momentum * velocity + push
            start = torch.where(slipped, foothold.w_plus, at.detach())
            w_plus = start + self._curvature.step(self._descent.momentum * velocity + push)
            losses.append(float(foothold.loss.mean()))
            step += 1
            steps = refinement.planned(step, time.perf_counter() - started)
            on_progress(InversionProgress("refine", step, steps, losses[-1]))
        return w_plus

    def _through(self, snr_db: float | None) -> Callable[[Tensor], Tensor]:
        if snr_db is None:
            return lambda w_plus: w_plus
        if self._receptions is None:
            raise InvalidInput("This inverter knows of no link to invert for.")
        return self._receptions.mean(snr_db)


@dataclass
class _Foothold:
    """Where the loss of each of ``B`` faces was least so far. One that slipped goes on from there in shorter steps.

    Attributes:
        loss: there, ``(B,)``.
        w_plus: ``(B, 16, 512)``.
        newton: the step that was to be made from there, ``(B, 1 + 16, 512)``.
        stride: how much of their step faces make, ``(B,)``.
    """

    loss: Tensor
    w_plus: Tensor
    newton: Tensor
    stride: Tensor

    @classmethod
    def of(cls, w_plus: Tensor, newton: Tensor) -> _Foothold:
        """Where the first guesses are, before anything is known of their loss."""
        return cls(torch.full((len(w_plus),), torch.inf), w_plus, newton, torch.ones(len(w_plus)))

    def settle(self, loss: Tensor, w_plus: Tensor, newton: Tensor) -> Tensor:
        """Moves to what is better; which faces slipped, ``(B,)``."""
        slipped = ~(loss <= SLIP * self.loss)  # which is so of a loss that is no number, too
        better = loss < self.loss
        wide = better[:, None, None]
        self.loss = torch.where(better, loss, self.loss)
        self.w_plus, self.newton = torch.where(wide, w_plus, self.w_plus), torch.where(wide, newton, self.newton)
        self.stride = torch.where(slipped, SLIPPED_STRIDE * self.stride, self.stride)
        return slipped


def step_size(step: int, steps: int) -> float:
    """Share of the full step size: a tenth of the steps to rise, then a cosine fall to a twentieth."""
    rise = max(1, steps // 10)
    fall = 0.5 * (1 + np.cos(np.pi * max(0, step - rise) / max(1, steps - rise)))
    return float(min(1.0, (step + 1) / rise) * (0.05 + 0.95 * fall))
