"""Trains the evaluation's judge: features of CelebA once, then a small head with early stopping.

Run: ``python -m training.judge --data DIR --out weights/judge.safetensors``. The features stay in ``--work`` (1.3 GB).
The last tenth of the training photos decides when to stop; val is only scored, by `main` and beside the predictor.
``--compare`` trains nothing: it puts the judge that there is beside the predictor.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from evaluation.judge import DegreeJudge, JudgeHead
from evaluation.mobilenet import SIDE, MobileNetV2
from shared.attributes import attribute_names
from shared.degree_predictor import DegreePredictor
from shared.tensors import to_tensor
from shared.weights import WEIGHTS
from training.celeba import FaceSet, load_faces
from training.degrees import calibrate
from training.frozen_features import Maps, area_under_curve, score_maps, train_head

IN_BETWEEN = (1.5, 3.5)
"""Degrees, as the predictor reads them, that edits mostly aim at."""


def against_predictor(judge: DegreeJudge, faces: FaceSet) -> dict[str, dict[str, float]]:
    """Per attribute, on photos of val: both AUCs, and how far apart the two sets of degrees are.

    ``within_one`` is the share of photos whose degrees are at most one apart, ``within_one_in_between`` the same of
    those whose degree is `IN_BETWEEN`: more targets than that are hardly met by the judge, however good edits are.
    """
    predictor = DegreePredictor.load(WEIGHTS / "degrees.safetensors")
    parts = np.array_split(np.arange(len(faces.images)), max(1, len(faces.images) // 128))
    scores = np.concatenate([judge.scores(faces.images[part]) for part in parts])
    with torch.inference_mode():
        others = torch.cat([predictor.scores(to_tensor(faces.images[part])) for part in parts])
    own = np.concatenate([judge.degrees(faces.images[part]) for part in parts])
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
    """Extracts, trains, calibrates on the training photos, writes the head and compares it with the predictor."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("weights/judge.safetensors"))
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--lr", type=float, default=5e-4)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--features-only", action="store_true", help="stop when the features are there")
    parser.add_argument("--compare", action="store_true", help="print how the judge at --out stands to the predictor")
    args = parser.parse_args()
    if args.compare:
        print_comparison(args)
        return
    torch.manual_seed(args.seed)
    faces = load_faces(args.data, "train", args.work, SIDE)
    trunk = MobileNetV2.load()
    views = [
        Maps.of(faces, trunk, args.work / "judge_plain"),
        Maps.of(faces, trunk, args.work / "judge_augmented", args.seed),
    ]
    if args.features_only:
        return
    head = JudgeHead()
    best_epoch = train_head(head, views, faces.labels, args.epochs, args.lr, args.seed)
    head.scale.knots.copy_(torch.from_numpy(calibrate(score_maps(head, views[0]), faces.labels)))
    tensors = {
        name: (tensor.half() if tensor.dim() > 1 and "scale" not in name else tensor).contiguous()
        for name, tensor in head.state_dict().items()
    }
    save_file(tensors, args.out)
    print(json.dumps({"best_epoch": best_epoch}))
    print_comparison(args)


def print_comparison(args: argparse.Namespace) -> None:
    """The judge at ``args.out`` beside the predictor, on val."""
    rows = against_predictor(DegreeJudge.load(args.out), load_faces(args.data, "val", args.work, SIDE))
    rounded = {name: {key: round(value, 3) for key, value in row.items()} for name, row in rows.items()}
    print(json.dumps({"val": rounded}))


if __name__ == "__main__":
    main()
