"""Trains the degree predictor on CelebA's labels and calibrates its six degrees.

Run: ``python -m training.degrees --data DIR --out weights/degrees.safetensors`` (resumes from its checkpoint).
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch.nn import functional

from shared.attributes import attribute_names
from shared.degree_predictor import DegreePredictor
from shared.tensors import to_tensor
from training.augment import augment_photo
from training.celeba import FaceSet, load_faces

#: Degree 0 is met at the median of faces without the attribute, degree 1 where it is as likely there as not, 2..5
#: at these quantiles of the faces that score above that.
PRESENT_QUANTILES = (0.25, 0.50, 0.75, 0.97)
LABEL_SMOOTHING = 0.05  # keeps scores ordinal instead of saturated


def score_all(model: DegreePredictor, faces: FaceSet, device: torch.device) -> NDArray[np.float32]:
    """Scores ``(N, A)`` of a whole split."""
    model.eval()
    with torch.inference_mode():
        chunks = [
            model.scores(to_tensor(faces.images[i : i + 128], device=device)).float().cpu()
            for i in range(0, len(faces.images), 128)
        ]
    scores: NDArray[np.float32] = torch.cat(chunks).numpy()
    return scores


def area_under_curve(scores: NDArray[np.float32], labels: NDArray[np.float32]) -> float:
    """Probability that a face with the attribute scores above one without (Mann-Whitney)."""
    order = scores.argsort().argsort().astype(np.float64) + 1
    positives = labels > 0.5
    n, m = int(positives.sum()), int((~positives).sum())
    return float((order[positives].sum() - n * (n + 1) / 2) / (n * m))


def calibrate(scores: NDArray[np.float32], labels: NDArray[np.float32]) -> NDArray[np.float32]:
    """Knots ``(A, 6)``: the scores at which the degrees 0..5 are met."""
    knots = []
    for score, label in zip(scores.T, labels.T, strict=True):
        without, within = score[label < 0.5], score[label > 0.5]
        thresholds = np.quantile(score, np.linspace(0, 1, 1001))
        missed = (within[None] < thresholds[:, None]).mean(1)
        false = (without[None] >= thresholds[:, None]).mean(1)
        boundary = thresholds[np.abs(missed - false).argmin()]  # equal error rates: the classes' sizes do not move it
        knots.append([np.median(without), boundary, *np.quantile(score[score > boundary], PRESENT_QUANTILES)])
    return np.array(knots, dtype=np.float32)


def train(model: DegreePredictor, faces: FaceSet, args: argparse.Namespace, device: torch.device) -> None:
    """One-cycle AdamW over ``args.epochs`` passes; every epoch leaves a checkpoint that resumes exactly."""
    checkpoint = Path(args.work) / f"degrees_{args.seed}_{args.width}.pt"
    steps = len(faces.images) // args.batch
    optimiser = torch.optim.AdamW(model.parameters(), lr=args.lr, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.lr, total_steps=steps * args.epochs + 1)
    first = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first = state["epoch"]
    for epoch in range(first, args.stop_after or args.epochs):
        model.train()
        generator = torch.Generator().manual_seed(args.seed * 1000 + epoch)
        order = torch.randperm(len(faces.images), generator=generator).numpy()
        started, total = time.perf_counter(), 0.0
        for step in range(steps):
            index = np.sort(order[step * args.batch : (step + 1) * args.batch])
            images = augment_photo(to_tensor(faces.images[index], device=device), generator)
            labels = torch.from_numpy(faces.labels[index]).to(device)
            smooth = labels * (1 - 2 * LABEL_SMOOTHING) + LABEL_SMOOTHING
            loss = functional.binary_cross_entropy_with_logits(model.scores(images), smooth)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += loss.item()
        seconds = time.perf_counter() - started
        print(json.dumps({"epoch": epoch + 1, "loss": round(total / steps, 4), "seconds": round(seconds)}), flush=True)
        state = {
            "model": model.state_dict(),
            "optimiser": optimiser.state_dict(),
            "schedule": schedule.state_dict(),
            "epoch": epoch + 1,
        }
        torch.save(state, checkpoint)


def main() -> None:
    """Trains, calibrates on the training split, scores on val and writes the weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("weights/degrees.safetensors"))
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--stop-after", type=int, default=0, help="epochs to do for now; a later call goes on")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = DegreePredictor(args.width).to(device)
    faces = load_faces(args.data, "train", args.work)
    train(model, faces, args, device)
    held_out = load_faces(args.data, "val", args.work)
    model.scale.knots.copy_(torch.from_numpy(calibrate(score_all(model, faces, device), faces.labels)))
    scores = score_all(model, held_out, device)
    names = attribute_names()
    auc = {name: area_under_curve(scores[:, i], held_out.labels[:, i]) for i, name in enumerate(names)}
    print(json.dumps({"auc_val": {name: round(value, 4) for name, value in auc.items()}}))
    tensors = {name: tensor.half() if "weight" in name and tensor.dim() > 1 else tensor.float().contiguous()
               for name, tensor in model.state_dict().items() if "num_batches" not in name}  # fmt: skip
    save_file({name: tensor.contiguous().cpu() for name, tensor in tensors.items()}, args.out)


if __name__ == "__main__":
    main()
