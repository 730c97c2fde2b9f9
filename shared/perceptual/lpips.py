"""LPIPS, a distance between pictures that agrees with people (Zhang et al., "The Unreasonable Effectiveness of Deep
Features as a Perceptual Metric", CVPR 2018, section 3; version 0.1 of the weights, AlexNet features).

    d(x, y) = sum_l mean_hw  w_l . (f_l(x) / |f_l(x)| - f_l(y) / |f_l(y)|)^2

where f_l are the five ReLU outputs of AlexNet and w_l >= 0 one learned weight per channel.
"""

from pathlib import Path
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from shared.models.catalogue import model_path
from shared.perceptual.weights import load_frozen

CHANNELS = (64, 192, 384, 256, 256)
MIN_SIDE = 32  # below it the last pooling leaves nothing to compare
_NORM_FLOOR = 1e-20  # keeps the gradient of the norm finite where a pixel has no active feature


class Lpips(nn.Module):
    """Perceptual distance of image pairs, differentiable in both; 0 for equal images, about 0.7 for unrelated ones.

    Example::

        lpips = Lpips.load()
        distance = lpips(x, y)                       # x, y (B, 3, H, W) in [-1, 1] -> (B,)
        fixed = lpips.features(y)                    # when y stays the same over many steps
        distance = lpips.compare(lpips.features(x), fixed)
    """

    shift: Tensor
    scale: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict(
            {
                "0": nn.Conv2d(3, 64, 11, stride=4, padding=2),
                "3": nn.Conv2d(64, 192, 5, padding=2),
                "6": nn.Conv2d(192, 384, 3, padding=1),
                "8": nn.Conv2d(384, 256, 3, padding=1),
                "10": nn.Conv2d(256, 256, 3, padding=1),
            }
        )
        self.heads = nn.ParameterList([nn.Parameter(torch.empty(1, channels, 1, 1)) for channels in CHANNELS])
        # The published network was fed ImageNet-normalised colours; this is that normalisation for [-1, 1].
        self.register_buffer("shift", torch.tensor([-0.030, -0.088, -0.188]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("scale", torch.tensor([0.458, 0.448, 0.450]).view(1, 3, 1, 1), persistent=False)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Return the frozen network with the weights at `path`, by default the pulled ones.

        Raises `WeightsMissing` when the file is not there, `WeightsCorrupt` when it is not this network's.
        """
        return load_frozen(cls(), path or model_path("lpips"), rename=_rename)

    def features(self, x: Tensor) -> list[Tensor]:
        """Return the five unit-length feature maps of images `(B, 3, H, W)` in [-1, 1], H and W at least 32.

        Map l is `(B, C_l, H_l, W_l)` with C = 64, 192, 384, 256, 256.
        """
        if x.ndim != 4 or x.shape[1] != 3 or min(x.shape[2:]) < MIN_SIDE:
            raise ValueError(f"expected images (B, 3, H, W) of at least {MIN_SIDE} px, got {tuple(x.shape)}")
        x = (x - self.shift) / self.scale
        maps = []
        for position, convolution in self.layers.items():
            if position in ("3", "6"):
                x = F.max_pool2d(x, kernel_size=3, stride=2)
            x = F.relu(convolution(x))
            maps.append(x / torch.sqrt((x * x).sum(dim=1, keepdim=True) + _NORM_FLOOR))
        return maps

    def compare(self, features_x: list[Tensor], features_y: list[Tensor]) -> Tensor:
        """Return the distances `(B,)` of two results of `features`; a batch of one is compared with every other."""
        distance = torch.zeros((), device=features_x[0].device)
        for x, y, head in zip(features_x, features_y, self.heads, strict=True):
            distance = distance + ((x - y).square() * head).sum(dim=1).mean(dim=(1, 2))
        return distance

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Return the distances `(B,)` between `x` and `y`, each `(B, 3, H, W)` in [-1, 1]."""
        return self.compare(self.features(x), self.features(y))


def _rename(name: str) -> str:
    """Map a name in the file to ours: `features.3.weight` -> `layers.3.weight`, `lin2.weight` -> `heads.2`."""
    if name.startswith("lin"):
        return f"heads.{name.removeprefix('lin').removesuffix('.weight')}"
    return name.replace("features.", "layers.")
