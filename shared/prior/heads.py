"""Small pictures for a part of the price: heads that end the synthesis at 128 or 256 px.

The published generator draws 1024 px only. A head reads its features where they have the wanted size; distilled from
the full picture (`training/heads.py`), it gives what averaging the 1024 px picture down would give. 512 px needs no
head: it is the low band that the last Haar step starts from.
"""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from shared.pointwise import Pointwise
from shared.prior.face_prior import NUM_STYLES, W_DIM

HEAD_CHANNELS = {128: 256, 256: 128}  # of the features, by their size and the picture's
BRANCH_CHANNELS = 32
FIRST_STYLE = {128: 11, 256: 13}  # the first of the styles that the features have not seen yet


class Head(nn.Module):
    """Features `(B, C, R, R)` and style offsets to RGB images `(B, 3, R, R)`.

    A modulated 1x1 convolution like the prior's own last layer, plus a thin separable branch that stands in for the
    nonlinear layers left out. One style modulates both: a learned mean of those that the skipped layers would have
    read. The finer styles carry much of a face's colour, so a head blind to them would draw W+ in the wrong tone.
    """

    def __init__(self, resolution: int) -> None:
        super().__init__()
        channels = HEAD_CHANNELS[resolution]
        self.first_style = FIRST_STYLE[resolution]
        self.mixture = nn.Parameter(torch.zeros(NUM_STYLES - self.first_style))  # logits of the mean's weights
        self.modulation = nn.Linear(W_DIM, channels)
        self.conv = Pointwise(channels, 3)
        self.branch = nn.Sequential(
            Pointwise(channels, BRANCH_CHANNELS),
            nn.Conv2d(BRANCH_CHANNELS, BRANCH_CHANNELS, 3, padding=1, groups=BRANCH_CHANNELS),
            nn.LeakyReLU(0.2),
            Pointwise(BRANCH_CHANNELS, 3, bias=False),
        )

    def forward(self, features: Tensor, offsets: Tensor) -> Tensor:
        """Draw; `offsets (B, 16, 512)` is w_plus less the mean w."""
        weights = self.mixture.softmax(dim=0)
        style = (offsets[:, self.first_style :] * weights[:, None]).sum(dim=1)
        features = features * self.modulation(style)[:, :, None, None]
        image: Tensor = self.conv(features) + self.branch(features)
        return image


def make_heads() -> nn.ModuleDict:
    """Return untrained heads, keyed by resolution as text."""
    return nn.ModuleDict({str(resolution): Head(resolution) for resolution in HEAD_CHANNELS})


def load_heads(path: Path) -> nn.ModuleDict:
    """Return the trained heads at `path`; raises `RuntimeError` when the file holds other tensors."""
    heads = make_heads()
    heads.load_state_dict(load_file(path))
    return heads


PREVIEW_CHANNELS = 512  # of the half block at 64 px that a preview starts from
PREVIEW_FIRST_STYLE = 8  # the first style that the half block has not seen


class PreviewHead(nn.Module):
    """Features `(B, 512, 64, 64)` of a half block and style offsets to RGB images `(B, 3, 128, 128)`.

    What the layers left out would add depends on the style, so both of its steps are modulated: each by a learned mean
    of the styles that those layers read.
    """

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        unseen = NUM_STYLES - PREVIEW_FIRST_STYLE
        self.mixtures = nn.Parameter(torch.zeros(2, unseen))  # logits of the means' weights
        self.modulation = nn.Linear(W_DIM, PREVIEW_CHANNELS)
        self.inner_modulation = nn.Linear(W_DIM, width)
        self.conv = Pointwise(PREVIEW_CHANNELS, 12)  # four pixels at once
        self.narrow = nn.Sequential(
            Pointwise(PREVIEW_CHANNELS, width),
            nn.Conv2d(width, width, 3, padding=1, groups=width),
            nn.LeakyReLU(0.2),
        )
        self.widen = nn.Sequential(Pointwise(width, 4 * BRANCH_CHANNELS), nn.PixelShuffle(2))
        self.fine = nn.Sequential(
            nn.LeakyReLU(0.2),
            nn.Conv2d(BRANCH_CHANNELS, BRANCH_CHANNELS, 3, padding=1, groups=BRANCH_CHANNELS),
            Pointwise(BRANCH_CHANNELS, BRANCH_CHANNELS),
            nn.LeakyReLU(0.2),
            nn.Conv2d(BRANCH_CHANNELS, 3, 3, padding=1, bias=False),
        )

    def forward(self, features: Tensor, offsets: Tensor) -> Tensor:
        """Draw; `offsets (B, 16, 512)` is w_plus less the mean w."""
        weights = self.mixtures.softmax(dim=1)
        outer, inner = torch.einsum("mn,bnd->mbd", weights, offsets[:, PREVIEW_FIRST_STYLE:])
        features = features * self.modulation(outer)[:, :, None, None]
        branch = self.narrow(features) * self.inner_modulation(inner)[:, :, None, None]
        image: Tensor = nn.functional.pixel_shuffle(self.conv(features), 2) + self.fine(self.widen(branch))
        return image


def load_preview_head(path: Path) -> PreviewHead:
    """Return the trained preview head at `path`; raises `RuntimeError` when the file holds other tensors."""
    tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
    head = PreviewHead(width=len(tensors["inner_modulation.bias"]))
    head.load_state_dict(tensors)
    return head
