"""Reads the attributes' degrees off a face at 128 px: a small residual network, one calibrated score per attribute.

The network answers CelebA's yes-or-no questions; `DegreeScale` turns each score into an ordinal degree by a monotone
piecewise-linear map whose knots are quantiles of the scores (see ``weights/degrees.md``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from torch import Tensor, nn

from shared.attributes import MAX_DEGREE, attribute_names
from shared.residual import ResidualBlock, stem
from shared.tensors import resize, to_tensor

SIDE = 128
"""Side in pixels of the faces the network reads; others are resized to it."""


class DegreeScale(nn.Module):
    """Monotone map from an attribute's score to its degree, linear between knots, flat beyond the ends.

    Args:
        knots: scores at which the degrees 0, 1, ..., 5 are met, shape ``(A, 6)``, strictly rising along each row.
    """

    def __init__(self, knots: Tensor) -> None:
        super().__init__()
        self.knots: Tensor
        self.register_buffer("knots", knots)

    def forward(self, scores: Tensor) -> Tensor:
        """``(B, A)`` scores -> ``(B, A)`` degrees in 0..5."""
        low, high = self.knots[:, :-1], self.knots[:, 1:]  # (A, 5)
        steps = (scores[..., None] - low) / (high - low)  # (B, A, 5)
        return steps.clamp(0, 1).sum(-1)

    @property
    def unit(self) -> Tensor:
        """Scores that make up a degree on average, ``(A,)``."""
        return (self.knots[:, -1] - self.knots[:, 0]) / (self.knots.shape[1] - 1)

    def inverse(self, degrees: Tensor) -> Tensor:
        """``(B, A)`` degrees 0..5 -> the ``(B, A)`` scores at which they are met."""
        below = degrees.clamp(0, MAX_DEGREE - 1).floor().long()  # (B, A)
        knots = self.knots.expand(len(degrees), -1, -1)
        low = knots.gather(2, below[..., None])[..., 0]
        high = knots.gather(2, below[..., None] + 1)[..., 0]
        return low + (degrees - below) * (high - low)


class DegreePredictor(nn.Module):
    """Face -> degrees. Differentiable; `degrees` is the numpy door that the services use.

    Args:
        width: channels of the first stage; the stages have 1, 2, 4, 6 times as many.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        attributes = len(attribute_names())
        self.stem = stem(width)
        self.stages = nn.Sequential(
            ResidualBlock(width, width * 2, 2),  # 32 px
            ResidualBlock(width * 2, width * 4, 2),  # 16 px
            ResidualBlock(width * 4, width * 4, 1),
            ResidualBlock(width * 4, width * 6, 2),  # 8 px
            ResidualBlock(width * 6, width * 6, 1),
        )
        self.head = nn.Linear(width * 6, attributes)
        self.scale = DegreeScale(torch.arange(MAX_DEGREE + 1.0).repeat(attributes, 1))

    @classmethod
    def load(cls, path: Path) -> DegreePredictor:
        """Loads committed weights, frozen and in evaluation mode."""
        with safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118
        model = cls(width=tensors["stem.0.weight"].shape[0])
        model.load_state_dict(tensors, strict=False)
        return model.eval().requires_grad_(False)

    def scores(self, images: Tensor) -> Tensor:
        """``(B, 3, S, S)`` in [-1, 1] -> ``(B, A)`` log-odds that each attribute is present."""
        images = resize(images, SIDE).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.stages(self.stem(images))
        logits: Tensor = self.head(features.mean((2, 3)))
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """``(B, 3, S, S)`` in [-1, 1] -> ``(B, A)`` degrees 0..5, in registry order."""
        degrees: Tensor = self.scale(self.scores(images))
        return degrees

    def degrees(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(B, S, S, 3)`` uint8 -> ``(B, A)`` degrees 0..5, in registry order."""
        with torch.inference_mode():
            result: NDArray[np.float32] = self(to_tensor(images, SIDE)).numpy()
        return result
