"""Measures the mean curvature of the inversion's loss: ``python -m training.curvature``.

With ``r`` white, ``g = J^T r`` has ``E[g g^T] = E[J^T J]`` (Hutchinson): one backward pass through a render for each
probe, each at another inversion of a photo.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.prior.face_prior import NUM_STYLES
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.weights import WEIGHTS
from training.samples import principal_axes
from transmitter.curvature import Curvature
from transmitter.inversion_loss import SIDE, LossWeights, inner

APART = 0.5
"""How long a step of one style is beside a common one: offsets are what photos need beyond W."""


def views(render: Tensor, lpips: Lpips, identity: MobileFaceNet, weights: LossWeights) -> list[Tensor]:
    """What the loss compares of a render ``(1, 3, S, S)``: vectors whose squared differences add up to it."""

    def maps(picture: Tensor, weight: float) -> list[Tensor]:
        return [
            features * (head.clamp_min(0) * weight / (features.shape[2] * features.shape[3])).sqrt()
            for features, head in zip(lpips.features(picture), lpips.heads, strict=True)
        ]

    return [
        *maps(render, weights.lpips),
        *maps(inner(render), weights.inner_lpips),
        render * (weights.pixel / render[0].numel()) ** 0.5,
        identity.embed(render) * (weights.identity / 2) ** 0.5,
    ]


def main() -> None:
    """Probes and writes the curvature."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True, help="inversions (N, 16, 512), .npy")
    parser.add_argument("--out", type=Path, default=WEIGHTS / "curvature.safetensors")
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--probes", type=int, default=400)
    parser.add_argument("--rank", type=int, default=256)
    parser.add_argument("--seed", type=int, default=3)
    args = parser.parse_args()
    prior, lpips, identity = MobileStyleGan.load(), Lpips.load(), MobileFaceNet.load()
    latents, generator = np.load(args.photos, mmap_mode="r"), torch.Generator().manual_seed(args.seed)
    drawn = np.random.default_rng(args.seed).permutation(len(latents))[: args.probes]
    kept = args.work / f"probes_{args.photos.stem}_{SIDE}_{args.probes}_{args.seed}.npy"
    if not kept.exists():
        gradients = []
        for done, at in enumerate(drawn):
            w_plus = torch.from_numpy(np.array(latents[at : at + 1], np.float32)).requires_grad_()
            seen = views(prior.synthesis(w_plus, SIDE), lpips, identity, LossWeights())
            dots = [(torch.randn(view.shape, generator=generator) * view).sum() for view in seen]
            gradients.append(torch.autograd.grad(torch.stack(dots).sum(), w_plus)[0])
            if done % 40 == 39:
                print(f"probed {done + 1} of {args.probes}", flush=True)
        args.work.mkdir(parents=True, exist_ok=True)
        np.save(kept, torch.cat(gradients).numpy())
    probes = torch.from_numpy(np.load(kept))
    Curvature.of(probes, principal_axes(prior), torch.full((NUM_STYLES,), APART), args.rank).save(args.out)


if __name__ == "__main__":
    main()
