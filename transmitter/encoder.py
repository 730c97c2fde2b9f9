"""The image semantic encoder: an aligned face to a latent w+ in a few cheap passes.

Each pass compares what the face looks like with what the latent so far looks like, in the features of two frozen
networks, and moves the latent (iterative residual encoding: Alaluf et al., "ReStyle", ICCV 2021). The first pass starts
from the mean face. The latent is told as one w along the principal axes of the prior's W, where its faces and its edits
are good, and small offsets from it for each style vector, which a photo needs beyond W. Trained by
``training/encoder.py``.
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from shared.perceptual.face_features import EARLY, LATE, WHOLE, FaceFeatures
from shared.prior.face_prior import NUM_STYLES, W_DIM

OFFSET_AXES = 64
"""Principal axes of W in which the offsets are told."""

EARLY_KEPT, LATE_KEPT = 24, 96
"""Channels per place that the maps are reduced to before all places are read together."""


class ImageEncoder(nn.Module):
    """One pass: features of the face and of the latent's picture, and the latent, to a better latent.

    Args:
        width: units of the hidden layers.
    """

    mean_w: Tensor
    axes: Tensor

    def __init__(self, width: int = 640, dropout: float = 0.0) -> None:
        super().__init__()
        self.early_scale, self.late_scale = nn.BatchNorm2d(EARLY, affine=False), nn.BatchNorm2d(LATE, affine=False)
        self.whole_scale = nn.BatchNorm1d(WHOLE, affine=False)
        self.early = nn.Sequential(nn.Conv2d(2 * EARLY, EARLY_KEPT, 1), nn.GELU(), nn.Flatten())
        self.late = nn.Sequential(nn.Conv2d(2 * LATE, LATE_KEPT, 1), nn.GELU(), nn.Flatten())
        read = EARLY_KEPT * 8 * 8 + LATE_KEPT * 7 * 7 + 2 * WHOLE + W_DIM + NUM_STYLES * OFFSET_AXES
        self.join = nn.Sequential(nn.Dropout(dropout), nn.Linear(read, width), nn.LayerNorm(width), nn.GELU())
        self.think = nn.Sequential(nn.Dropout(dropout), nn.Linear(width, width), nn.GELU(), nn.Linear(width, width))
        self.to_w = nn.Linear(width, W_DIM)
        self.to_offsets = nn.Linear(width, NUM_STYLES * OFFSET_AXES)
        nn.init.zeros_(self.to_offsets.weight)
        nn.init.zeros_(self.to_offsets.bias)
        self.register_buffer("mean_w", torch.zeros(W_DIM))
        # Rows: principal axes of W, each as long as its standard deviation, longest first.
        self.register_buffer("axes", torch.zeros(W_DIM, W_DIM))

    @classmethod
    def load(cls, path: Path) -> ImageEncoder:
        """Loads committed weights, frozen and in evaluation mode."""
        tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
        encoder = cls(width=len(tensors["to_w.weight"][0]))
        encoder.load_state_dict(tensors, strict=False)  # all but the counters of the batch statistics
        return encoder.eval().requires_grad_(False)

    def start(self, batch: int) -> Tensor:
        """The mean face, ``(batch, 16, 512)``: where the first pass starts from."""
        return self.mean_w.expand(batch, NUM_STYLES, W_DIM)

    def forward(self, face: FaceFeatures, shown: FaceFeatures, w_plus: Tensor) -> Tensor:
        """A better latent.

        Args:
            face: features of the faces, batch ``B``.
            shown: features of the pictures that the latents show at 128 px.
            w_plus: the latents so far, ``(B, 16, 512)``.

        Returns:
            ``(B, 16, 512)``.
        """
        w, offsets = self.coordinates(w_plus)
        hidden = self.join(
            torch.cat(
                [
                    self.early(_contrast(self.early_scale(face.early), self.early_scale(shown.early))),
                    self.late(_contrast(self.late_scale(face.late), self.late_scale(shown.late))),
                    _contrast(self.whole_scale(face.whole), self.whole_scale(shown.whole)),
                    w,
                    offsets.flatten(1),
                ],
                dim=1,
            )
        )
        hidden = hidden + self.think(hidden)
        moved = self.to_w(hidden) @ self.axes  # (B, 512)
        bent = self.to_offsets(hidden).view(-1, NUM_STYLES, OFFSET_AXES) @ self.axes[:OFFSET_AXES]  # (B, 16, 512)
        better: Tensor = w_plus + moved[:, None] + bent
        return better

    def coordinates(self, w_plus: Tensor) -> tuple[Tensor, Tensor]:
        """Mean w ``(B, 512)`` and offsets from it ``(B, 16, 64)``, in standard deviations along the axes."""
        w = w_plus.mean(1)
        units = self.axes / self.axes.square().sum(1, keepdim=True).clamp_min(1e-6)
        return (w - self.mean_w) @ units.T, (w_plus - w[:, None]) @ units[:OFFSET_AXES].T


def _contrast(face: Tensor, shown: Tensor) -> Tensor:
    return torch.cat([face, face - shown], 1)
