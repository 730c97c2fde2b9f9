"""How far is one set of pictures from another? FID and KID over features of the standard Inception network.

FID: Heusel et al., "GANs trained by a two time-scale update rule converge to a local Nash equilibrium", NeurIPS 2017.
KID: Binkowski et al., "Demystifying MMD GANs", ICLR 2018. The network is the Inception v3 of December 2015, in whose
features published values are given; its last pooling gives 2048 of them.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from shared.errors import WeightsCorrupt, WeightsMissing
from shared.graph import Graph
from shared.models.catalogue import model_path

Features = NDArray[np.float32]

FEATURES = 2048
SIDE = 299


class Inception:
    """The network, frozen.

    Example::

        inception = Inception.load()
        far = fid(inception.features(received), inception.features(intended))

    Args:
        network: ``(1, 3, 299, 299)`` in [-1, 1] -> ``(1, 2048)``.
    """

    def __init__(self, network: torch.nn.Module) -> None:
        self._graph = Graph("inception", network.eval(), torch.zeros(1, 3, SIDE, SIDE))

    @classmethod
    def load(cls, path: Path | None = None) -> Inception:
        """The network at ``path``, by default that of ``deepsc models pull --evaluation``.

        Raises:
            WeightsMissing: if it is not there.
            WeightsCorrupt: if it is no network.
        """
        file = path or model_path("inception")
        if not file.is_file():
            raise WeightsMissing(f"{file} is not there; run: deepsc models pull --evaluation")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)  # published as TorchScript, and as nothing newer
                network: torch.nn.Module = torch.jit.load(file, map_location="cpu")  # type: ignore[no-untyped-call]
        except RuntimeError as error:
            raise WeightsCorrupt(
                f"{file} does not hold Inception; delete it and run: deepsc models pull --evaluation"
            ) from error
        return cls(network)

    def features(self, pictures: NDArray[np.uint8]) -> Features:
        """``(N, S, S, 3)`` uint8 -> ``(N, 2048)``."""
        rows = [np.empty((0, FEATURES), np.float32)]
        for picture in pictures:
            image = torch.from_numpy(picture.astype(np.float32)).permute(2, 0, 1)[None]
            rows.append(self._graph(((_enlarged(image) - 128) / 128).numpy()))
        return np.concatenate(rows)


def _enlarged(images: Tensor) -> Tensor:
    """``(B, 3, S, S)`` -> ``(B, 3, 299, 299)``, as TensorFlow did in 2015: pixel i shows place i S / 299."""
    side = images.shape[-1]
    line = (2 * torch.arange(SIDE) * (side / SIDE) + 1) / side - 1  # pixel centres, -1..1 over the whole picture
    grid = torch.stack(torch.meshgrid(line, line, indexing="xy"), -1).expand(len(images), -1, -1, -1)
    return functional.grid_sample(images, grid, mode="bilinear", padding_mode="border", align_corners=False)


def fid(features: NDArray[np.floating], reference: NDArray[np.floating]) -> float:
    """Frechet distance of the Gaussians with the moments of ``(N, D)`` and ``(M, D)``: 0 when they are equal.

        FID = |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^1/2)

    Of independent sets it is too large, the more the fewer the pictures: compare values of equal N only.

    Raises:
        ValueError: if a set has less than two rows.
    """
    x, y = _checked(features, reference)
    apart = x.mean(0) - y.mean(0)
    roots = [_root(x), _root(y)]
    # C = R^T R for each, so the eigenvalues of C1 C2 are the squared singular values of R1 R2^T.
    cross = float(np.linalg.svd(roots[0] @ roots[1].T, compute_uv=False).sum())
    spread = sum(float(np.square(root).sum()) for root in roots)
    return max(float(apart @ apart) + spread - 2 * cross, 0.0)


def kid(features: NDArray[np.floating], reference: NDArray[np.floating], *, paired: bool = False) -> float:
    """Squared maximum mean discrepancy of ``(N, D)`` and ``(M, D)``, kernel (x y / D + 1)^3, unbiased.

    It is estimated over whole sets, not over parts of them. Of two sets alike it is 0 in the mean, so also below 0.

    Args:
        features: of the pictures that are judged.
        reference: of those they should be like.
        paired: whether row i of both is of the same face. Such pairs are left out (the U-statistic of Gretton et al.,
            JMLR 2012, lemma 6), because they are alike even where the sets are not: equal sets then give 0.

    Raises:
        ValueError: if a set has less than two rows, or paired sets are not of one size.
    """
    x, y = _checked(features, reference)
    if paired and len(x) != len(y):
        raise ValueError(f"paired sets have as many rows each, not {len(x)} and {len(y)}")
    within = [_without_diagonal(_kernel(z, z)) for z in (x, y)]
    between = _kernel(x, y)
    return sum(within) - 2 * (_without_diagonal(between) if paired else float(between.mean()))


def _checked(
    features: NDArray[np.floating], reference: NDArray[np.floating]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    for rows in (features, reference):
        if rows.ndim != 2 or len(rows) < 2 or rows.shape[1] != reference.shape[1]:
            raise ValueError(f"expected (N, D) and (M, D) of two rows or more: {features.shape}, {reference.shape}")
    return features.astype(np.float64), reference.astype(np.float64)


def _root(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(N, D)`` -> R ``(min(N, D), D)`` with R^T R the rows' covariance."""
    return np.linalg.qr((rows - rows.mean(0)) / np.sqrt(len(rows) - 1)).R


def _kernel(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    kernel: NDArray[np.float64] = (x @ y.T / x.shape[1] + 1) ** 3
    return kernel


def _without_diagonal(kernel: NDArray[np.float64]) -> float:
    """The mean of ``(N, N)`` without the pairs of one and the same."""
    count = len(kernel)
    return float((kernel.sum() - np.trace(kernel)) / (count * (count - 1)))
