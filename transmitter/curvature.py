"""How strongly each move of a latent is seen, on average over faces: what an inversion's gradients are divided by.

The loss of an inversion is steep along a few directions of w+ (pose, the colour of the light) and flat along most. Its
mean curvature over faces, ``H = E[J^T J]`` with ``J`` from the latent to what the loss compares (Gauss-Newton), is
measured once (``training/curvature.py``) and kept as its leading eigenvectors. Steps along ``(H + damping)^-1 g`` are
as long where little is seen as where much is: a dozen of them do what forty of Adam do.

Coordinates: a common step of all style vectors and one of each of them, along the principal axes of W in standard
deviations, where steps apart from the common one are shorter by `apart`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Self

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from shared.prior.face_prior import NUM_STYLES, W_DIM


@dataclass(frozen=True)
class Curvature:
    """Mean curvature of the inversion's loss.

    Attributes:
        axes: principal axes of W as rows ``(512, 512)``, each as long as its standard deviation.
        apart: how long a step of one style vector is beside a common one, ``(16,)``.
        values: leading eigenvalues of the curvature in the coordinates, ``(R,)``, falling.
        vectors: their unit eigenvectors as rows ``(R, 17 * 512)``.
    """

    axes: Tensor
    apart: Tensor
    values: Tensor
    vectors: Tensor

    @classmethod
    def of(cls, gradients: Tensor, axes: Tensor, apart: Tensor, rank: int) -> Self:
        """The curvature ``E[g g^T]`` of gradients ``(N, 16, 512)`` in w+ whose outer products have that mean."""
        bare = cls(axes, apart, torch.ones(1), torch.zeros(1, (1 + NUM_STYLES) * W_DIM))
        coordinates = bare.gradient(gradients).flatten(1)  # (N, 17 * 512)
        values, vectors = torch.linalg.eigh(coordinates @ coordinates.T / len(coordinates))
        values, vectors = values.flip(0)[:rank], vectors.flip(1)[:, :rank]
        return cls(axes, apart, values, vectors.T @ coordinates / (values * len(coordinates)).sqrt()[:, None])

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a curvature written by `save`."""
        return cls(**{name: tensor.float() for name, tensor in load_file(path).items()})

    def to(self, device: torch.device) -> Self:
        """The same on another device."""
        return replace(self, **{field.name: getattr(self, field.name).to(device) for field in fields(self)})

    def save(self, path: Path) -> None:
        """Writes the curvature as safetensors, the matrices in half precision."""
        save_file(
            {
                "axes": self.axes.half().contiguous(),
                "apart": self.apart,
                "values": self.values.contiguous(),
                "vectors": self.vectors.half().contiguous(),
            },
            path,
        )

    def step(self, coordinates: Tensor) -> Tensor:
        """Coordinates ``(B, 17, 512)`` -> step in w+ ``(B, 16, 512)``."""
        moved: Tensor = (coordinates[:, :1] + self.apart[:, None] * coordinates[:, 1:]) @ self.axes
        return moved

    def gradient(self, of_w_plus: Tensor) -> Tensor:
        """A gradient in w+ ``(B, 16, 512)`` -> the same in the coordinates ``(B, 17, 512)``."""
        along = of_w_plus @ self.axes.T
        return torch.cat([along.sum(1, keepdim=True), self.apart[:, None] * along], 1)

    def flattened(self, gradient: Tensor, damping: float) -> Tensor:
        """``damping (H + damping)^-1`` of ``(B, 17, 512)``: steep directions shortened, flat ones left as they are."""
        flat = gradient.flatten(1)
        steep = (flat @ self.vectors.T) * (self.values / (self.values + damping))
        return (flat - steep @ self.vectors).view_as(gradient)
