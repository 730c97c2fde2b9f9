"""Weights trained by this project: safetensors in the checkout's ``weights/``, each beside its model card."""

from __future__ import annotations

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
