"""Trains both readers of the degree predictor on CelebA's labels and calibrates its six degrees.

Run: ``python -m training.degrees --data DIR`` (resumes from its checkpoint); ``--pixels FILE`` and ``--features FILE``
keep readers that there are. The features stay in ``--work`` (1.6 GB). The last tenth of the training photos trains none
of them: it decides when to stop and which score is which degree.
"""

from __future__ import annotations

import argparse
import json
import time
from functools import partial
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.attributes import attribute_names
from shared.degree_predictor import PIXEL_SHARE, DegreePredictor, FeatureHead, PixelReader
from shared.perceptual.face_features import FeatureReader
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.tensors import to_tensor
from shared.weights import WEIGHTS
from training.augment import augment_photo
from training.celeba import FaceSet, load_faces
from training.frozen_features import Maps, area_under_curve, attribute_loss, first_held_back, score_maps, train_head

#: Degree 0 is met at the median of faces without the attribute, degree 1 where it is as likely there as not, 2..5
#: at these quantiles of the faces that score above that. No reader was trained on these faces: those that one was
#: trained on score too far from the middle.
PRESENT_QUANTILES = (0.25, 0.50, 0.75, 0.97)


def score_pixels(reader: PixelReader, faces: FaceSet, device: torch.device) -> NDArray[np.float32]:
    """Scores ``(N, A)`` of a whole split."""
    reader.eval()
    with torch.inference_mode():
        chunks = [
            reader(to_tensor(faces.images[i : i + 128], device=device)).float().cpu()
            for i in range(0, len(faces.images), 128)
        ]
    scores: NDArray[np.float32] = torch.cat(chunks).numpy()
    return scores


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


def train_pixels(model: PixelReader, faces: FaceSet, args: argparse.Namespace, device: torch.device) -> None:
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
            loss = attribute_loss(model(images), torch.from_numpy(faces.labels[index]).to(device))
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


def see(eyes: FeatureReader, images: Tensor) -> tuple[Tensor]:
    """What the head of features reads of pictures, as `Maps` keeps it."""
    return (FeatureHead.cells(eyes(images)),)


def main() -> None:
    """Trains both readers, calibrates them on photos that they were not trained on, writes them and scores val."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=WEIGHTS / "degrees.safetensors")
    parser.add_argument("--pixels", type=Path, help="weights whose reader of pixels is taken as it is")
    parser.add_argument("--features", type=Path, help="weights whose reader of features is taken as it is")
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--epochs", type=int, default=8, help="passes of the reader of pixels")
    parser.add_argument("--stop-after", type=int, default=0, help="of them to do for now; a later call goes on")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--width", type=int, default=32)
    parser.add_argument("--head-epochs", type=int, default=10)
    parser.add_argument("--head-lr", type=float, default=1e-3)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    train, val = load_faces(args.data, "train", args.work), load_faces(args.data, "val", args.work)
    cut = first_held_back(len(train.images))
    unseen = train.at(slice(cut, None))
    eyes = FeatureReader(Lpips.load(), MobileFaceNet.load())
    if args.pixels:
        pixels = DegreePredictor.load(args.pixels, eyes).pixels
    else:
        pixels = PixelReader(args.width).to(device)
        train_pixels(pixels, train.at(slice(cut)), args, device)
    if args.features:
        features = DegreePredictor.load(args.features, eyes).features
    else:
        features = FeatureHead()
        plain = Maps.of(train, partial(see, eyes), args.work / "degrees_plain")
        augmented = Maps.of(train, partial(see, eyes), args.work / "degrees_augmented", args.seed)
        train_head(features, [plain, augmented], train.labels, args.head_epochs, args.head_lr, args.seed)

    def read(faces: FaceSet, name: str) -> dict[str, NDArray[np.float32]]:
        """Scores ``(N, A)`` of each reader and of both."""
        maps = Maps.of(faces, partial(see, eyes), args.work / name)
        readers = {"pixels": score_pixels(pixels, faces, device), "features": score_maps(features, maps)}
        return readers | {"both": together(**readers)}

    predictor = DegreePredictor(eyes, pixels, features).eval()
    knots = calibrate(read(unseen, "degrees_unseen")["both"], unseen.labels)
    predictor.scale.knots.copy_(torch.from_numpy(knots))
    predictor.save(args.out)
    scores = read(val, "degrees_val")
    print(json.dumps({"auc_val": {name: areas(of_val, val.labels) for name, of_val in scores.items()}}))


def together(pixels: NDArray[np.float32], features: NDArray[np.float32]) -> NDArray[np.float32]:
    """The scores of both readers, ``(N, A)`` each, as `DegreePredictor.scores` adds them."""
    both: NDArray[np.float32] = PIXEL_SHARE * pixels + (1 - PIXEL_SHARE) * features
    return both


def areas(scores: NDArray[np.float32], labels: NDArray[np.float32]) -> dict[str, float]:
    """Each attribute's area under the curve."""
    columns = zip(attribute_names(), scores.T, labels.T, strict=True)
    return {name: round(area_under_curve(one, label), 4) for name, one, label in columns}


if __name__ == "__main__":
    main()
