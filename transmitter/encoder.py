"""The image semantic encoder: an aligned face at 128 px to a latent w+ in one pass.

It answers with one w for the whole face, as the mean and principal axes of the prior's W, and with small offsets for
the style vectors up to 64 px, which a photo needs beyond W. Trained by ``training/encoder.py``.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from shared.prior.face_prior import NUM_STYLES, W_DIM
from shared.residual import ResidualBlock, stem
from shared.tensors import resize

SIDE = 128
"""Side in pixels of the faces the network reads; others are resized to it."""

FREE_STYLES = 9
"""Style vectors 0..8, of the layers up to 64 px, have offsets of their own; finer layers follow the common w."""

OFFSET_AXES = 96
"""Principal axes of W in which the offsets are told."""


class ImageEncoder(nn.Module):
    """``(B, 3, S, S)`` in [-1, 1] -> w+ ``(B, 16, 512)``.

    Args:
        width: channels of the first stage.
    """

    mean_w: Tensor
    axes: Tensor

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.stem = stem(width)
        self.stages = nn.Sequential(
            ResidualBlock(width, width * 2, 2),  # 32 px
            ResidualBlock(width * 2, width * 4, 2),  # 16 px
            ResidualBlock(width * 4, width * 4, 1),
            ResidualBlock(width * 4, width * 8, 2),  # 8 px
            ResidualBlock(width * 8, width * 8, 1),
            ResidualBlock(width * 8, width * 8, 2),  # 4 px
        )
        # Where things are matters here, so the 4 x 4 map is flattened instead of averaged.
        self.to_hidden = nn.Sequential(nn.Flatten(), nn.Linear(width * 8 * 16, 768), nn.LayerNorm(768), nn.ReLU())
        self.to_w = nn.Linear(768, W_DIM)
        self.to_offsets = nn.Linear(768, FREE_STYLES * OFFSET_AXES)
        nn.init.zeros_(self.to_offsets.weight)
        nn.init.zeros_(self.to_offsets.bias)
        self.register_buffer("mean_w", torch.zeros(W_DIM))
        # Rows: principal axes of W, each as long as its standard deviation, longest first.
        self.register_buffer("axes", torch.zeros(W_DIM, W_DIM))

    @classmethod
    def load(cls, path: Path) -> ImageEncoder:
        """Loads committed weights, frozen and in evaluation mode."""
        tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
        encoder = cls(width=tensors["stem.0.weight"].shape[0])
        encoder.load_state_dict(tensors, strict=False)
        return encoder.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        images = resize(images, SIDE).contiguous(memory_format=torch.channels_last)
        hidden = self.to_hidden(self.stages(self.stem(images)))
        w = self.mean_w + self.to_w(hidden) @ self.axes
        offsets = self.to_offsets(hidden).view(-1, FREE_STYLES, OFFSET_AXES) @ self.axes[:OFFSET_AXES]
        offsets = functional.pad(offsets, (0, 0, 0, NUM_STYLES - FREE_STYLES))
        w_plus: Tensor = w[:, None] + offsets
        return w_plus
