"""Weights trained by this project: safetensors in the checkout's ``weights/``, each beside its model card."""

from __future__ import annotations

import hashlib
from pathlib import Path

from shared.errors import WeightsMissing

WEIGHTS = Path(__file__).resolve().parent.parent / "weights"


def committed(name: str) -> Path:
    """The file ``name`` of ``weights/``.

    Raises:
        WeightsMissing: if it is not there.
    """
    path = WEIGHTS / name
    if not path.is_file():
        raise WeightsMissing(f"weights/{name} is not there; run from a complete checkout of the project")
    return path


def fingerprint(*names: str) -> str:
    """A short hash of what these files of ``weights/`` hold, of all of them where none is named.

    What was computed with weights is kept under it, so that other weights do not meet old results.

    Raises:
        WeightsMissing: if one of them is not there.
    """
    digest = hashlib.blake2b(digest_size=8)
    for name in names or sorted(path.name for path in WEIGHTS.glob("*.safetensors")):
        digest.update(f"{name}:".encode() + hashlib.blake2b(committed(name).read_bytes()).digest())
    return digest.hexdigest()
