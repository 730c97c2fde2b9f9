"""Trains the image encoder, in two stages, each resumable.

``python -m training.encoder samples``: regression of w from samples of the prior, made to look like photos.
``python -m training.encoder photos --data DIR``: real photos through the 128 px head with the inversion's own loss,
which also teaches the offsets beyond W.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_tensor
from training.augment import augment_sample, jitter_framing, soften
from training.celeba import load_faces
from training.samples import SampleBank, principal_axes
from transmitter.encoder import FREE_STYLES, ImageEncoder
from transmitter.invert import InversionLoss, LossWeights

HELD_OUT = 256
"""Samples at the end of the bank that the first stage is judged on."""


class Run:
    """A training run that can stop at any step and go on exactly where it was.

    Args:
        model: what is trained.
        steps: length of the run.
        learning_rate: the highest of a one-cycle schedule.
        checkpoint: where the state is kept.
    """

    def __init__(self, model: nn.Module, steps: int, learning_rate: float, checkpoint: Path) -> None:
        self.model, self.steps, self.checkpoint = model, steps, checkpoint
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, learning_rate, total_steps=steps + 1, pct_start=0.1
        )
        self.step = 0
        if checkpoint.exists():
            state = torch.load(checkpoint, weights_only=True)
            for part, name in self._parts():
                part.load_state_dict(state[name])
            self.step = state["step"]

    def _parts(self) -> list[tuple[Any, str]]:
        return [(self.model, "model"), (self.optimiser, "optimiser"), (self.schedule, "schedule")]

    def descend(self, loss: Tensor) -> None:
        """One step of the optimiser."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        self.step += 1

    def save(self) -> None:
        """Writes the checkpoint."""
        torch.save({"step": self.step, **{name: part.state_dict() for part, name in self._parts()}}, self.checkpoint)


def train_on_samples(run: Run, encoder: ImageEncoder, bank: SampleBank, args: argparse.Namespace) -> None:
    """Regression: mean square error of w, in deviations along the principal axes weighed by their variance."""
    device = encoder.mean_w.device
    count = len(bank.w) - HELD_OUT
    started, total = time.perf_counter(), 0.0
    while run.step < run.steps:
        encoder.train()
        generator = torch.Generator().manual_seed(args.seed * 1_000_003 + run.step)
        index = torch.randint(count, (args.batch,), generator=generator).sort().values.numpy()
        images = augment_sample(to_tensor(bank.images[index], device=device), generator)
        w = torch.from_numpy(bank.w[index]).to(device)
        loss = (encoder(images)[:, -1] - w).square().sum(1).mean() / encoder.axes.square().sum()
        run.descend(loss)
        total += loss.item()
        if run.step % args.report == 0:
            encoder.eval()
            with torch.inference_mode():
                guess = encoder(to_tensor(bank.images[count:], device=device))[:, -1].cpu().numpy()
            truth = bank.w[count:]
            explained = 1 - np.square(guess - truth).sum() / np.square(truth - truth.mean(0)).sum()
            seconds = round(time.perf_counter() - started)
            line = {"step": run.step, "loss": total / args.report, "explained": float(explained), "seconds": seconds}
            print(json.dumps(line), flush=True)
            total = 0.0
            run.save()


def train_on_photos(run: Run, encoder: ImageEncoder, prior: MobileStyleGan, args: argparse.Namespace) -> None:
    """The inversion's loss on what the encoder says of real photos; batch statistics stay frozen."""
    device = encoder.mean_w.device
    photos = load_faces(args.data, "train", args.work).images
    lpips, identity = Lpips.load().to(device), MobileFaceNet.load().to(device)
    weights = LossWeights(offsets=args.offsets, pull=args.pull)
    started, total = time.perf_counter(), 0.0
    encoder.eval()
    while run.step < run.steps:
        generator = torch.Generator().manual_seed(args.seed * 1_000_003 + run.step)
        index = torch.randint(len(photos), (args.batch,), generator=generator).sort().values.numpy()
        faces = jitter_framing(to_tensor(photos[index], device=device), generator, flip=True, amount=0.3)
        loss_of = InversionLoss(faces, lpips, identity, prior, weights)
        w_plus = encoder(soften(faces, generator))
        w = w_plus[:, -1]
        loss = loss_of(prior.synthesis(w_plus, 128), w, w_plus[:, :FREE_STYLES] - w[:, None])
        run.descend(loss)
        total += loss.item()
        if run.step % args.report == 0:
            seconds = round(time.perf_counter() - started)
            print(json.dumps({"step": run.step, "loss": total / args.report, "seconds": seconds}), flush=True)
            total = 0.0
            run.save()


def save_encoder(encoder: ImageEncoder, path: Path) -> None:
    """Writes the weights, large matrices in half precision."""
    tensors = {
        name: (tensor.half() if tensor.dim() > 1 else tensor.float()).contiguous().cpu()
        for name, tensor in encoder.state_dict().items()
        if "num_batches" not in name
    }
    save_file(tensors, path)


def main() -> None:
    """Parses the stage and trains it; the second stage starts from what the first wrote to ``--out``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stage", choices=["samples", "photos"])
    parser.add_argument("--data", type=Path, help="folder of the photos (second stage)")
    parser.add_argument("--out", type=Path, default=Path("weights/encoder.safetensors"))
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--samples", type=int, default=8000)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--offsets", type=float, default=LossWeights.offsets)
    parser.add_argument("--pull", type=float, default=LossWeights.pull)
    parser.add_argument("--report", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    prior = MobileStyleGan.load().to(device)
    if args.stage == "samples":
        encoder = ImageEncoder(args.width).to(device)
        encoder.mean_w.copy_(prior.mean_w)
        encoder.axes.copy_(principal_axes(prior))
    else:
        encoder = ImageEncoder.load(args.out).to(device).requires_grad_(True)
    args.work.mkdir(parents=True, exist_ok=True)
    run = Run(encoder, args.steps, args.lr, args.work / f"encoder_{args.stage}_{args.seed}_{args.steps}.pt")
    if args.stage == "samples":
        train_on_samples(run, encoder, SampleBank.make(prior, args.samples, args.work), args)
    else:
        train_on_photos(run, encoder, prior, args)
    save_encoder(encoder, args.out)


if __name__ == "__main__":
    main()
