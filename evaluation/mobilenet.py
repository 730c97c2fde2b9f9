"""MobileNetV2 (Sandler et al., CVPR 2018, table 2), trained on ImageNet: what the evaluation's judge is made from.

Nothing of the link is trained with it, and no loop looks at it. It comes in two parts, so that the judge can keep the
early layers and train the late ones. Modules are named so that the published state loads.
"""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

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
FINE_CHANNELS = 32
"""Channels of the map between the two parts, 20 px a side."""
CHANNELS = (128, 320)
"""Channels of the two maps that `LateLayers.forward` returns."""

#: Expansion, channels, blocks, stride of the first block.
_STAGES = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
_EARLY, _MIDDLE = 7, 14  # how many layers end at an eighth, and at a sixteenth, of the side
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


def _layers() -> list[nn.Module]:
    """All but the last convolution and the classifier, in the published order."""
    layers: list[nn.Module] = [_convolution(3, 32, 3, 2)]
    channels = 32
    for expansion, wide, count, stride in _STAGES:
        for number in range(count):
            layers.append(InvertedResidual(channels, wide, expansion, stride if number == 0 else 1))
            channels = wide
    return layers


class _Layers(nn.Module):
    """Some of the layers, under the numbers they were published with."""

    numbers: ClassVar[slice]

    def __init__(self) -> None:
        super().__init__()
        numbered = list(enumerate(_layers()))[self.numbers]
        self.features = nn.ModuleDict({str(number): layer for number, layer in numbered})

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """With the weights at ``path``, by default those of ``deepsc models pull --evaluation``; for evaluation.

        Raises:
            WeightsMissing: if they are not there.
            WeightsCorrupt: if they are not this network's.
        """
        part = cls()
        file = path or model_path("mobilenet_v2")
        if not file.is_file():
            raise WeightsMissing(f"{file} is not there; run: deepsc models pull --evaluation")
        try:
            state = load_file(file)  # the other part and the classifier are in it too
            part.load_state_dict({name: state[name] for name in part.state_dict()})
        except (SafetensorError, KeyError, RuntimeError) as error:
            raise WeightsCorrupt(
                f"{file} does not hold MobileNetV2; delete it and run: deepsc models pull --evaluation"
            ) from error
        return part.eval()


class EarlyLayers(_Layers):
    """The layers up to an eighth of the side.

    Example::

        fine = EarlyLayers.load()(faces)  # (B, 3, S, S) in [-1, 1] -> (B, 32, 20, 20)
        middle, coarse = LateLayers.load()(fine)  # (B, 128, 10, 10), (B, 320, 5, 5)
    """

    numbers = slice(_EARLY)

    def __init__(self) -> None:
        super().__init__()
        self.mean: Tensor
        self.deviation: Tensor
        self.register_buffer("mean", torch.tensor(_IMAGENET_MEAN).view(1, 3, 1, 1) * 2 - 1, persistent=False)
        self.register_buffer("deviation", torch.tensor(_IMAGENET_DEVIATION).view(1, 3, 1, 1) * 2, persistent=False)

    def forward(self, faces: Tensor) -> Tensor:
        """Faces ``(B, 3, S, S)`` in [-1, 1] -> ``(B, 32, 20, 20)``."""
        x = (resize(faces, SIDE) - self.mean) / self.deviation
        x = x.contiguous(memory_format=torch.channels_last)
        for layer in self.features.values():
            x = layer(x)
        return x


class LateLayers(_Layers):
    """The layers after those, without the last convolution and the classifier."""

    numbers = slice(_EARLY, None)

    def forward(self, fine: Tensor) -> tuple[Tensor, Tensor]:
        """``(B, 32, 20, 20)`` -> ``(B, 128, 10, 10)`` and ``(B, 320, 5, 5)``.

        The first map holds the layers at an eighth of the side (means over 2 x 2) and at a sixteenth.
        """
        x = fine.contiguous(memory_format=torch.channels_last)
        middle = x
        for number, layer in self.features.items():
            x = layer(x)
            if number == str(_MIDDLE - 1):
                middle = torch.cat((functional.avg_pool2d(fine, 2), x), 1)
        return middle, x
