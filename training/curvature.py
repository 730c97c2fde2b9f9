"""Measures the mean curvature of the inversion's loss: ``python -m training.curvature``.

With ``r`` white, ``g = J^T r`` has ``E[g g^T] = E[J^T J]`` (Hutchinson): one backward pass through the preview for each
probe, each at another sample of the prior.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.weights import WEIGHTS
from training.samples import SampleBank, principal_axes
from transmitter.curvature import Curvature
from transmitter.inversion_loss import INNER, LossWeights

APART = (0.3,) * 9 + (0.1,) * 7
"""Offsets of the styles up to 64 px are what photos need beyond W; those of finer ones the preview only guesses at."""


def views(render: Tensor, lpips: Lpips, identity: MobileFaceNet, weights: LossWeights) -> list[Tensor]:
    """What the loss compares of a render ``(1, 3, 128, 128)``: vectors whose squared differences add up to it."""

    def maps(picture: Tensor, weight: float) -> list[Tensor]:
        return [
            features * (head.clamp_min(0) * weight / (features.shape[2] * features.shape[3])).sqrt()
            for features, head in zip(lpips.features(picture), lpips.heads, strict=True)
        ]

    return [
        *maps(render, weights.lpips),
        *maps(render[:, :, INNER, INNER], weights.inner_lpips),
        render * (weights.pixel / render[0].numel()) ** 0.5,
        identity.embed(render) * (weights.identity / 2) ** 0.5,
    ]


def main() -> None:
    """Probes and writes the curvature."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=WEIGHTS / "curvature.safetensors")
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--probes", type=int, default=360)
    parser.add_argument("--rank", type=int, default=256)
    parser.add_argument("--seed", type=int, default=3)
    args = parser.parse_args()
    prior, lpips, identity = MobileStyleGan.load(), Lpips.load(), MobileFaceNet.load()
    bank, generator = SampleBank.open(args.samples, args.work), torch.Generator().manual_seed(args.seed)
    kept = args.work / f"probes_{args.samples}_{args.probes}_{args.seed}.npy"
    if not kept.exists():
        gradients = []
        for index in range(args.probes):
            w_plus = bank.latents(slice(index, index + 1)).requires_grad_()
            seen = views(prior.preview(w_plus), lpips, identity, LossWeights())
            dots = [(torch.randn(view.shape, generator=generator) * view).sum() for view in seen]
            gradients.append(torch.autograd.grad(torch.stack(dots).sum(), w_plus)[0])
            if index % 40 == 39:
                print(f"probed {index + 1} of {args.probes}", flush=True)
        np.save(kept, torch.cat(gradients).numpy())
    probes = torch.from_numpy(np.load(kept))
    Curvature.of(probes, principal_axes(prior), torch.tensor(APART), args.rank).save(args.out)


if __name__ == "__main__":
    main()
