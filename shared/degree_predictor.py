"""Reads the attributes' degrees off a face at 128 px: two readers that were trained apart, one calibrated score each.

One reader is a small residual network on pixels, the other a head on what frozen networks see. Both answer CelebA's
yes-or-no questions, and their log-odds are added, each with its share: an edit that would please one of them and not a
person seldom pleases both. `DegreeScale` turns each score into an ordinal degree by a monotone piecewise-linear map
whose knots are quantiles of the scores (see ``weights/degrees.md``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from shared.attributes import MAX_DEGREE, attribute_names
from shared.perceptual.face_features import EARLY, LATE, FaceFeatures, FeatureReader
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.residual import ResidualBlock, stem
from shared.tensors import resize, to_tensor

SIDE = 128
"""Side in pixels of the faces that are read; others are resized to it."""

PIXEL_SHARE = 0.25
"""What the reader of pixels has of a score; the other is right more often (``weights/degrees.md``)."""

CELLS = 4
"""Side of the grid on which the frozen networks' maps are read."""


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


class PixelReader(nn.Module):
    """A residual network: pictures to log-odds.

    Args:
        width: channels of the first stage; the stages have 1, 2, 4, 6 times as many.
    """

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.stem = stem(width)
        self.stages = nn.Sequential(
            ResidualBlock(width, width * 2, 2),  # 32 px
            ResidualBlock(width * 2, width * 4, 2),  # 16 px
            ResidualBlock(width * 4, width * 4, 1),
            ResidualBlock(width * 4, width * 6, 2),  # 8 px
            ResidualBlock(width * 6, width * 6, 1),
        )
        self.head = nn.Linear(width * 6, len(attribute_names()))

    def forward(self, images: Tensor) -> Tensor:
        """``(B, 3, S, S)`` in [-1, 1] -> ``(B, A)`` log-odds that each attribute is present."""
        images = resize(images, SIDE).contiguous(memory_format=torch.channels_last)
        features: Tensor = self.stages(self.stem(images))
        logits: Tensor = self.head(features.mean((2, 3)))
        return logits


class FeatureHead(nn.Module):
    """A head on the frozen networks of `FeatureReader`: their maps, on a coarse grid, to log-odds.

    Places are kept apart: a fringe is up, a beard is down.

    Args:
        squeezed: channels that each place is reduced to.
        width: of the hidden layer.
    """

    def __init__(self, squeezed: int = 64, width: int = 96) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(EARLY + LATE, affine=False)
        self.squeeze = nn.Sequential(nn.Dropout(0.3), nn.Conv2d(EARLY + LATE, squeezed, 1), nn.ReLU())
        self.hidden = nn.Sequential(nn.Dropout(0.4), nn.Linear(squeezed * CELLS**2, width), nn.ReLU(), nn.Dropout(0.4))
        self.scores = nn.Linear(width, len(attribute_names()))

    @staticmethod
    def cells(features: FaceFeatures) -> Tensor:
        """The maps ``(B, EARLY + LATE, CELLS, CELLS)`` that the head reads."""
        return torch.cat([functional.adaptive_avg_pool2d(part, CELLS) for part in (features.early, features.late)], 1)

    def forward(self, cells: Tensor) -> Tensor:
        """``(B, EARLY + LATE, CELLS, CELLS)`` -> ``(B, A)`` log-odds that each attribute is present."""
        logits: Tensor = self.scores(self.hidden(self.squeeze(self.norm(cells)).flatten(1)))
        return logits


class DegreePredictor(nn.Module):
    """Face -> degrees. Differentiable; `degrees` is the numpy door that the services use.

    Args:
        eyes: the frozen networks.
        pixels: the reader of pixels.
        features: the reader of what ``eyes`` see.
    """

    def __init__(self, eyes: FeatureReader, pixels: PixelReader, features: FeatureHead) -> None:
        super().__init__()
        self._eyes = eyes
        self.pixels, self.features = pixels, features
        self.scale = DegreeScale(torch.arange(MAX_DEGREE + 1.0).repeat(len(attribute_names()), 1))

    @classmethod
    def load(cls, path: Path, eyes: FeatureReader | None = None) -> DegreePredictor:
        """Loads committed weights, frozen and in evaluation mode.

        Raises:
            WeightsMissing: if a frozen network is not there.
        """
        tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
        squeezed, width = len(tensors["features.squeeze.1.bias"]), len(tensors["features.scores.weight"].T)
        eyes = eyes or FeatureReader(Lpips.load(), MobileFaceNet.load())
        model = cls(eyes, PixelReader(len(tensors["pixels.stem.0.weight"])), FeatureHead(squeezed, width))
        model.load_state_dict(tensors, strict=False)
        return model.eval().requires_grad_(False)

    def save(self, path: Path) -> None:
        """Writes both readers and the scale as safetensors, large tensors in half precision."""
        tensors = {
            name: (tensor.half() if tensor.dim() > 1 and name != "scale.knots" else tensor.float()).cpu().contiguous()
            for name, tensor in self.state_dict().items()
            if "num_batches" not in name
        }
        save_file(tensors, path)

    def scores(self, images: Tensor) -> Tensor:
        """``(B, 3, S, S)`` in [-1, 1] -> ``(B, A)`` log-odds that each attribute is present, of both readers."""
        features = self.features(FeatureHead.cells(self._eyes(images)))
        scores: Tensor = torch.lerp(features, self.pixels(images), PIXEL_SHARE)
        return scores

    def forward(self, images: Tensor) -> Tensor:
        """``(B, 3, S, S)`` in [-1, 1] -> ``(B, A)`` degrees 0..5, in registry order."""
        degrees: Tensor = self.scale(self.scores(images))
        return degrees

    def degrees(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """``(B, S, S, 3)`` uint8 -> ``(B, A)`` degrees 0..5, in registry order."""
        with torch.inference_mode():
            result: NDArray[np.float32] = self(to_tensor(images, SIDE)).numpy()
        return result
