"""MobileStyleGAN (Belousov, arXiv 2104.04767) for FFHQ faces at 1024 px, as torch modules.

The weights come from a published OpenVINO graph (see `convert.py`). Three things differ from a textbook StyleGAN2:
demodulation is static and lives in the pointwise weights, upsampling is an inverse Haar transform of the channels,
and the noise maps are constants, so a latent always gives the same image.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Self, cast

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx
from torch.nn import functional as F

from shared.errors import WeightsMissing
from shared.home import deepsc_home
from shared.pointwise import Pointwise
from shared.prior.face_prior import NUM_STYLES, RESOLUTIONS, W_DIM
from shared.prior.heads import load_heads, load_preview_head
from shared.weights import committed

CHANNELS = (512, 512, 512, 512, 512, 256, 128, 64)  # of the features at 4, 8, ..., 512 px
FEATURE_SIZES = tuple(4 << i for i in range(len(CHANNELS)))
NEGATIVE_SLOPE = 0.2
PREVIEW_BLOCK = FEATURE_SIZES.index(64) - 1


def default_prior_path() -> Path:
    """Return where the converted prior is kept: `DEEPSC_HOME/prior.safetensors`."""
    return deepsc_home() / "prior.safetensors"


def inverse_haar(x: Tensor) -> Tensor:
    """Undo one level of an orthonormal 2-D Haar transform: `(B, 4C, H, W)` -> `(B, C, 2H, 2W)`.

    The first C channels are the low band, the rest `(C, 3)` the bands with horizontal, vertical and diagonal detail.
    Adds and a pixel shuffle, because a grouped transposed convolution is many times slower on a CPU.
    """
    if x.requires_grad and torch.is_grad_enabled():
        drawn: Tensor = _InverseHaar.apply(x)  # type: ignore[no-untyped-call]
        return drawn
    batch, channels, height, width = x.shape
    (a, b), (c, d) = _quads(x)
    return F.pixel_shuffle(0.5 * torch.stack((a, b, c, d), dim=2).reshape(batch, channels, height, width), 2)


def _quads(x: Tensor) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return twice the pixels of each 2x2 quad by row and column, `(B, C, H, W)` each, of bands `(B, 4C, H, W)`."""
    batch, channels, height, width = x.shape[0], x.shape[1] // 4, *x.shape[2:]
    low, detail = x[:, :channels], x[:, channels:].reshape(batch, channels, 3, height, width)
    rows, columns, diagonal = detail.unbind(2)  # sign flips down, across, both
    even, odd = low + rows, low - rows
    mixed_even, mixed_odd = columns + diagonal, columns - diagonal
    return (even + mixed_even, even - mixed_even), (odd + mixed_odd, odd - mixed_odd)


class _InverseHaar(torch.autograd.Function):
    """The same where a gradient is asked for: channels last, as convolutions want it, and nothing is kept for later.

    The transform is orthonormal: its gradient goes through its inverse.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:  # noqa: ARG004
        batch, channels, height, width = x.shape
        image = _channels_last(x, (batch, channels // 4, 2 * height, 2 * width))
        for i, row in enumerate(_quads(x)):
            for j, pixel in enumerate(row):
                image[:, :, i::2, j::2] = pixel
        return image.mul_(0.5)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> Tensor:  # noqa: ARG004
        batch, channels, height, width = gradient.shape
        (a, b), (c, d) = ([gradient[:, :, i::2, j::2] for j in (0, 1)] for i in (0, 1))
        top, top_change, bottom, bottom_change = a + b, a - b, c + d, c - d
        bands = _channels_last(gradient, (batch, 4 * channels, height // 2, width // 2))
        bands[:, :channels] = top + bottom
        detail = bands[:, channels:].view(batch, channels, 3, height // 2, width // 2)
        detail[:, :, 0] = top - bottom
        detail[:, :, 1] = top_change + bottom_change
        detail[:, :, 2] = top_change - bottom_change
        return bands.mul_(0.5)


def _channels_last(like: Tensor, shape: tuple[int, int, int, int]) -> Tensor:
    return torch.empty(shape, dtype=like.dtype, device=like.device, memory_format=torch.channels_last)


class StyledConv(nn.Module):
    """Scale the channels by a style, convolve, add the constant noise map and a bias, leaky ReLU.

    `(B, C_in, S, S)` and a style `(B, 512)` give `(B, C_out, S, S)`. Separable (depthwise 3x3, then 1x1) except for
    the first layer of the network, which is one full 3x3 convolution.
    """

    def __init__(self, in_channels: int, out_channels: int, size: int, *, separable: bool = True) -> None:
        super().__init__()
        self.modulation = nn.Linear(W_DIM, in_channels)
        if separable:
            self.conv = nn.Sequential(
                nn.Conv2d(in_channels, in_channels, 3, padding=1, groups=in_channels, bias=False),
                Pointwise(in_channels, out_channels),
            )
        else:
            self.conv = nn.Sequential(nn.Conv2d(in_channels, out_channels, 3, padding=1))
        self.noise = nn.Parameter(torch.zeros(1, 1, size, size))

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        x = self.conv(x * self.modulation(style)[:, :, None, None])
        return F.leaky_relu_(x + self.noise, NEGATIVE_SLOPE)


class Block(nn.Module):
    """Double the size by inverse Haar, then two styled convolutions: `(B, C_in, S, S)` -> `(B, C_out, 2S, 2S)`."""

    def __init__(self, in_channels: int, out_channels: int, size: int) -> None:
        super().__init__()
        self.up = nn.Linear(W_DIM, in_channels)
        self.conv1 = StyledConv(in_channels // 4, out_channels, size)
        self.conv2 = StyledConv(out_channels, out_channels, size)

    def forward(self, x: Tensor, first_style: Tensor, second_style: Tensor) -> Tensor:
        return cast(Tensor, self.conv2(self.first_half(x, first_style), second_style))

    def first_half(self, x: Tensor, first_style: Tensor) -> Tensor:
        """Upsample and convolve once: `(B, C_in, S, S)` -> `(B, C_out, 2S, 2S)`."""
        x = inverse_haar(x * self.up(first_style)[:, :, None, None])
        return cast(Tensor, self.conv1(x, first_style))


class ToImage(nn.Module):
    """Features `(B, C, S, S)` and a style `(B, 512)` to an image `(B, 3, 2S, 2S)`: modulated 1x1, inverse Haar."""

    def __init__(self, in_channels: int) -> None:
        super().__init__()
        self.modulation = nn.Linear(W_DIM, in_channels)
        self.conv = Pointwise(in_channels, 12)

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        return inverse_haar(self.conv(x * self.modulation(style)[:, :, None, None]))

    def halved(self, x: Tensor, style: Tensor) -> Tensor:
        """Draw `(B, 3, S, S)`: exactly the 2x2 means of the full image, half the Haar transform's low band."""
        x = x * self.modulation(style)[:, :, None, None]
        return 0.5 * F.conv2d(x, self.conv.weight[:3], cast(Tensor, self.conv.bias)[:3])


class MobileStyleGan(nn.Module):
    """The face prior. Build it with `MobileStyleGan.load()`; see `FacePrior` for what its methods promise."""

    w_dim = W_DIM
    num_styles = NUM_STYLES
    mean_w: Tensor
    w_std: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.mapping_layers = nn.ModuleList(nn.Linear(W_DIM, W_DIM) for _ in range(8))
        self.constant = nn.Parameter(torch.zeros(1, CHANNELS[0], FEATURE_SIZES[0], FEATURE_SIZES[0]))
        self.conv1 = StyledConv(CHANNELS[0], CHANNELS[0], FEATURE_SIZES[0], separable=False)
        self.blocks = nn.ModuleList(
            Block(CHANNELS[i], CHANNELS[i + 1], FEATURE_SIZES[i + 1]) for i in range(len(CHANNELS) - 1)
        )
        self.to_image = ToImage(CHANNELS[-1])
        self.heads = nn.ModuleDict()  # for small pictures; not part of the published generator
        self.preview_head: nn.Module = nn.Identity()
        self.register_buffer("mean_w", torch.zeros(W_DIM))
        self.register_buffer("w_std", torch.ones(W_DIM))

    @classmethod
    def load(cls, path: Path | None = None, *, with_heads: bool = True) -> Self:
        """Load the converted prior, frozen and in eval mode; `path` defaults to `default_prior_path()`.

        The heads for small pictures come from the committed `weights/heads.safetensors`; without them only 512 and
        1024 px can be drawn. Raises `WeightsMissing` when a file is missing and `RuntimeError` when one holds other
        tensors.
        """
        path = path or default_prior_path()
        if not path.is_file():
            raise WeightsMissing(f"The face prior is not at {path}. Fetch it with: deepsc models pull")
        with torch.device("meta"):  # the file brings every tensor: no need to draw initial weights first
            prior = cls()
        prior.load_state_dict(load_file(path), assign=True)
        if with_heads:
            prior.heads = load_heads(committed("heads.safetensors"))
            prior.preview_head = load_preview_head(committed("preview.safetensors"))
        for parameter in prior.parameters():
            if parameter.dim() == 4:  # this layout halves the time of these convolutions on a CPU
                parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
        return prior.eval().requires_grad_(False)

    def mapping(self, z: Tensor) -> Tensor:
        """Map Gaussian noise `z (B, 512)` to `w (B, 512)`."""
        x = z * torch.rsqrt(z.square().mean(dim=1, keepdim=True) + 1e-8)
        for layer in self.mapping_layers:
            x = F.leaky_relu(layer(x), NEGATIVE_SLOPE) * 2**0.5
        return x

    def features(self, w_plus: Tensor, size: int) -> Tensor:
        """Run the synthesis up to the features of `size` px: `(B, 16, 512)` -> `(B, C, size, size)`.

        `size` is one of `FEATURE_SIZES` and C the matching entry of `CHANNELS`. Raises `ValueError` otherwise.
        """
        if size not in FEATURE_SIZES:
            raise ValueError(f"no features at {size} px; choose one of {FEATURE_SIZES}")
        return next(features for at, features in self.feature_pyramid(w_plus) if at == size)

    def feature_pyramid(self, w_plus: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Yield `(size, features (B, C, size, size))` from 4 to 512 px; stop reading to stop computing."""
        if w_plus.shape[1:] != (NUM_STYLES, W_DIM):
            raise ValueError(f"w_plus must be (B, {NUM_STYLES}, {W_DIM}), not {tuple(w_plus.shape)}")
        constant = self.constant.expand(len(w_plus), -1, -1, -1).contiguous(memory_format=torch.channels_last)
        x = self.conv1(constant, w_plus[:, 0])
        yield FEATURE_SIZES[0], x
        for i, block in enumerate(self.blocks):
            x = block(x, w_plus[:, 1 + 2 * i], w_plus[:, 2 + 2 * i])
            yield FEATURE_SIZES[i + 1], x

    def preview_features(self, w_plus: Tensor) -> Tensor:
        """Run the synthesis half through the block of 64 px: `(B, 16, 512)` -> `(B, 512, 64, 64)`."""
        block = cast(Block, self.blocks[PREVIEW_BLOCK])
        return block.first_half(self.features(w_plus, 32), w_plus[:, 1 + 2 * PREVIEW_BLOCK])

    def preview(self, w_plus: Tensor) -> Tensor:
        """Sketch `w_plus (B, 16, 512)` as `(B, 3, 128, 128)`: for losses, at a third of the price of `synthesis`."""
        return cast(Tensor, self.preview_head(self.preview_features(w_plus), w_plus - self.mean_w))

    def synthesis(self, w_plus: Tensor, resolution: int = 1024) -> Tensor:
        """Render `w_plus (B, 16, 512)` to RGB images `(B, 3, resolution, resolution)` in about [-1, 1].

        1024 px is the published generator, 512 px its exact 2x2 means, and 128 and 256 px come from the heads.
        """
        if str(resolution) in self.heads:
            return cast(Tensor, self.heads[str(resolution)](self.features(w_plus, resolution), w_plus - self.mean_w))
        if resolution == 512:
            return self.to_image.halved(self.features(w_plus, 512), w_plus[:, -1])
        if resolution == 1024:
            return cast(Tensor, self.to_image(self.features(w_plus, 512), w_plus[:, -1]))
        raise ValueError(f"cannot render at {resolution} px; choose one of {RESOLUTIONS}")

    def averaged(self, w_plus: Tensor, side: int) -> Tensor:
        """Draw `w_plus (B, 16, 512)` as `(B, 3, side, side)`, 512 or less: the means of the full picture's squares.

        It is what a head stands in for, at the full picture's price.
        """
        return F.avg_pool2d(self.synthesis(w_plus, 512), 512 // side)

    def missed(self, w_plus: Tensor, side: int) -> Tensor:
        """Return what the head for `side` px misses of `w_plus (B, 16, 512)`: `averaged` less `synthesis`, at once."""
        pyramid = {size: features for size, features in self.feature_pyramid(w_plus) if size in (side, 512)}
        full = F.avg_pool2d(self.to_image.halved(pyramid[512], w_plus[:, -1]), 512 // side)
        return full - cast(Tensor, self.heads[str(side)](pyramid[side], w_plus - self.mean_w))
