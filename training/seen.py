"""Random probes of what is seen of a latent: ``g = J^T r`` at many faces, kept on disk.

``J`` leads from w+ to what a face looks like (`looks`) or to who it is (`who`), as vectors whose squared differences
are LPIPS and identity distance; ``r`` is white. So ``E[g g^T] = E[J^T J]``, the mean local metric of a view:
Hutchinson's estimate, of the whole matrix instead of its trace. `training/perceptual_basis.py` reads them.

Run: ``python -m training.seen``; an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import resize
from training.faces import draw_faces

LPIPS_SIDE = 256
"""Side in pixels at which LPIPS looks, as in every table: the same network at another size sees other things."""

PIXEL_WEIGHT = 0.1
"""Of the mean square error beside LPIPS, so that colour and light count."""


IDENTITY_WEIGHT = 2.0
"""Of one minus the identity cosine beside LPIPS, wherever both are added up."""


@dataclass(frozen=True)
class Probes:
    """Probes of both views.

    Attributes:
        looks: ``(N, 16, 512)`` gradients of LPIPS features and pixels.
        who: the same of a recognition network's embedding.
    """

    looks: NDArray[np.float32]
    who: NDArray[np.float32]

    @classmethod
    def load(cls, folder: Path) -> Probes:
        """All that runs have kept in ``folder``."""
        chunks = [np.load(path) for path in sorted(folder.glob("seen_*.npz"))]
        looks, who = (np.concatenate([chunk[view] for chunk in chunks]) for view in ("looks", "who"))
        return cls(looks, who)


class Prober:
    """Probes faces through the prior's preview, which costs a fifth of the 128 px picture.

    Args:
        prior: the face prior.
        lpips: perceptual network.
        identity: recognition network.
    """

    def __init__(self, prior: MobileStyleGan, lpips: Lpips, identity: MobileFaceNet) -> None:
        self._prior, self._lpips, self._identity = prior, lpips, identity

    def probe(self, w_plus: NDArray[np.float32], generator: torch.Generator) -> Probes:
        """One probe of each view at each of ``(B, 16, 512)``."""
        latents = torch.from_numpy(w_plus).requires_grad_()
        render = self._prior.preview(latents)
        looks, who = (
            torch.autograd.grad(
                torch.stack([(torch.randn(part.shape, generator=generator) * part).sum() for part in view]).sum(),
                latents,
                retain_graph=True,
            )[0].numpy()
            for view in (self.looks(render), self.who(render))
        )
        return Probes(looks, who)

    def looks(self, render: Tensor) -> list[Tensor]:
        """Parts of a vector whose squared differences add up to LPIPS and some mean square error."""
        maps = [
            features * head.clamp_min(0).sqrt() / (features.shape[2] * features.shape[3]) ** 0.5
            for features, head in zip(self._lpips.features(resize(render, LPIPS_SIDE)), self._lpips.heads, strict=True)
        ]
        return [*maps, render * (PIXEL_WEIGHT / render[0].numel()) ** 0.5]

    def who(self, render: Tensor) -> list[Tensor]:
        """The vector whose squared differences are one minus the identity cosine."""
        return [self._identity.embed(render) * 0.5**0.5]


def main() -> None:
    """Probes face after face and keeps each batch."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latents", type=Path, help="latents (N, 16, 512), .npy; without it faces are drawn")
    parser.add_argument("--out", type=Path, default=Path("runs/seen"))
    parser.add_argument("--faces", type=int, default=1000)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(1)
    prior = MobileStyleGan.load()
    prober = Prober(prior, Lpips.load(), MobileFaceNet.load())
    faces = np.load(args.latents, mmap_mode="r") if args.latents else draw_faces(prior, args.faces, args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    kind = args.latents.stem if args.latents else "drawn"
    for start in range(0, min(args.faces, len(faces)), args.batch):
        path = args.out / f"seen_{kind}_{args.seed}_{start:05d}.npz"
        if not path.exists():
            generator = torch.Generator().manual_seed(args.seed * 1_000_003 + start)
            batch = np.array(faces[start : start + args.batch], dtype=np.float32)
            np.savez(path, **vars(prober.probe(batch, generator)))
            print(json.dumps({"probed": start + len(batch)}), flush=True)


if __name__ == "__main__":
    main()
