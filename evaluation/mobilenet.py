"""MobileNetV2 (Sandler et al., CVPR 2018, table 2), trained on ImageNet: the features that the evaluation judges by.

Nothing of the link is trained with it, and no loop looks at it. Modules are named so that the published state loads.
"""

from __future__ import annotations

from pathlib import Path
from typing import Self

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from shared.errors import WeightsCorrupt, WeightsMissing
from shared.models.catalogue import model_path
from shared.tensors import resize

SIDE = 160
"""Side in pixels of the faces the network reads."""
CHANNELS = (128, 320)
"""Channels of the two maps that `MobileNetV2.forward` returns."""

#: Expansion, channels, blocks, stride of the first block.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_FINE, _MIDDLE = 6, 13  # the last layers at an eighth and at a sixteenth of the side
_IMAGENET_MEAN, _IMAGENET_DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def _convolution(channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels_out, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(channels_out),
        nn.ReLU6(),
    )


class InvertedResidual(nn.Module):
    """Widen, convolve each channel, narrow; ``(B, C, H, W) -> (B, D, H / stride, W / stride)``."""

    def __init__(self, channels_in: int, channels_out: int, expansion: int, stride: int) -> None:
        super().__init__()
        width = channels_in * expansion
        widen = [_convolution(channels_in, width, 1)] if expansion > 1 else []
        self.conv = nn.Sequential(
            *widen,
            _convolution(width, width, 3, stride, groups=width),
            nn.Conv2d(width, channels_out, 1, bias=False),
            nn.BatchNorm2d(channels_out),
        )
        self.shortcut = stride == 1 and channels_in == channels_out

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.conv(x)
        return x + y if self.shortcut else y


class MobileNetV2(nn.Module):
    """The trunk without its last convolution and classifier.

    Example::

        trunk = MobileNetV2.load()
        middle, coarse = trunk(faces)  # (B, 3, S, S) in [-1, 1] -> (B, 128, 10, 10), (B, 320, 5, 5)
    """

    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = [_convolution(3, 32, 3, 2)]
        channels = 32
        for expansion, wide, count, stride in _STAGES:
            for number in range(count):
                blocks.append(InvertedResidual(channels, wide, expansion, stride if number == 0 else 1))
                channels = wide
        self.features = nn.ModuleList(blocks)
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(_IMAGENET_MEAN).view(1, 3, 1, 1) * 2 - 1, persistent=False)
        self.register_buffer("deviation", torch.tensor(_IMAGENET_DEVIATION).view(1, 3, 1, 1) * 2, persistent=False)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """The frozen trunk with the weights at ``path``, by default those of ``deepsc models pull --evaluation``.

        Raises:
            WeightsMissing: if they are not there.
            WeightsCorrupt: if they are not this network's.
        """
        trunk = cls()
        file = path or model_path("mobilenet_v2")
        if not file.is_file():
            raise WeightsMissing(f"{file} is not there; run: deepsc models pull --evaluation")
        try:
            state = load_file(file)  # the classifier is in it too
            trunk.load_state_dict({name: state[name] for name in trunk.state_dict()})
        except (SafetensorError, KeyError, RuntimeError) as error:
            raise WeightsCorrupt(
                f"{file} does not hold MobileNetV2; delete it and run: deepsc models pull --evaluation"
            ) from error
        return trunk.eval().requires_grad_(False)

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        """Faces ``(B, 3, S, S)`` in [-1, 1] -> features ``(B, 128, 10, 10)`` and ``(B, 320, 5, 5)``.

        The first map holds the layers at an eighth of the side (means over 2 x 2) and at a sixteenth.
        """
        x = (resize(faces, SIDE) - self.mean) / self.deviation
        x = x.contiguous(memory_format=torch.channels_last)
        kept = []
        for number, layer in enumerate(self.features):
            x = layer(x)
            if number == _FINE:
                kept.append(functional.avg_pool2d(x, 2))
            elif number == _MIDDLE:
                kept.append(x)
        return torch.cat(kept, 1), x
