"""Trains the evaluation's judge: what its early layers see of CelebA once, then the rest of it with early stopping.

Run: ``python -m training.judge --data DIR --out weights/judge.safetensors``. The views stay in ``--work`` (3.4 GB).
The last tenth of the training photos decides when to stop and which score is which degree; val is only scored, beside
the predictor.
``--compare`` trains nothing: it puts the judge that there is beside the predictor.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluation.judge import DegreeJudge, JudgeHead
from evaluation.mobilenet import SIDE, EarlyLayers, LateLayers
from shared.attributes import attribute_names
from shared.degree_predictor import DegreePredictor
from shared.tensors import to_tensor
from shared.weights import WEIGHTS
from training.celeba import FaceSet, load_faces
from training.degrees import calibrate
from training.frozen_features import Maps, area_under_curve, first_held_back, train_head

IN_BETWEEN = (1.5, 3.5)
"""Degrees, as the predictor reads them, that edits mostly aim at."""


def against_predictor(judge: DegreeJudge, faces: FaceSet) -> dict[str, dict[str, float]]:
    """Per attribute, on photos of val: both AUCs, and how far apart the two sets of degrees are.

    ``within_one`` is the share of photos whose degrees are at most one apart, ``within_one_in_between`` the same of
    those whose degree is `IN_BETWEEN`: more targets than that are hardly met by the judge, however good edits are.
    """
    predictor = DegreePredictor.load(WEIGHTS / "degrees.safetensors")
    parts = np.array_split(np.arange(len(faces.images)), max(1, len(faces.images) // 128))
    with torch.inference_mode():
        others = torch.cat([predictor.scores(to_tensor(faces.images[part])) for part in parts])
    scores = read(judge, faces)
    own = judge.to_degrees(scores)
    theirs = predictor.scale(others).numpy()
    agree = np.abs(own - theirs) <= 1
    between = (theirs >= IN_BETWEEN[0]) & (theirs <= IN_BETWEEN[1])
    return {
        name: {
            "auc_judge": area_under_curve(scores[:, i], faces.labels[:, i]),
            "auc_predictor": area_under_curve(others[:, i].numpy(), faces.labels[:, i]),
            "mean_absolute_difference": float(np.abs(own[:, i] - theirs[:, i]).mean()),
            "within_one": float(agree[:, i].mean()),
            "within_one_in_between": float(agree[between[:, i], i].mean()),
            "correlation": float(np.corrcoef(own[:, i], theirs[:, i])[0, 1]),
        }
        for i, name in enumerate(attribute_names())
    }


def main() -> None:
    """Entry point of ``python -m training.judge``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("weights/judge.safetensors"))
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--epochs", type=int, default=10, help="of the plain reader, over two views of all photos")
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--tuned-epochs", type=int, default=2, help="of the tuned reader, over five views")
    parser.add_argument("--tuned-lr", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--compare", action="store_true", help="print how the judge at --out stands to the predictor")
    args = parser.parse_args()
    if not args.compare:
        train(args)
    print_comparison(args)


def train(args: argparse.Namespace) -> None:
    """Both readers, each over the views that it needs, and the scale of their scores together."""
    torch.manual_seed(args.seed)
    faces = load_faces(args.data, "train", args.work, SIDE)
    early, late = EarlyLayers.load().requires_grad_(False), LateLayers.load().requires_grad_(False)

    def fine(images: Tensor) -> tuple[Tensor]:
        return (early(images),)

    def fine_mirrored(images: Tensor) -> tuple[Tensor]:
        return (early(images.flip(3)),)

    def coarse(images: Tensor) -> tuple[Tensor, Tensor]:
        maps: tuple[Tensor, Tensor] = late(early(images))
        return maps

    head = JudgeHead()
    views = [
        Maps.of(faces, coarse, args.work / "judge_coarse_plain"),
        Maps.of(faces, coarse, args.work / "judge_coarse_augmented", args.seed),
    ]
    plain_epoch = train_head(head.plain, views, faces.labels, args.epochs, args.lr, args.seed)
    views = [
        Maps.of(faces, fine, args.work / "judge_plain"),
        Maps.of(faces, fine_mirrored, args.work / "judge_mirrored"),
        *(Maps.of(faces, fine, args.work / f"judge_{seed}", seed) for seed in range(args.seed, args.seed + 3)),
    ]
    head.tuned.late.load_state_dict(late.state_dict())
    tuned_epoch = train_head(head.tuned, views, faces.labels, args.tuned_epochs, args.tuned_lr, args.seed)
    print(json.dumps({"best_epochs": {"plain": plain_epoch, "tuned": tuned_epoch}}))
    unseen = faces.at(slice(first_held_back(len(faces.images)), None))
    scores = read(DegreeJudge(early, late, head.eval()), unseen)
    head.scale.knots.copy_(torch.from_numpy(calibrate(scores, unseen.labels)))
    head.save(args.out)


def read(judge: DegreeJudge, faces: FaceSet) -> NDArray[np.float32]:
    """Scores ``(N, A)`` of a whole split."""
    parts = np.array_split(np.arange(len(faces.images)), max(1, len(faces.images) // 128))
    return np.concatenate([judge.scores(faces.images[part]) for part in parts])


def print_comparison(args: argparse.Namespace) -> None:
    """The judge at ``args.out`` beside the predictor, on val."""
    rows = against_predictor(DegreeJudge.load(args.out), load_faces(args.data, "val", args.work, SIDE))
    rounded = {name: {key: round(value, 3) for key, value in row.items()} for name, row in rows.items()}
    print(json.dumps({"val": rounded}))


if __name__ == "__main__":
    main()
