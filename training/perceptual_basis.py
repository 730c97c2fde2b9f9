"""Fits the coordinates in which faces are seen: the Karhunen-Loève transform under the mean local metric of rendering.

With ``C`` the covariance of latents and ``M = E[J^T J]`` the metric of what is seen of an error ``e``, as ``e^T M e``,
let ``C = A A^T`` and ``A^T M A = V diag(l) V^T``. The coordinates ``u = V^T A^{-1} (w - mean)`` are white, and an error
of ``u_i`` is seen ``l_i`` times its square and independently of the others: what a linear code wants to know.

``C`` comes from inversions of photos and from samples, ``M`` from random probes (`training/seen.py`), of which there
are about as many as rows: what lies off its diagonal is shrunk. Other faces than those that coordinates were found by
spread further along most of them: how far is measured on held-out ones, along coordinates found without them.

Run: ``python -m training.perceptual_basis --photos FILE --without FILE --held-out FILE``; it writes
``basis_perceptual.safetensors``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.codec.basis import LatentBasis
from shared.codec.perceptual import PerceptualBasis
from shared.prior.mobile_stylegan import MobileStyleGan
from training.faces import CHUNK, PHOTO_SHARE, draw_faces
from training.seen import IDENTITY_WEIGHT, Probes

Matrix = NDArray[np.float64]

DIMENSIONS = 1024
"""Coefficients of the separable transform that are rotated together; the others stay as they are."""

SATURATION = 0.86
"""Power of the importances. Errors as large as links make are seen less than small ones foretell, and those of the
most important coordinates, the largest, least: gradients of what is seen at received faces fall short of the local
metric by a factor 9 in the first coordinate and by 2.5 from the hundredth on, at 6 dB."""

PHOTO_CORRELATION = 0.85
"""How much of the photos' own correlations is believed. With all of them held-out photos arrived a little less like
themselves at 0 dB and below, and alike from 6 dB on."""

NEIGHBOURS = 0.35
"""Deviation, in the logarithm of the rank, of the weights with which spreads along coordinates are averaged."""

SPREADS = (0.6, 3.0)
"""Least and most that a held-out variance counts for; the last coordinates are known to hardly anyone."""


def shrunk_gram(rows: Matrix) -> Matrix:
    """Mean outer product of ``(N, d)`` rows, its off-diagonal entries shrunk by as much as they are noise.

    The factor is Schäfer and Strimmer's ("A shrinkage approach to large-scale covariance matrix estimation", 2005,
    target D) on rows of unit mean square: one less the sampling variance of the entries over their square.
    """
    scale = np.sqrt(np.square(rows).mean(0)) + 1e-12
    unit = rows / scale
    gram = unit.T @ unit / len(rows)
    noise = (np.square(unit).T @ np.square(unit) / len(rows) - np.square(gram)) / len(rows)
    away = ~np.eye(len(gram), dtype=bool)
    keep = np.clip(1 - noise[away].sum() / np.square(gram[away]).sum(), 0, 1)
    gram[away] *= keep
    result: Matrix = gram * np.outer(scale, scale)
    return result


def root(covariance: Matrix) -> Matrix:
    """``A`` with ``A A^T = covariance`` and columns along its principal axes, longest first."""
    values, vectors = np.linalg.eigh(covariance)
    floor = values[-1] * 1e-9
    columns: Matrix = (vectors * np.sqrt(np.maximum(values, floor)))[:, ::-1]
    return columns


def coefficients_of(basis: LatentBasis, latents: NDArray[np.float32], chosen: NDArray[np.intp]) -> Matrix:
    """Latents ``(N, 16, 512)`` to those of their separable coefficients that are ``chosen (m,)``: ``(N, m)``."""
    parts = (np.asarray(latents[at : at + CHUNK], np.float32) for at in range(0, len(latents), CHUNK))
    return np.concatenate([basis.analyse(part)[:, chosen] for part in parts]).astype(np.float64)


def saturated(importance: Matrix) -> Matrix:
    """Falling importances ``(m,)`` raised to `SATURATION`; the middle one keeps its value."""
    middle = importance[len(importance) // 2]
    ranked = np.maximum(importance, middle * 1e-6)  # sampling noise leaves some of the last below zero
    lifted: Matrix = middle * (ranked / middle) ** SATURATION
    return lifted


def fit_perceptual(
    separable: LatentBasis, rotated: NDArray[np.intp], covariance: Matrix, metric: Matrix
) -> PerceptualBasis:
    """The visible coordinates of the coefficients ``rotated (m,)``, given their covariance and metric ``(m, m)``."""
    factor = root(covariance)
    importance, vectors = np.linalg.eigh(factor.T @ metric @ factor)
    order = np.argsort(-importance)
    return PerceptualBasis(
        separable=separable,
        rotated=rotated.astype(np.int32),
        directions=(factor @ vectors[:, order]).astype(np.float32),
        importance=saturated(importance[order]).astype(np.float32),
        log_gain_deviation=separable.log_gain_deviation,
    )


def spreads(basis: PerceptualBasis, photos: Matrix, samples: Matrix) -> Matrix:
    """Variances ``(m,)`` along the coordinates, of faces that they were not fitted to.

    Args:
        basis: fitted.
        photos: rotated coefficients of held-out inversions, ``(N, m)``.
        samples: of drawn faces.
    """
    directions = basis.directions.astype(np.float64)
    of_photos, of_samples = (np.square(np.linalg.solve(directions, faces.T)).mean(1) for faces in (photos, samples))
    rank = np.log(1.0 + np.arange(len(directions)))
    near = np.exp(-0.5 * np.square((rank[:, None] - rank) / NEIGHBOURS))
    mean = near @ np.log(PHOTO_SHARE * of_photos + (1 - PHOTO_SHARE) * of_samples) / near.sum(1)
    variances: Matrix = np.clip(np.exp(mean), *SPREADS)
    return variances


def stretched(basis: PerceptualBasis, variances: Matrix) -> PerceptualBasis:
    """The basis for faces whose variances along its coordinates are ``(m,)`` instead of 1; coordinates of 1 again."""
    importance = basis.importance * variances
    order = np.argsort(-importance, kind="stable")
    return replace(
        basis,
        directions=(basis.directions * np.sqrt(variances))[:, order].astype(np.float32),
        importance=importance[order].astype(np.float32),
    )


def strongest(basis: LatentBasis, count: int) -> NDArray[np.intp]:
    """The ``count`` coefficients whose deviation is seen most."""
    return np.argsort(-np.square(basis.deviation, dtype=np.float64) * basis.visibility, kind="stable")[:count]


def covariance_of(deviation: Matrix, photos: Matrix, samples: Matrix) -> Matrix:
    """Covariance of coefficients whose deviations ``(m,)`` are known for both kinds of faces.

    Coefficients of samples ``(N, m)`` are many enough to say what goes with what; those of photos ``(P, m)`` are
    believed `PHOTO_CORRELATION`, as they partly fit themselves.
    """
    covariance: Matrix = PHOTO_SHARE * PHOTO_CORRELATION * photos.T @ photos / len(photos)
    covariance += (1 - PHOTO_SHARE) * samples.T @ samples / len(samples)
    np.fill_diagonal(covariance, np.square(deviation))
    return covariance


def measure_log_gain(basis: PerceptualBasis, coefficients: Matrix) -> NDArray[np.float32]:
    """Deviation over faces ``(N, m)`` of the logarithm of the norm with which a frame arrives at its scale, ``(1,)``.

    Energies of a linear code go with the roots of the importances.
    """
    white = np.linalg.solve(basis.directions.astype(np.float64), coefficients.T)  # (m, N)
    energies = np.sqrt(basis.importance.astype(np.float64)) @ np.square(white)
    return np.array([np.log(energies).std() / 2], np.float32)


@dataclass(frozen=True)
class Fit:
    """Fits the basis to photos.

    Attributes:
        separable: the transform below.
        rotated: its coefficients that are rotated, ``(m,)``.
        samples: those of drawn faces, ``(N, m)``.
        probes: of what is seen.
    """

    separable: LatentBasis
    rotated: NDArray[np.intp]
    samples: Matrix
    probes: Probes

    def read(self, path: Path) -> Matrix:
        """The rotated coefficients ``(N, m)`` of the latents in a file."""
        return coefficients_of(self.separable, np.load(path, mmap_mode="r"), self.rotated)

    def to(self, photos: Matrix) -> PerceptualBasis:
        """The basis of photos whose coefficients are ``(N, m)``."""
        separable, rotated = self.separable, self.rotated
        covariance = covariance_of(separable.deviation[rotated].astype(np.float64), photos, self.samples)
        scale = np.sqrt(np.diag(covariance))
        metric = np.zeros_like(covariance)
        for gradients, weight in ((self.probes.looks, 1.0), (self.probes.who, IDENTITY_WEIGHT)):
            seen = shrunk_gram(
                separable.project(gradients).astype(np.float64)[:, rotated] * scale
            )  # where all entries are about as noisy
            metric += weight * seen / np.outer(scale, scale)
        # The coefficients that stay are seen on the scale of those that are rotated.
        ratio = float(np.median(np.diag(metric) / separable.visibility[rotated]))
        below = replace(separable, visibility=separable.visibility * np.float32(ratio))
        return fit_perceptual(below, rotated, covariance, metric)


def main() -> None:
    """Fits the basis from probes and latents and writes it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="inversions of photos (N, 16, 512), .npy")
    parser.add_argument("--without", type=Path, required=True, help="as many, that know nothing of those held out")
    parser.add_argument("--held-out", type=Path, required=True, help="inversions of photos, .npy")
    parser.add_argument("--probes", type=Path, default=Path("runs/seen"))
    parser.add_argument("--samples", type=int, default=20_000)
    parser.add_argument("--separable", type=Path, default=Path("weights/basis_seen.safetensors"))
    parser.add_argument("--out", type=Path, default=Path("weights/basis_perceptual.safetensors"))
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    separable, probes = LatentBasis.load(args.separable), Probes.load(args.probes)
    rotated = strongest(separable, DIMENSIONS)
    samples = coefficients_of(separable, draw_faces(MobileStyleGan.load(), args.samples, args.seed), rotated)
    fit = Fit(separable, rotated, samples, probes)
    variances = spreads(fit.to(fit.read(args.without)), fit.read(args.held_out), samples)
    photos = fit.read(args.photos)
    basis = stretched(fit.to(photos), variances)
    faces = np.concatenate([samples[: len(photos)], photos])
    basis = replace(basis, log_gain_deviation=measure_log_gain(basis, faces))
    basis.save(args.out)
    shares = np.cumsum(basis.importance) / basis.importance.sum()
    print(json.dumps({"probes": len(probes.looks), "seen_in_first": {n: float(shares[n - 1]) for n in (16, 64, 256)}}))


if __name__ == "__main__":
    main()
