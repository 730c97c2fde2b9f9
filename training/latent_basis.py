"""Measures the statistics of latents that the linear codec works with: its transform, variances and visibility.

Latents are inversions of photos and samples of the prior, half and half. Visibility is the diagonal of ``E[J^T J]``,
where ``J`` leads from coefficients to what is seen: LPIPS features, pixels and the identity embedding of the 128 px
render. It is estimated with random probes ``r``: the square of ``J^T r`` has that diagonal as its mean (Hutchinson).

Run: ``python -m training.latent_basis --data DIR``; it writes ``basis_mse.safetensors`` and ``basis_seen.safetensors``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.codec.basis import LatentBasis
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.prior.face_prior import broadcast_w, truncate
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_tensor
from shared.weights import committed
from training.celeba import load_faces
from transmitter.curvature import Curvature
from transmitter.encoder import ImageEncoder
from transmitter.inversion_loss import SIDE
from transmitter.invert import StyleGanInverter
from transmitter.inverter import Refinement, ignore_progress

PIXEL_WEIGHT = 0.3
IDENTITY_WEIGHT = 0.3
SAMPLE_PSI = 0.7
DRAWN_PHOTOS = 64
"""The draw that every run takes its photos from, in order: a longer run continues a shorter one."""
SMOOTHING = 15
"""Neighbouring coefficients of one layer mode over which variances and visibilities are averaged."""


def invert_photos(
    prior: MobileStyleGan, encoder: ImageEncoder, args: argparse.Namespace, lpips: Lpips, identity: MobileFaceNet
) -> NDArray[np.float32]:
    """``(N, 16, 512)`` refined inversions of photos, kept in the work folder chunk by chunk."""
    photos = load_faces(args.data, "train", args.work).images
    index = np.sort(np.random.default_rng(args.seed).permutation(len(photos))[:DRAWN_PHOTOS])[: args.photos]
    inverter = StyleGanInverter(
        prior, encoder, lpips, identity, lambda _a, _b: (0.0, 0.0), Curvature.load(committed("curvature.safetensors"))
    )
    latents = []
    for start in range(0, len(index), args.batch):
        chunk = args.work / f"inversions_{args.seed}_{args.steps}_{start}.npy"
        if not chunk.exists():
            faces = to_tensor(photos[index[start : start + args.batch]])
            losses: list[float] = []
            guess = inverter.guess(faces, ignore_progress)
            refined = inverter.refine(faces, guess, Refinement(args.steps), ignore_progress, losses)
            np.save(chunk, refined.numpy())
            print(json.dumps({"inverted": start + len(faces), "loss": [losses[0], losses[-1]]}), flush=True)
        latents.append(np.load(chunk))
    return np.concatenate(latents)


def fit_basis(latents: NDArray[np.float64]) -> LatentBasis:
    """Separable Karhunen-Loève transform of ``(N, 16, 512)`` latents, with visibility 1."""
    mean = latents.mean(0)
    centred = latents - mean
    layers = principal_columns(np.einsum("nlf,nmf->lm", centred, centred))
    features = principal_columns(np.einsum("nlf,nlg->fg", centred, centred))
    coefficients = np.einsum("lm,nlf,fg->nmg", layers, centred, features, optimize=True)  # (N, 16, 512)
    variance = smooth(np.square(coefficients).mean(0))
    whitened = np.square(coefficients[:, :, :64] / np.sqrt(variance[:, :64])).mean((1, 2))
    return LatentBasis(
        mean=mean.astype(np.float32),
        layers=layers.astype(np.float32),
        features=features.astype(np.float32),
        deviation=np.sqrt(variance).reshape(-1).astype(np.float32),
        visibility=np.ones(variance.size, np.float32),
        log_gain_deviation=np.array([np.log(whitened).std() / 2], np.float32),
    )


def principal_columns(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal eigenvectors as columns, largest eigenvalue first."""
    _, vectors = np.linalg.eigh(covariance)
    columns: NDArray[np.float64] = np.ascontiguousarray(vectors[:, ::-1], dtype=np.float64)
    return columns


def smooth(table: NDArray[np.float64]) -> NDArray[np.float64]:
    """Geometric running mean along the features of a ``(16, 512)`` table; few faces give noisy estimates."""
    kernel = np.ones(SMOOTHING) / SMOOTHING
    padded = np.pad(np.log(np.maximum(table, 1e-12)), ((0, 0), (SMOOTHING // 2,) * 2), mode="edge")
    rows = [np.convolve(row, kernel, mode="valid") for row in padded]
    smoothed: NDArray[np.float64] = np.exp(np.stack(rows))
    # The first axes carry most of the variance, fall steeply, and are known well: they keep their own value.
    smoothed[:, : SMOOTHING // 2 + 1] = np.maximum(table[:, : SMOOTHING // 2 + 1], 1e-12)
    return smoothed


def seen(render: Tensor, lpips: Lpips, identity: MobileFaceNet) -> list[Tensor]:
    """What a render ``(B, 3, S, S)`` looks like, as vectors whose squared differences are LPIPS, error and identity."""
    maps = [
        features * head.clamp_min(0).sqrt() / (features.shape[2] * features.shape[3]) ** 0.5
        for features, head in zip(lpips.features(render), lpips.heads, strict=True)
    ]
    pixels = render * (PIXEL_WEIGHT / render[0].numel()) ** 0.5
    return [*maps, pixels, identity.embed(render) * (IDENTITY_WEIGHT / 2) ** 0.5]


def measure_visibility(
    latents: NDArray[np.float32],
    basis: LatentBasis,
    prior: MobileStyleGan,
    lpips: Lpips,
    identity: MobileFaceNet,
    args: argparse.Namespace,
) -> NDArray[np.float32]:
    """Mean square of ``J^T r`` over ``args.probes`` probes, smoothed, of mean 1 over the variance: ``(8192,)``."""
    generator = torch.Generator().manual_seed(args.seed)
    total = np.zeros((16, 512))
    for start in range(0, args.probes, args.batch):
        pick = np.arange(start, start + args.batch) % len(latents)
        w_plus = torch.from_numpy(latents[pick]).requires_grad_()
        views = seen(prior.synthesis(w_plus, SIDE), lpips, identity)
        dot = sum((torch.randn(view.shape, generator=generator) * view).sum() for view in views)
        (gradient,) = torch.autograd.grad(dot, w_plus)  # type: ignore[arg-type]
        projected = np.einsum("lm,nlf,fg->nmg", basis.layers, gradient.numpy(), basis.features, optimize=True)
        total += np.square(projected, dtype=np.float64).sum(0)
        print(json.dumps({"probes": start + args.batch}), flush=True)
    visibility = smooth(total)
    variance = np.square(basis.deviation.reshape(16, 512), dtype=np.float64)
    visibility *= variance.sum() / (visibility * variance).sum()
    return visibility.reshape(-1).astype(np.float32)


def main() -> None:
    """Inverts, fits, probes and writes both bases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("weights"))
    parser.add_argument("--encoder", type=Path, default=Path("weights/encoder.safetensors"))
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--photos", type=int, default=32, help=f"at most {DRAWN_PHOTOS}")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--probes", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    prior, encoder = MobileStyleGan.load(), ImageEncoder.load(args.encoder)
    lpips, identity = Lpips.load(), MobileFaceNet.load()
    photos = invert_photos(prior, encoder, args, lpips, identity)
    generator = torch.Generator().manual_seed(args.seed)
    with torch.no_grad():
        w = prior.mapping(torch.randn(args.samples, prior.w_dim, generator=generator))
        samples = broadcast_w(truncate(w, prior.mean_w, SAMPLE_PSI)).numpy()
    # Photos are few: each is repeated so that both kinds weigh the same.
    repeats = max(1, args.samples // len(photos))
    latents = np.concatenate([samples[: repeats * len(photos)], np.repeat(photos, repeats, axis=0)]).astype(np.float32)
    basis = fit_basis(latents.astype(np.float64))
    basis.save(args.out / "basis_mse.safetensors")
    visibility = measure_visibility(photos, basis, prior, lpips, identity, args)
    replace(basis, visibility=visibility).save(args.out / "basis_seen.safetensors")


if __name__ == "__main__":
    main()
