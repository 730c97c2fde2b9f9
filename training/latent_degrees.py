"""Trains the latent predictor: degrees read off a latent without rendering it, in two steps.

``probes`` renders faces small, reads their scores, and probes how scores move with the latent: ``r^T J`` for a random
``r``, one backward pass each. ``fit`` trains a small network on scores and probes together (Czarnecki et al., "Sobolev
Training for Neural Networks", NeurIPS 2017), so that its slopes are right too, which editing lives by.

Run: ``python -m training.latent_degrees probes``, then ``python -m training.latent_degrees fit``.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.attributes import attribute_names
from shared.codec.perceptual import PerceptualBasis
from shared.degree_predictor import DegreePredictor
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.weights import WEIGHTS, committed
from training.faces import draw_faces
from training.run import Run
from training.samples import draw_latents
from transmitter.fields import EditDirections
from transmitter.latent_predictor import LatentPredictor, VisibleSpace

CHUNK = 8
"""Faces rendered at once."""

MOVED = 8.0
"""Most that a drawn face is moved along an edit direction, in scores, so that edited faces are known as well."""


@dataclass(frozen=True)
class Probes:
    """What was seen of ``N`` faces.

    Attributes:
        u: visible coordinates, ``(N, VISIBLE)``.
        scores: in degrees' units, ``(N, A)``.
        along: the random vectors ``r``, ``(N, A)``.
        slopes: ``r^T J`` with ``J`` from visible coordinates to scores, ``(N, VISIBLE)``.
    """

    u: Tensor
    scores: Tensor
    along: Tensor
    slopes: Tensor

    @classmethod
    def load(cls, folder: Path, space: VisibleSpace) -> Probes:
        """All that runs have kept in ``folder``, in the coordinates of ``space``."""
        chunks = _chunks(folder)
        rows = {
            "u": [space.analyse(chunk["latents"].astype(np.float32)) for chunk in chunks],
            "scores": [chunk["scores"] for chunk in chunks],
            "along": [chunk["along"] for chunk in chunks],
            "slopes": [space.gradient(chunk["gradients"].astype(np.float32)) for chunk in chunks],
        }
        return cls(**{name: torch.from_numpy(np.concatenate(parts)) for name, parts in rows.items()})

    def at(self, rows: Tensor) -> Probes:
        """Those of the faces ``rows``."""
        return Probes(self.u[rows], self.scores[rows], self.along[rows], self.slopes[rows])


def load_latents(folder: Path) -> NDArray[np.float32]:
    """The faces ``(N, 16, 512)`` that were probed."""
    return np.concatenate([chunk["latents"].astype(np.float32) for chunk in _chunks(folder)])


def _chunks(folder: Path) -> list[Any]:
    return [np.load(path) for path in sorted(folder.glob("degrees_*.npz"))]


def draw(prior: MobileStyleGan, seed: int, photos: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """``(CHUNK, 16, 512)``: latents like those of photos, samples, and both edited at random.

    Args:
        prior: the face prior.
        seed: of this chunk.
        photos: inversions ``(N, 16, 512)`` of which two are taken, if there are any.
    """
    generator = np.random.default_rng(seed)
    like_photos = draw_faces(prior, CHUNK // 2, seed)
    samples = draw_latents(prior, CHUNK - CHUNK // 2, torch.Generator().manual_seed(seed)).numpy()
    latents = np.concatenate([like_photos, samples])
    if photos is not None:
        latents[:2] = photos[generator.integers(len(photos), size=2)]
    steps = EditDirections.load(committed("directions.safetensors")).steps
    moves = generator.uniform(-MOVED, MOVED, (CHUNK, len(steps))) * (generator.random((CHUNK, len(steps))) < 0.3)
    moved: NDArray[np.float32] = (latents + np.tensordot(moves, steps, 1)).astype(np.float32)
    return moved


def probe(args: argparse.Namespace) -> None:
    """Probes in chunks, kept in w+, whatever the coordinates will be; an interrupted run goes on."""
    prior = MobileStyleGan.load()
    predictor = DegreePredictor.load(committed("degrees.safetensors"))
    unit = predictor.scale.unit
    photos = np.load(args.photos) if args.photos else None
    args.work.mkdir(parents=True, exist_ok=True)
    for start in range(0, args.faces, CHUNK):
        path = args.work / f"degrees_{args.seed}_{start:06d}.npz"
        if path.exists():
            continue
        seed = args.seed * 1_000_003 + start
        latents = torch.from_numpy(draw(prior, seed, photos)).requires_grad_()
        scores = predictor.scores(prior.preview(latents).clamp(-1, 1)) / unit
        along = torch.randn(scores.shape, generator=torch.Generator().manual_seed(seed))
        (gradients,) = torch.autograd.grad((along * scores).sum(), latents)
        unfinished = args.work / "unfinished.npz"  # which no pattern of finished ones takes up
        np.savez(
            unfinished,
            latents=latents.detach().numpy().astype(np.float16),
            gradients=gradients.numpy().astype(np.float16),
            scores=scores.detach().numpy(),
            along=along.numpy(),
        )
        unfinished.replace(path)
        if start // CHUNK % 25 == 24:
            print(json.dumps({"probed": start + CHUNK}), flush=True)


def load_space() -> VisibleSpace:
    """The coordinates that edits are made in: a codec's, kept apart so that the codec's own may change."""
    return VisibleSpace(PerceptualBasis.load(committed("basis_edits.safetensors")))


def losses(network: LatentPredictor, probes: Probes, slope_scale: float) -> tuple[Tensor, Tensor]:
    """Mean square errors of scores, and of probed slopes in their own spread."""
    u = probes.u.detach().requires_grad_()
    scores = network(u)
    (slopes,) = torch.autograd.grad((probes.along * scores).sum(), u, create_graph=True)
    return (scores - probes.scores).square().mean(), (slopes - probes.slopes).square().mean() / slope_scale


def fit(args: argparse.Namespace) -> None:
    """Trains on all but the last twentieth, reports what that explains, and writes the weights."""
    torch.manual_seed(args.seed)
    probes = Probes.load(args.work, load_space())
    count = len(probes.u)
    order = torch.randperm(count, generator=torch.Generator().manual_seed(args.seed))
    held_out, fitted = probes.at(order[: count // 20]), probes.at(order[count // 20 :])
    slope_scale = float(fitted.slopes.square().mean())
    network = LatentPredictor(args.width, args.dropout)
    network.centre(fitted.scores.mean(0))
    run = Run(network, args.steps, args.lr, args.work / f"fit_{args.seed}_{args.steps}_{args.width}.pt")
    while run.step < run.steps:
        generator = run.generator(args.seed)
        torch.manual_seed(args.seed * 1_000_003 + run.step)  # of the dropout
        of_scores, of_slopes = losses(
            network, fitted.at(torch.randint(len(fitted.u), (args.batch,), generator=generator)), slope_scale
        )
        run.descend(of_scores + args.slopes * of_slopes)
        if run.step % args.report == 0:
            run.save()
            print(json.dumps(run.report() | explained(network, held_out, slope_scale)), flush=True)
    network.eval().save(args.out)


def explained(network: LatentPredictor, probes: Probes, slope_scale: float) -> dict[str, object]:
    """Share of the variance of each attribute's score, and of the probed slopes, that the network explains."""
    network.eval()
    with torch.no_grad():
        left = (network(probes.u) - probes.scores).square().mean(0) / probes.scores.var(0)
    _, slopes = losses(network, probes, slope_scale)
    network.train()
    names = attribute_names()
    return {
        "scores": dict(zip(names, (1 - left).numpy().round(3).tolist(), strict=True)),
        "slopes": round(1 - float(slopes.detach()), 3),
    }


def main() -> None:
    """Entry point of ``python -m training.latent_degrees``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=["probes", "fit"])
    parser.add_argument("--work", type=Path, default=Path("runs/latent_degrees"))
    parser.add_argument("--photos", type=Path, help="inversions (N, 16, 512), .npy, for the probes")
    parser.add_argument("--faces", type=int, default=6000)
    parser.add_argument("--out", type=Path, default=WEIGHTS / "latent_degrees.safetensors")
    parser.add_argument("--steps", type=int, default=7000)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--slopes", type=float, default=1.0, help="weight of the slopes beside the scores")
    parser.add_argument("--report", type=int, default=250)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    probe(args) if args.stage == "probes" else fit(args)


if __name__ == "__main__":
    main()
