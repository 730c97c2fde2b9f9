"""GAN inversion: a few encoder passes, then a bounded number of gradient steps. The generator is never tuned."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.errors import InvalidInput
from shared.perceptual.face_features import FeatureReader
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import resize, to_pictures, to_tensor
from transmitter.curvature import Curvature
from transmitter.descent import Descent, Pace
from transmitter.encoder import ImageEncoder
from transmitter.inversion_loss import SIDE, InversionLoss, LossWeights
from transmitter.inverter import NO_LINK, Inversion, InversionProgress, Refinement
from transmitter.receptions import Receptions

LOOK = 128
"""Side in pixels at which the encoder looks at the face and at its answers."""

PASSES = 2
"""Encoder passes. A third hardly helps: what the second misses is left to gradient steps."""


class StyleGanInverter:
    """`Inverter` by encoder and gradient steps. Deterministic for a given number of steps.

    The encoder looks at its answers in the prior's cheap preview. Gradient steps do not: they would please the preview,
    with colours and features that the prior's own picture does not have.

    Args:
        prior: the face prior.
        encoder: the first guess.
        lpips: perceptual network of the loss.
        identity: face-recognition network of the loss.
        judge: LPIPS and identity cosine of the finished reconstruction against the face, both uint8 ``(S, S, 3)``;
            the identity network is another than the loss's.
        curvature: of the loss, from which steps start.
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
        pace: Pace | None = None,
        receptions: Receptions | None = None,
    ) -> None:
        self._prior, self._encoder, self._lpips, self._identity = prior, encoder, lpips, identity
        self._read = FeatureReader(lpips, identity)
        self._judge = judge
        self._curvature, self._pace = curvature, pace
        self._weights = weights or LossWeights()
        self._receptions = receptions
        with torch.no_grad():
            self._mean_face = self._read(prior.preview(encoder.start(1)))

    def invert(
        self, face: NDArray[np.uint8], refinement: Refinement, on_progress: Callable[[InversionProgress], None]
    ) -> Inversion:
        """See `Inverter.invert`."""
        started = time.perf_counter()
        losses: list[float] = []
        w_plus = self.find(to_tensor(face[None]), refinement, on_progress, losses)
        with torch.inference_mode():
            shown = to_pictures(self._prior.averaged(w_plus, SIDE))[0]
        elapsed_ms = 1e3 * (time.perf_counter() - started)
        lpips, identity_cosine = self._judge(face, shown)
        return Inversion(w_plus[0].numpy().astype(np.float32), lpips, identity_cosine, tuple(losses), elapsed_ms)

    def find(
        self,
        faces: Tensor,
        refinement: Refinement,
        on_progress: Callable[[InversionProgress], None],
        losses: list[float],
    ) -> Tensor:
        """The latents ``(B, 16, 512)`` of faces ``(B, 3, S, S)`` in [-1, 1]: guess and steps."""
        w_plus = self.guess(faces, on_progress)
        for part in refinement.parts():
            w_plus = self.refine(faces, w_plus, part, on_progress, losses)
        return w_plus

    def guess(self, faces: Tensor, on_progress: Callable[[InversionProgress], None], passes: int = PASSES) -> Tensor:
        """The encoder's answer to faces ``(B, 3, S, S)`` in [-1, 1]: ``(B, 16, 512)``."""
        with torch.no_grad():
            face = self._read(resize(faces, LOOK))
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
        """Gradient steps from the first guesses; the best latents that were seen on the way, ``(B, 16, 512)``.

        Args:
            faces: ``(B, 3, S, S)`` in [-1, 1].
            w_plus: first guesses, ``(B, 16, 512)``.
            refinement: how many steps, and how long at most: where time is short, fewer steps are planned after the
                first one was timed. With a link, what is drawn and compared is what arrives there on average.
            on_progress: called after each; it may raise.
            losses: takes the mean over faces of the least loss so far, before each step.
        """
        if not refinement.steps:
            return w_plus
        started = time.perf_counter()
        through = self._through(refinement.for_snr_db)
        draw = self._drawing(through(w_plus))
        loss_of = InversionLoss(resize(faces, SIDE), self._lpips, self._identity, self._prior, self._weights)
        descent = Descent(w_plus, self._curvature, self._pace)
        steps, step = refinement.steps, 0
        while step < steps:
            at = w_plus.detach().requires_grad_()
            loss = loss_of(draw(through(at)), at)
            (gradient,) = torch.autograd.grad(loss.sum(), at)
            w_plus = descent.step(loss.detach(), gradient)
            losses.append(float(descent.loss.mean()))
            step += 1
            steps = refinement.planned(step, time.perf_counter() - started)
            on_progress(InversionProgress("refine", step, steps, losses[-1]))
        with torch.no_grad():
            return descent.best(loss_of(draw(through(w_plus)), w_plus))

    def _drawing(self, at: Tensor) -> Callable[[Tensor], Tensor]:
        """Latents to pictures ``(B, 3, SIDE, SIDE)``: the prior's own of ``at (B, 16, 512)``, nearly so around them.

        The head for small pictures misses tints by a few grey levels, which steps would then put into the latent. What
        it misses at one place it misses nearby, so it is added (defect correction), and gradients stay cheap.
        """
        with torch.no_grad():
            defect = self._prior.missed(at, SIDE)
        return lambda w_plus: self._prior.synthesis(w_plus, SIDE) + defect

    def _through(self, snr_db: float) -> Callable[[Tensor], Tensor]:
        if snr_db == NO_LINK:
            return lambda w_plus: w_plus
        if self._receptions is None:
            raise InvalidInput("This inverter knows of no link to invert for.")
        return self._receptions.mean(snr_db)
