"""Pictures as networks see them: uint8 ``(B, S, S, 3)`` outside, float ``(B, 3, S, S)`` in [-1, 1] inside."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional


def to_tensor(pictures: NDArray[np.uint8], side: int | None = None, device: torch.device | None = None) -> Tensor:
    """uint8 ``(B, S, S, 3)`` -> ``(B, 3, S, S)`` in [-1, 1], resized with antialiasing where ``side`` is another."""
    own = np.require(pictures, requirements=["C", "W"])  # torch wants memory that may be written
    batch = torch.from_numpy(own).to(device)
    images = batch.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
    return images if side is None else resize(images, side)


def resize(images: Tensor, side: int) -> Tensor:
    """``(B, C, S, S)`` -> ``(B, C, side, side)``; differentiable, nothing is done where the size fits."""
    if images.shape[-1] == side:
        return images
    return functional.interpolate(images, (side, side), mode="bilinear", antialias=True)


def to_pictures(images: Tensor) -> NDArray[np.uint8]:
    """``(B, 3, S, S)`` in about [-1, 1] -> uint8 ``(B, S, S, 3)``."""
    pixels: NDArray[np.uint8] = (
        ((images.detach().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    )
    return pixels
