"""Fits the separable transform that the linear codecs work with: axes, variances, and what is seen of each coefficient.

Latents are inversions of photos and samples of the prior. What is seen of a coefficient
is the mean square of its random probes (`training/seen.py`).

Run: ``python -m training.latent_basis --photos FILE``; it writes ``basis_mse.safetensors`` and
``basis_seen.safetensors``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from shared.codec.basis import LatentBasis
from shared.prior.face_prior import broadcast_w, truncate
from shared.prior.mobile_stylegan import MobileStyleGan
from training.faces import CHUNK, PHOTO_SHARE, SAMPLE_PSI
from training.seen import IDENTITY_WEIGHT, Probes

SMOOTHING = 15
"""Neighbouring coefficients of one layer mode over which variances and visibilities are averaged."""

WHITENED = 64
"""Strongest feature modes by which a latent's norm is judged."""


def fit_basis(photos: NDArray[np.float32], samples: NDArray[np.float32]) -> LatentBasis:
    """Separable Karhunen-Loève transform of latents ``(N, 16, 512)`` of both kinds, photos counting `PHOTO_SHARE`.

    Axes, variances and mean are of both, so that photos have to be many: axes of a hundred would fit these photos and
    no others.
    """
    parts = [(PHOTO_SHARE / len(photos), photos), ((1 - PHOTO_SHARE) / len(samples), samples)]
    mean = np.sum([share * latents.sum(0, dtype=np.float64) for share, latents in parts], 0)
    over_layers = np.zeros((16, 16))
    for share, part in _chunks(parts):
        over_layers += share * np.einsum("nlf,nmf->lm", part - mean, part - mean)
    layers = principal_columns(over_layers)
    over_features = np.sum(
        [share * len(x) * np.cov(x.mean(1, dtype=np.float64), rowvar=False) for share, x in parts], 0
    )
    features = principal_columns(over_features)

    def to_modes(part: NDArray[np.float32]) -> NDArray[np.float64]:
        centred = (part - mean).astype(np.float32)
        modes: NDArray[np.float64] = (layers.T.astype(np.float32) @ centred @ features.astype(np.float32)).astype(float)
        return modes

    second, norms = np.zeros((16, 512)), []
    for share, part in _chunks(parts):
        second += share * np.square(to_modes(part)).sum(0)
    variance = smooth(second)
    for _, part in _chunks(parts):
        norms.append((np.square(to_modes(part)) / variance)[:, :, :WHITENED].mean((1, 2)))
    return LatentBasis(
        mean=mean.astype(np.float32),
        layers=layers.astype(np.float32),
        features=features.astype(np.float32),
        deviation=np.sqrt(variance).reshape(-1).astype(np.float32),
        visibility=np.ones(variance.size, np.float32),
        log_gain_deviation=np.array([np.log(np.concatenate(norms)).std() / 2], np.float32),
    )


Parts = Sequence[tuple[float, NDArray[np.float32]]]


def _chunks(parts: Parts) -> Iterator[tuple[float, NDArray[np.float32]]]:
    """Some latents at a time, and how much each of them counts."""
    for share, latents in parts:
        for start in range(0, len(latents), CHUNK):
            yield share, np.asarray(latents[start : start + CHUNK], np.float32)


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


def measure_visibility(basis: LatentBasis, probes: Probes) -> NDArray[np.float32]:
    """Mean square of probes in the basis, smoothed, of mean 1 over the variance: ``(8192,)``."""
    seen = [np.square(basis.project(view)).mean(0) for view in (probes.looks, probes.who)]
    visibility = smooth((seen[0] + IDENTITY_WEIGHT * seen[1]).reshape(16, 512))
    variance = np.square(basis.deviation.reshape(16, 512), dtype=np.float64)
    visibility *= variance.sum() / (visibility * variance).sum()
    return visibility.reshape(-1).astype(np.float32)


def main() -> None:
    """Fits and writes both bases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="inversions of photos (N, 16, 512), .npy")
    parser.add_argument("--probes", type=Path, default=Path("runs/seen"))
    parser.add_argument("--out", type=Path, default=Path("weights"))
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    photos = np.load(args.photos, mmap_mode="r")
    prior, generator = MobileStyleGan.load(), torch.Generator().manual_seed(args.seed)
    with torch.no_grad():
        w = prior.mapping(torch.randn(args.samples, prior.w_dim, generator=generator))
        samples = broadcast_w(truncate(w, prior.mean_w, SAMPLE_PSI)).numpy()
    basis = fit_basis(photos, samples)
    basis.save(args.out / "basis_mse.safetensors")
    probes = Probes.load(args.probes)
    replace(basis, visibility=measure_visibility(basis, probes)).save(args.out / "basis_seen.safetensors")
    print(json.dumps({"photos": len(photos), "probes": len(probes.looks), "variance": basis.total_variance}))


if __name__ == "__main__":
    main()
