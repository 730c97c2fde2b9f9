"""Degrees read off a latent without rendering it, and the coordinates in which that is done.

A face is edited and coded in the same coordinates, the visible ones of `shared.codec.perceptual`: white over faces, and
seen independently of each other. So a step of an edit, what the channel does to it, and what is seen of both are
said in one language.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from shared.attributes import attribute_names
from shared.codec.codec import Latent
from shared.codec.perceptual import PerceptualBasis

VISIBLE = 512
"""Visible coordinates that are read and moved, the most important first."""


class VisibleSpace:
    """The first `VISIBLE` coordinates ``u`` of latents, white over faces.

    Attributes:
        importance: what is seen of a unit error of each, ``(VISIBLE,)``, falling.
    """

    def __init__(self, basis: PerceptualBasis) -> None:
        self._basis = basis
        self._directions = np.ascontiguousarray(basis.directions[:, :VISIBLE])
        self.importance: NDArray[np.float64] = basis.importance[:VISIBLE].astype(np.float64)

    def analyse(self, w_plus: Latent) -> NDArray[np.float32]:
        """``(..., 16, 512)`` -> ``(..., VISIBLE)``."""
        u: NDArray[np.float32] = self._basis.analyse(w_plus)[..., :VISIBLE] / self._basis.deviation[:VISIBLE]
        return u

    def direction(self, step: Latent) -> NDArray[np.float64]:
        """A step in w+ ``(16, 512)`` -> the same in the coordinates ``(VISIBLE,)``."""
        along: NDArray[np.float64] = (self.analyse(step) - self.analyse(np.zeros_like(step))).astype(np.float64)
        return along

    def gradient(self, of_w_plus: NDArray[np.float32]) -> NDArray[np.float32]:
        """A gradient in w+ ``(..., 16, 512)`` -> the same in the coordinates ``(..., VISIBLE)``."""
        separable = self._basis.separable
        along: NDArray[np.float32] = separable.analyse(of_w_plus + separable.mean)[..., self._basis.rotated]
        return along @ self._directions

    def step(self, du: NDArray[np.floating]) -> NDArray[np.float32]:
        """A step ``(VISIBLE,)`` -> the same in w+ ``(16, 512)``."""
        separable = self._basis.separable
        flat = np.zeros(separable.deviation.shape, np.float32)
        flat[self._basis.rotated] = self._directions @ du.astype(np.float32)
        moved: NDArray[np.float32] = separable.synthesise(flat) - separable.mean
        return moved


class LatentPredictor(nn.Module):
    """Visible coordinates ``(B, VISIBLE)`` to the attributes' scores ``(B, A)``, in units of about a degree.

    A linear model and a smooth network beside it, distilled from `shared.degree_predictor`
    (`training/latent_degrees.py`).

    Args:
        width: of the hidden layers.
        dropout: of their values, while training.
    """

    def __init__(self, width: int = 256, dropout: float = 0.0) -> None:
        super().__init__()
        attributes = len(attribute_names())
        self.linear = nn.Linear(VISIBLE, attributes)
        self.network = nn.Sequential(
            nn.Linear(VISIBLE, width),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Dropout(dropout),
            nn.Linear(width, attributes),
        )
        nn.init.zeros_(self.linear.weight)

    def centre(self, scores: Tensor) -> None:
        """Starts from mean scores ``(A,)``."""
        with torch.no_grad():
            self.linear.bias.copy_(scores)

    def forward(self, u: Tensor) -> Tensor:
        """``(B, VISIBLE)`` -> ``(B, A)``."""
        scores: Tensor = self.linear(u) + self.network(u)
        return scores

    def slopes(self, u: Tensor) -> tuple[Tensor, Tensor]:
        """Scores ``(B, A)`` and how they move, ``(B, A, VISIBLE)``."""
        at = u.detach().requires_grad_()
        with torch.enable_grad():
            scores = self(at)
            rows = [torch.autograd.grad(column.sum(), at, retain_graph=True)[0] for column in scores.unbind(1)]
        return scores.detach(), torch.stack(rows, 1)

    @classmethod
    def load(cls, path: Path) -> LatentPredictor:
        """Loads committed weights, frozen and in evaluation mode."""
        tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
        model = cls(width=len(tensors["network.0.bias"]))
        model.load_state_dict(tensors)
        return model.eval().requires_grad_(False)

    def save(self, path: Path) -> None:
        """Writes the weights as safetensors in half precision."""
        save_file({name: tensor.detach().half().contiguous() for name, tensor in self.state_dict().items()}, path)
