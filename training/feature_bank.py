"""Pictures and what the encoder's frozen networks see in them, on disk: read once, used for many passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.perceptual.face_features import FaceFeatures, FeatureReader
from shared.tensors import to_pictures, to_tensor

CHUNK = 16


class FeatureBank:
    """Pictures and their features, memory-mapped.

    Attributes:
        images: ``(N, 128, 128, 3)`` uint8.
        parts: the three parts of `FaceFeatures`, float16, each ``(N, ...)``.
    """

    def __init__(self, images: NDArray[np.uint8], parts: list[NDArray[np.float16]]) -> None:
        self.images, self.parts = images, parts

    def __len__(self) -> int:
        return len(self.images)

    def features(self, index: NDArray[np.int64] | slice, device: torch.device | None = None) -> FaceFeatures:
        """The features of the pictures at ``index``."""
        return FaceFeatures(*(torch.from_numpy(part[index].astype(np.float32)).to(device) for part in self.parts))

    @classmethod
    def open(
        cls,
        path: Path,
        count: int,
        draw: Callable[[slice, torch.Generator], Tensor],
        reader: FeatureReader,
        device: torch.device,
        seed: int = 0,
    ) -> FeatureBank:
        """The bank at ``path``, filled where it is not complete (an interrupted call goes on).

        Args:
            path: a name in the cache folder; the files begin with it.
            count: pictures.
            draw: pictures ``(B, 3, 128, 128)`` of a slice, augmented with the generator it is given.
            reader: sees the features.
            device: where it computes.
            seed: of the augmentation, together with the slice's start.
        """
        done_path = path.with_name(path.name + "_done.txt")
        first = int(done_path.read_text()) if done_path.exists() else 0
        names = [path.with_name(f"{path.name}_{part}.npy") for part in ("images", *FaceFeatures._fields)]
        arrays = [np.load(name, mmap_mode="r+" if first < count else "r") for name in names] if first else []
        for start in range(first, count, CHUNK):
            chunk = slice(start, min(start + CHUNK, count))
            pictures = draw(chunk, torch.Generator().manual_seed(seed * 1_000_003 + start)).to(device)
            with torch.inference_mode():
                read = reader(pictures)
            values = [to_pictures(pictures), *(part.half().cpu().numpy() for part in read)]
            if not arrays:
                path.parent.mkdir(parents=True, exist_ok=True)
                arrays = [
                    np.lib.format.open_memmap(name, "w+", value.dtype, (count, *value.shape[1:]))
                    for name, value in zip(names, values, strict=True)
                ]
            for array, value in zip(arrays, values, strict=True):
                array[chunk] = value
            if start // CHUNK % 20 == 19 or chunk.stop == count:
                for array in arrays:
                    array.flush()
                done_path.write_text(str(chunk.stop))
                print(f"read {chunk.stop} of {count} for {path.name}", flush=True)
        return cls(arrays[0], arrays[1:])


def plain(images: NDArray[np.uint8]) -> Callable[[slice, torch.Generator], Tensor]:
    """A ``draw`` that takes the pictures as they are."""
    return lambda chunk, _: to_tensor(images[chunk])
