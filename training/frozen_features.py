"""Small heads on frozen networks: the maps of every photo once, kept on disk, then many quick passes over them."""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from shared.tensors import to_tensor
from training.augment import augment_photo
from training.celeba import FaceSet

BATCH = 64
HELD_BACK = 0.1
"""Last part of the training photos, which decides when to stop, and which scores mean which degree."""

LABEL_SMOOTHING = 0.05
"""Keeps scores ordinal instead of saturated."""


@dataclass(frozen=True)
class Maps:
    """What a frozen network sees of one split: float16, memory-mapped, each ``(N, C, H, W)``."""

    parts: tuple[NDArray[np.float16], ...]

    def __len__(self) -> int:
        return len(self.parts[0])

    def batch(self, index: NDArray[np.int64]) -> tuple[Tensor, ...]:
        """The maps of some photos, as a head takes them."""
        return tuple(torch.from_numpy(part[index]).float() for part in self.parts)

    @classmethod
    def of(
        cls, faces: FaceSet, network: Callable[[Tensor], Sequence[Tensor]], path: Path, seed: int | None = None
    ) -> Maps:
        """Those of every photo, computed once and kept at ``path``; with ``seed``, of photos that were augmented."""
        count_path = path.with_name(f"{path.name}_parts.txt")
        if not count_path.exists():
            generator = torch.Generator().manual_seed(seed or 0)
            kept: list[tuple[NDArray[np.float16], ...]] = []
            started = time.perf_counter()
            with torch.inference_mode():
                for at in range(0, len(faces.images), BATCH):
                    images = to_tensor(faces.images[at : at + BATCH])
                    if seed is not None:
                        images = augment_photo(images, generator)
                    kept.append(tuple(one.half().numpy() for one in network(images)))
            for number, maps in enumerate(zip(*kept, strict=True)):
                np.save(cls._file(path, number), np.concatenate(maps))
            count_path.write_text(str(len(kept[0])))
            seconds = round(time.perf_counter() - started)
            print(json.dumps({"features": path.name, "seconds": seconds}), flush=True)
        count = int(count_path.read_text())
        return cls(tuple(np.load(cls._file(path, number), mmap_mode="r") for number in range(count)))

    @staticmethod
    def _file(path: Path, number: int) -> Path:
        return path.with_name(f"{path.name}_{number}.npy")


def first_held_back(count: int) -> int:
    """Of ``count`` photos of a split, the first that no reader is trained on; nor is one on those after it."""
    return round(count * (1 - HELD_BACK))


def score_maps(head: nn.Module, maps: Maps) -> NDArray[np.float32]:
    """Scores ``(N, A)`` of a whole split."""
    head.eval()
    rows = np.arange(len(maps))
    with torch.inference_mode():
        chunks = [head(*maps.batch(part)) for part in np.array_split(rows, max(1, len(rows) // 512))]
    scores: NDArray[np.float32] = torch.cat(chunks).numpy()
    return scores


def area_under_curve(scores: NDArray[np.float32], labels: NDArray[np.float32]) -> float:
    """Probability that a face with the attribute scores above one without (Mann-Whitney)."""
    order = scores.argsort().argsort().astype(np.float64) + 1
    positives = labels > 0.5
    n, m = int(positives.sum()), int((~positives).sum())
    return float((order[positives].sum() - n * (n + 1) / 2) / (n * m))


def attribute_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Binary cross-entropy of scores ``(B, A)`` with softened labels 0 and 1."""
    return functional.binary_cross_entropy_with_logits(scores, labels * (1 - 2 * LABEL_SMOOTHING) + LABEL_SMOOTHING)


def train_head(
    head: nn.Module, views: Sequence[Maps], labels: NDArray[np.float32], epochs: int, lr: float, seed: int
) -> int:
    """AdamW over all views; keeps the weights of the epoch with the best mean AUC on the photos held back.

    Returns:
        That epoch, counted from 1.
    """
    cut = first_held_back(len(labels))
    unseen = Maps(tuple(part[cut:] for part in views[0].parts))
    optimiser = torch.optim.AdamW(head.parameters(), lr=lr, weight_decay=0.05)
    steps = len(views) * (cut // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=steps * epochs + 1)
    random = np.random.default_rng(seed)
    best, best_epoch, best_state = 0.0, 0, head.state_dict()
    for epoch in range(1, epochs + 1):
        head.train()
        total = 0.0
        orders = [random.permutation(cut) for _ in views]
        for step in range(steps):
            view, part = step % len(views), step // len(views)
            index = np.sort(orders[view][part * BATCH : (part + 1) * BATCH])
            loss = attribute_loss(head(*views[view].batch(index)), torch.from_numpy(labels[index]))
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            total += loss.item()
        scores = score_maps(head, unseen)
        mean = float(np.mean([area_under_curve(s, one) for s, one in zip(scores.T, labels[cut:].T, strict=True)]))
        print(
            json.dumps({"epoch": epoch, "loss": round(total / steps, 4), "auc_held_back": round(mean, 4)}), flush=True
        )
        if mean > best:
            best, best_epoch, best_state = mean, epoch, copy.deepcopy(head.state_dict())
    head.load_state_dict(best_state)
    return best_epoch
