"""How well are photos inverted? Likeness, identity, degrees and seconds, from the encoder alone to many steps.

Run: ``deepsc eval inversion --data DIR``. Photos are compared at 256 px, enlarged from what the data set has. Identity
is SFace's, which no loss of this project uses.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from evaluation.metrics import psnr_db
from evaluation.sweep import sample_latents
from shared.attribute_predictor import AttributePredictor
from shared.attributes import attribute_names
from shared.perceptual.face_metrics import FaceMetrics
from shared.pictures import Picture
from shared.prior.face_prior import NUM_STYLES
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import resize, to_pictures, to_tensor
from training.celeba import iter_faces
from transmitter.invert import StyleGanInverter
from transmitter.inverter import Refinement, fit_confidence, ignore_progress

SIDE = 256
"""Side in pixels at which photo and reconstruction are compared."""

VAL_PHOTOS = 2044
"""In the validation split."""


@dataclass(frozen=True)
class Fit:
    """One photo's reconstruction.

    Attributes:
        lpips: LPIPS (AlexNet) at 256 px.
        identity_cosine: SFace.
        psnr_db: at 256 px.
        degrees_off: absolute change of each degree, as the predictor reads them, in registry order.
        confidence: what the inverter itself says of the fit, 0..1.
        seconds: encoder and gradient steps, without the judging.
    """

    lpips: float
    identity_cosine: float
    psnr_db: float
    degrees_off: tuple[float, ...]
    confidence: float
    seconds: float


@dataclass(frozen=True)
class Row:
    """Means over the photos at one number of steps.

    Attributes:
        start: ``"encoder"`` or ``"mean"``, the mean face that gradient steps start from without an encoder.
        steps: gradient steps.
        photos: how many.
        degrees_off: mean over the attributes.
        degree_off: each attribute's own.
        seconds_median: per photo.
    """

    start: str
    steps: int
    photos: int
    lpips: float
    identity_cosine: float
    psnr_db: float
    degrees_off: float
    degree_off: dict[str, float]
    confidence: float
    seconds_median: float

    @classmethod
    def of(cls, start: str, steps: int, fits: Sequence[Fit]) -> Row:
        """The row that summarises ``fits``."""
        off = np.mean([fit.degrees_off for fit in fits], 0)
        means = {
            name: float(np.mean([getattr(fit, name) for fit in fits]))
            for name in ("lpips", "identity_cosine", "psnr_db", "confidence")
        }
        return cls(
            start,
            steps,
            len(fits),
            **means,
            degrees_off=float(off.mean()),
            degree_off=dict(zip(attribute_names(), off.round(3).tolist(), strict=True)),
            seconds_median=float(np.median([fit.seconds for fit in fits])),
        )

    def document(self) -> dict[str, Any]:
        """The row as JSON takes it, figures to four decimals."""
        return {name: round(value, 4) if isinstance(value, float) else value for name, value in asdict(self).items()}


class InversionReport:
    """Inverts photos and judges what came out.

    Args:
        prior: draws the reconstructions.
        inverter: what is judged.
        metrics: likeness and identity.
        predictor: reads degrees off photo and reconstruction; honest is one that no loop or loss uses.
    """

    def __init__(
        self,
        prior: MobileStyleGan,
        inverter: StyleGanInverter,
        metrics: FaceMetrics,
        predictor: AttributePredictor,
    ) -> None:
        self._prior, self._inverter, self._metrics, self._predictor = prior, inverter, metrics, predictor

    def fit(self, photo: Picture, steps: int, *, with_encoder: bool = True) -> tuple[Fit, Picture]:
        """Inverts one aligned photo ``(256, 256, 3)``; its figures and its reconstruction."""
        face = to_tensor(photo[None])
        started = time.perf_counter()
        if with_encoder:
            w_plus = self._inverter.guess(face, ignore_progress)
        else:
            w_plus = self._prior.mean_w.expand(1, NUM_STYLES, -1).clone()
        if steps:
            w_plus = self._inverter.refine(face, w_plus, Refinement(steps), ignore_progress, [])
        seconds = time.perf_counter() - started
        with torch.inference_mode():
            shown = to_pictures(self._prior.averaged(w_plus, SIDE))[0]
        degrees = self._predictor.degrees(np.stack([photo, shown]))
        lpips, identity = self._metrics.lpips(shown, photo), self._metrics.identity_cosine(shown, photo)
        fit = Fit(
            lpips=lpips,
            identity_cosine=identity,
            psnr_db=psnr_db(shown, photo),
            degrees_off=tuple(np.abs(degrees[0] - degrees[1]).tolist()),
            confidence=fit_confidence(lpips, identity),
            seconds=seconds,
        )
        return fit, shown

    def row(self, photos: Sequence[Picture], steps: int, *, with_encoder: bool = True) -> tuple[Row, list[Picture]]:
        """All photos at one number of steps: the means, and the reconstructions."""
        fits, shown = zip(*(self.fit(photo, steps, with_encoder=with_encoder) for photo in photos), strict=True)
        return Row.of("encoder" if with_encoder else "mean", steps, fits), list(shown)


def strange_faces(photo: Picture, seed: int = 0) -> Iterator[tuple[str, Picture]]:
    """One aligned face ``(S, S, 3)`` as an inverter seldom meets it: each kind with its name."""
    side = photo.shape[0]
    turn = cv2.getRotationMatrix2D((side / 2, side / 2), 25, 1.0)
    yield "rotated", np.asarray(cv2.warpAffine(photo, turn, (side, side), borderMode=cv2.BORDER_REFLECT), np.uint8)
    tiny = to_tensor(photo[None], 24)
    yield "small", to_pictures(resize(tiny, side))[0]
    yield "dark", (photo * 0.2).astype(np.uint8)
    covered = photo.copy()
    covered[side * 11 // 20 : side * 17 // 20, side // 5 : side * 4 // 5] = (40, 90, 160)
    yield "occluded", covered
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    yield "black and white", np.repeat(np.asarray(grey, np.uint8)[..., None], 3, 2)
    yield "painted", np.asarray(cv2.stylization(photo, sigma_s=60, sigma_r=0.45), np.uint8)
    noise = np.random.default_rng(seed).integers(0, 256, photo.shape, dtype=np.uint8)
    yield "no face at all", noise


def faces_for(prior: MobileStyleGan, data: Path | None, count: int, seed: int) -> list[Picture]:
    """Aligned faces ``(256, 256, 3)``: drawn from CelebA's validation split in ``data``, or sampled from the prior."""
    if data is None:
        with torch.inference_mode():
            latents = torch.from_numpy(sample_latents(prior, count, seed))
            return [to_pictures(prior.averaged(latent[None], SIDE))[0] for latent in latents]
    chosen = set(np.random.default_rng(seed).permutation(VAL_PHOTOS)[:count].tolist())
    return [photo for _, photo in iter_faces(data, "val", SIDE, chosen)]
