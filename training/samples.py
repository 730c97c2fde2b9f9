"""Endless faces with known latents: samples of the prior at 128 px.

A bank of them is rendered once and kept, because rendering is slower than training on them:
``python -m training.samples``.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.prior.face_prior import NUM_STYLES, broadcast_w, truncate
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_pictures

SIDE = 128


def draw_latents(prior: MobileStyleGan, count: int, generator: torch.Generator) -> Tensor:
    """Draw `w_plus (count, 16, 512)` with psi in 0.5 to 1: odd rows in W, even rows near it.

    Near W means two things at once: from a random style on, up to half the way to another face (style mixing), and
    Gaussian offsets per style of up to 0.15 standard deviations of w.
    """
    mean_w, w_std = prior.mean_w.cpu(), prior.w_std.cpu()
    psi = 0.5 + 0.5 * torch.rand(2 * count, 1, generator=generator)
    z = torch.randn(2 * count, prior.w_dim, generator=generator)
    w, other = (mean_w + psi * (prior.mapping(z.to(prior.mean_w.device)).cpu() - mean_w)).chunk(2)
    w_plus = broadcast_w(w).clone()
    start = torch.randint(1, NUM_STYLES, (count, 1, 1), generator=generator)
    share = 0.5 * torch.rand(count, 1, 1, generator=generator) * (torch.arange(NUM_STYLES)[:, None] >= start)
    size = 0.15 * torch.rand(count, 1, 1, generator=generator) * w_std
    noise = torch.randn(count, NUM_STYLES, prior.w_dim, generator=generator)
    jittered = w_plus + share * (broadcast_w(other) - w_plus) + size * noise
    w_plus[::2] = jittered[::2]
    return w_plus.to(prior.mean_w.device)


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
        w_plus: ``(N, 16, 512)`` float16, memory-mapped.
        images: ``(N, 128, 128, 3)`` uint8, memory-mapped.
    """

    def __init__(self, w_plus: NDArray[np.float16], images: NDArray[np.uint8]) -> None:
        self.w_plus, self.images = w_plus, images

    def __len__(self) -> int:
        return len(self.images)

    def latents(self, index: slice | NDArray[np.int64], device: torch.device | None = None) -> Tensor:
        """``(B, 16, 512)`` float32 latents of the samples at ``index``."""
        return torch.from_numpy(self.w_plus[index].astype(np.float32)).to(device)

    @classmethod
    def open(cls, count: int, cache: Path, seed: int = 0) -> SampleBank:
        """The bank of ``count`` samples in ``cache``, rendering what is missing (an interrupted call goes on)."""
        w_path, images_path = cache / f"samples_{seed}_{count}_w.npy", cache / f"samples_{seed}_{count}_images.npy"
        done_path = cache / f"samples_{seed}_{count}_done.txt"
        first = int(done_path.read_text()) if done_path.exists() else 0
        if first < count:
            _render(w_path, images_path, done_path, count, first, seed)
        return cls(np.load(w_path, mmap_mode="r"), np.load(images_path, mmap_mode="r"))


def _render(w_path: Path, images_path: Path, done_path: Path, count: int, first: int, seed: int) -> None:
    prior = MobileStyleGan.load().to("cuda" if torch.cuda.is_available() else "cpu")
    if first == 0:
        w_path.parent.mkdir(parents=True, exist_ok=True)
        with torch.no_grad():
            drawn = draw_latents(prior, count, torch.Generator().manual_seed(seed))
        np.save(w_path, drawn.cpu().numpy().astype(np.float16))
        np.lib.format.open_memmap(images_path, "w+", np.uint8, (count, SIDE, SIDE, 3)).flush()
    w_plus, images = np.load(w_path, mmap_mode="r"), np.load(images_path, mmap_mode="r+")
    batch = 64 if prior.mean_w.is_cuda else 1  # on a CPU larger batches only press the caches
    with torch.inference_mode():
        for start in range(first, count, batch):
            latents = torch.from_numpy(w_plus[start : start + batch].astype(np.float32)).to(prior.mean_w.device)
            images[start : start + batch] = to_pictures(prior.synthesis(latents, SIDE))
            if (start // batch + 1) % 50 == 0:
                images.flush()
                done_path.write_text(str(start + len(latents)))
                print(f"rendered {start + len(latents)} of {count}", flush=True)
    images.flush()
    done_path.write_text(str(count))


def main() -> None:
    """Renders a bank."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    SampleBank.open(args.samples, args.work, args.seed)


if __name__ == "__main__":
    main()
