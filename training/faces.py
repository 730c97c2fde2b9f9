"""Latents to train a code on: drawn like inversions of photos, and in the coordinates of a codec."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.codec.basis import LatentBasis
from shared.codec.linear import LinearCodec
from shared.codec.sizes import COEFFICIENTS
from shared.prior.face_prior import broadcast_w, truncate
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.weights import committed

SAMPLE_PSI = 0.7
PHOTO_SHARE = 0.7
"""Of every statistic that comes from photos; the rest from samples, which are sent as well."""

CHUNK = 2000
"""Latents handled at once."""


def draw_faces(prior: MobileStyleGan, count: int, seed: int) -> NDArray[np.float32]:
    """``(count, 16, 512)`` latents with the spread of inversions: a sample of W plus offsets between the styles.

    The offsets are Gaussian, with the committed statistics of every layer mode but the first, which is W itself.
    """
    generator = torch.Generator().manual_seed(seed)
    basis = LatentBasis.load(committed("basis_mse.safetensors"))
    with torch.no_grad():
        z = torch.randn(count, prior.w_dim, generator=generator).to(prior.mean_w.device)
        w = truncate(prior.mapping(z), prior.mean_w, SAMPLE_PSI)
    table = torch.randn(count, *basis.mean.shape, generator=generator).numpy() * basis.deviation.reshape(16, 512)
    table[:, 0] = 0
    offsets = np.einsum("lm,nmg,fg->nlf", basis.layers, table, basis.features, optimize=True)
    return np.asarray(broadcast_w(w).cpu().numpy() + offsets, dtype=np.float32)


def beside_drawn(prior: MobileStyleGan, photos: NDArray[np.float32], seed: int) -> NDArray[np.float32]:
    """Inversions ``(N, 16, 512)`` and as many drawn faces: ``(2 N, 16, 512)``."""
    return np.concatenate([photos, draw_faces(prior, len(photos), seed)])


def whiten(codec: LinearCodec, latents: NDArray[np.float32]) -> Tensor:
    """Latents ``(N, 16, 512)`` to the white coefficients that count most, ``(N, COEFFICIENTS)``."""
    first = codec.ranking[:COEFFICIENTS]
    rows = [
        codec.basis.analyse(np.asarray(latents[start : start + CHUNK], np.float32))[:, first]
        for start in range(0, len(latents), CHUNK)
    ]
    return torch.from_numpy(np.concatenate(rows) / codec.basis.deviation[first])
