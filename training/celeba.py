"""CelebA as the trainings see it: FFHQ framing, 128 px, with the attributes' binary labels.

The data stay outside the repository (see docs/data.md); ``--data DIR`` names the folder with ``celeba18k.tar`` and
``celeba18k_attributes.csv``.
"""

from __future__ import annotations

import csv
import io
import tarfile
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from shared.attributes import attribute_names
from shared.errors import InvalidInput

#: Box (left, top, right, bottom) of the 168 px crops that frames a face as FFHQ does.
FFHQ_BOX = (10, 5, 167, 162)

#: Per attribute, the CelebA columns of which any one at the given value makes it present.
LABELS: dict[str, tuple[tuple[str, int], ...]] = {
    "bangs": (("Bangs", 1),),
    "eyeglasses": (("Eyeglasses", 1),),
    "beard": (("No_Beard", -1),),
    "smiling": (("Smiling", 1),),
    "age": (("Young", -1),),
}


@dataclass(frozen=True)
class FaceSet:
    """One split of the photos.

    Attributes:
        images: uint8, ``(N, S, S, 3)``, memory-mapped.
        labels: float32 0/1, ``(N, n_attributes)``, in registry order.
        names: the files' names, ``N`` of them.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.float32]
    names: list[str]

    def at(self, photos: slice) -> FaceSet:
        """Some of the photos."""
        return FaceSet(self.images[photos], self.labels[photos], self.names[photos])


def iter_faces(
    data: Path, split: str, side: int, only: Container[int] | None = None
) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """Yields ``(file name, uint8 (side, side, 3))`` of one split (``train`` or ``val``) in archive order.

    Args:
        data: folder of the archive.
        split: its folder.
        side: in pixels.
        only: places in that order; the others are passed over.

    Raises:
        InvalidInput: if the archive is not there.
    """
    with _archive(data) as archive:
        members = (member for member in archive if member.isfile() and Path(member.name).parent.name == split)
        for place, member in enumerate(members):
            if only is not None and place not in only:
                continue
            path, stream = Path(member.name), archive.extractfile(member)
            assert stream is not None
            photo = Image.open(io.BytesIO(stream.read())).convert("RGB")
            yield path.name, np.asarray(photo.resize((side, side), Image.Resampling.BICUBIC, box=FFHQ_BOX))


def _archive(data: Path) -> tarfile.TarFile:
    try:
        return tarfile.open(data / "celeba18k.tar")
    except (OSError, tarfile.TarError):
        raise InvalidInput(f"{data} holds no readable celeba18k.tar; name a folder that does (docs/data.md)") from None


def read_labels(data: Path) -> dict[str, NDArray[np.float32]]:
    """File name -> 0/1 labels ``(n_attributes,)`` in registry order."""
    with (data / "celeba18k_attributes.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    names = attribute_names()
    return {
        row["image_id"]: np.array(
            [any(int(row[column]) == value for column, value in LABELS[name]) for name in names], dtype=np.float32
        )
        for row in rows
    }


def load_faces(data: Path, split: str, cache: Path, side: int = 128) -> FaceSet:
    """Loads one split, decoding the archive into ``cache`` on the first call."""
    cache.mkdir(parents=True, exist_ok=True)
    images_path, names_path = cache / f"celeba_{split}_{side}.npy", cache / f"celeba_{split}_{side}.txt"
    if not (images_path.exists() and names_path.exists()):
        names, images = zip(*iter_faces(data, split, side), strict=True)
        np.save(images_path, np.stack(images))
        names_path.write_text("\n".join(names))
    names_list = names_path.read_text().split("\n")
    labels = read_labels(data)
    return FaceSet(np.load(images_path, mmap_mode="r"), np.stack([labels[name] for name in names_list]), names_list)
