"""Endless faces with known latents: samples of the prior at 128 px.

A bank of them is rendered once and kept, because rendering is slower than training on them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.prior.backend import make_backend
from shared.prior.face_prior import NUM_STYLES, truncate
from shared.prior.mobile_stylegan import MobileStyleGan

SIDE = 128
PSI_RANGE = (0.4, 1.0)


def draw_w(prior: MobileStyleGan, count: int, generator: torch.Generator) -> Tensor:
    """``(count, 512)`` samples of W, each at a truncation of its own between 0.4 and 1."""
    z = torch.randn(count, prior.w_dim, generator=generator)
    psi = torch.rand(count, 1, generator=generator) * (PSI_RANGE[1] - PSI_RANGE[0]) + PSI_RANGE[0]
    w: Tensor = prior.mapping(z.to(prior.mean_w.device))
    return prior.mean_w + psi.to(w.device) * (w - prior.mean_w)


def principal_axes(prior: MobileStyleGan, count: int = 50_000, seed: int = 0, psi: float = 0.7) -> Tensor:
    """Principal axes of W at truncation ``psi``, as rows ``(512, 512)``.

    Each is as long as its standard deviation; the longest is first.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        w = truncate(prior.mapping(torch.randn(count, prior.w_dim, generator=generator)), prior.mean_w, psi)
    centred = (w - prior.mean_w).double()
    values, vectors = torch.linalg.eigh(centred.T @ centred / count)
    order = values.argsort(descending=True)
    axes: Tensor = (vectors[:, order] * values[order].clamp_min(0).sqrt()).T.float()
    return axes


class SampleBank:
    """Rendered samples on disk.

    Attributes:
        w: ``(N, 512)`` float32.
        images: ``(N, 128, 128, 3)`` uint8, memory-mapped.
    """

    def __init__(self, w: NDArray[np.float32], images: NDArray[np.uint8]) -> None:
        self.w, self.images = w, images

    @classmethod
    def make(cls, prior: MobileStyleGan, count: int, cache: Path, seed: int = 0, batch: int = 50) -> SampleBank:
        """Opens the bank of ``count`` samples in ``cache``, rendering what is missing (an interrupted call goes on)."""
        w_path, images_path = cache / f"samples_{seed}_{count}_w.npy", cache / f"samples_{seed}_{count}_images.npy"
        done_path = cache / f"samples_{seed}_{count}_done.txt"
        if not w_path.exists():
            cache.mkdir(parents=True, exist_ok=True)
            with torch.no_grad():
                np.save(w_path, draw_w(prior, count, torch.Generator().manual_seed(seed)).cpu().numpy())
            np.lib.format.open_memmap(images_path, "w+", np.uint8, (count, SIDE, SIDE, 3)).flush()
        w = np.load(w_path)
        first = int(done_path.read_text()) if done_path.exists() else 0
        images = np.load(images_path, mmap_mode="r+" if first < count else "r")
        backend = make_backend("auto", prior)
        for start in range(first, count, batch):
            chunk = slice(start, min(start + batch, count))
            w_plus = np.repeat(w[chunk, None], NUM_STYLES, axis=1)
            images[chunk] = backend.render(w_plus, SIDE)
            images.flush()
            done_path.write_text(str(chunk.stop))
            print(f"rendered {chunk.stop} of {count}", flush=True)
        done_path.write_text(str(count))
        return cls(w, images)
