"""Trains the evaluation's judge: features of CelebA once, then a small head with early stopping.

Run: ``python -m training.judge --data DIR --out weights/judge.safetensors``. The features stay in ``--work`` (1.3 GB).
The last tenth of the training photos decides when to stop; val is only scored, by `main` and beside the predictor.
"""

from __future__ import annotations

import argparse
import copy
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch.nn import functional

from evaluation.judge import DegreeJudge, JudgeHead
from evaluation.mobilenet import SIDE, MobileNetV2
from shared.attributes import attribute_names
from shared.degree_predictor import DegreePredictor
from shared.tensors import to_tensor
from shared.weights import WEIGHTS
from training.augment import augment_photo
from training.celeba import FaceSet, load_faces
from training.degrees import LABEL_SMOOTHING, area_under_curve, calibrate

BATCH = 64
HELD_BACK = 0.1  # of the training photos, for early stopping


@dataclass(frozen=True)
class Features:
    """What the trunk sees of one split: float16, memory-mapped.

    Attributes:
        middle: ``(N, 128, 10, 10)``.
        coarse: ``(N, 320, 5, 5)``.
    """

    middle: NDArray[np.float16]
    coarse: NDArray[np.float16]

    def batch(self, index: NDArray[np.int64]) -> tuple[torch.Tensor, torch.Tensor]:
        """The maps of some photos, as the head takes them."""
        return torch.from_numpy(self.middle[index]).float(), torch.from_numpy(self.coarse[index]).float()


def features_of(faces: FaceSet, name: str, work: Path, seed: int | None = None) -> Features:
    """The trunk's maps of every photo, computed once; with ``seed``, of photos that were augmented."""
    paths = [work / f"judge_{name}_{kind}.npy" for kind in ("middle", "coarse")]
    if not all(path.exists() for path in paths):
        trunk = MobileNetV2.load()
        generator = torch.Generator().manual_seed(seed or 0)
        kept: list[tuple[NDArray[np.float16], ...]] = []
        started = time.perf_counter()
        with torch.inference_mode():
            for at in range(0, len(faces.images), BATCH):
                images = to_tensor(faces.images[at : at + BATCH])
                if seed is not None:
                    images = augment_photo(images, generator)
                kept.append(tuple(one.half().numpy() for one in trunk(images)))
        for path, maps in zip(paths, zip(*kept, strict=True), strict=True):
            np.save(path, np.concatenate(maps))
        print(json.dumps({"features": name, "seconds": round(time.perf_counter() - started)}), flush=True)
    middle, coarse = (np.load(path, mmap_mode="r") for path in paths)
    return Features(middle, coarse)


def score_all(head: JudgeHead, features: Features) -> NDArray[np.float32]:
    """Scores ``(N, A)`` of a whole split."""
    head.eval()
    with torch.inference_mode():
        rows = np.arange(len(features.middle))
        chunks = [head(*features.batch(part)) for part in np.array_split(rows, max(1, len(rows) // 512))]
    scores: NDArray[np.float32] = torch.cat(chunks).numpy()
    return scores


def train(head: JudgeHead, views: list[Features], labels: NDArray[np.float32], args: argparse.Namespace) -> int:
    """AdamW over all views; keeps the weights of the epoch with the best mean AUC on the photos held back.

    Returns:
        That epoch, counted from 1.
    """
    cut = round(len(labels) * (1 - HELD_BACK))
    held_back = Features(views[0].middle[cut:], views[0].coarse[cut:])
    optimiser = torch.optim.AdamW(head.parameters(), lr=args.lr, weight_decay=0.05)
    steps = len(views) * (cut // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.lr, total_steps=steps * args.epochs + 1)
    random = np.random.default_rng(args.seed)
    best, best_epoch, best_state = 0.0, 0, head.state_dict()
    for epoch in range(1, args.epochs + 1):
        head.train()
        total = 0.0
        orders = [random.permutation(cut) for _ in views]
        for step in range(steps):
            view, part = step % len(views), step // len(views)
            index = np.sort(orders[view][part * BATCH : (part + 1) * BATCH])
            wanted = torch.from_numpy(labels[index]) * (1 - 2 * LABEL_SMOOTHING) + LABEL_SMOOTHING
            loss = functional.binary_cross_entropy_with_logits(head(*views[view].batch(index)), wanted)
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += loss.item()
        scores = score_all(head, held_back)
        mean = float(np.mean([area_under_curve(s, one) for s, one in zip(scores.T, labels[cut:].T, strict=True)]))
        print(
            json.dumps({"epoch": epoch, "loss": round(total / steps, 4), "auc_held_back": round(mean, 4)}), flush=True
        )
        if mean > best:
            best, best_epoch, best_state = mean, epoch, copy.deepcopy(head.state_dict())
    head.load_state_dict(best_state)
    return best_epoch


def against_predictor(judge: DegreeJudge, faces: FaceSet) -> dict[str, dict[str, float]]:
    """Per attribute, on photos of val: both AUCs, and how far apart the two sets of degrees are."""
    predictor = DegreePredictor.load(WEIGHTS / "degrees.safetensors")
    parts = np.array_split(np.arange(len(faces.images)), max(1, len(faces.images) // 128))
    scores = np.concatenate([judge.scores(faces.images[part]) for part in parts])
    with torch.inference_mode():
        others = torch.cat([predictor.scores(to_tensor(faces.images[part])) for part in parts])
    own = np.concatenate([judge.degrees(faces.images[part]) for part in parts])
    theirs = predictor.scale(others).numpy()
    return {
        name: {
            "auc_judge": area_under_curve(scores[:, i], faces.labels[:, i]),
            "auc_predictor": area_under_curve(others[:, i].numpy(), faces.labels[:, i]),
            "mean_absolute_difference": float(np.abs(own[:, i] - theirs[:, i]).mean()),
            "correlation": float(np.corrcoef(own[:, i], theirs[:, i])[0, 1]),
        }
        for i, name in enumerate(attribute_names())
    }


def main() -> None:
    """Extracts, trains, calibrates on the training photos, writes the head and compares it with the predictor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("weights/judge.safetensors"))
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--features-only", action="store_true", help="stop when the features are there")
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    faces = load_faces(args.data, "train", args.work, SIDE)
    views = [features_of(faces, "plain", args.work), features_of(faces, "augmented", args.work, args.seed)]
    if args.features_only:
        return
    head = JudgeHead()
    best_epoch = train(head, views, faces.labels, args)
    head.scale.knots.copy_(torch.from_numpy(calibrate(score_all(head, views[0]), faces.labels)))
    tensors = {
        name: (tensor.half() if tensor.dim() > 1 and "scale" not in name else tensor).contiguous()
        for name, tensor in head.state_dict().items()
    }
    save_file(tensors, args.out)
    judge = DegreeJudge.load(args.out)
    rows = against_predictor(judge, load_faces(args.data, "val", args.work, SIDE))
    rounded = {name: {key: round(value, 3) for key, value in row.items()} for name, row in rows.items()}
    print(json.dumps({"best_epoch": best_epoch, "val": rounded}))


if __name__ == "__main__":
    main()
