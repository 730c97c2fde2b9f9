"""The parts of the project's small convolutional networks (residual blocks: He et al., CVPR 2016, figure 2)."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


def stem(width: int) -> nn.Sequential:
    """The first layer, pictures to features at half the size: ``(B, 3, S, S) -> (B, width, S / 2, S / 2)``."""
    return nn.Sequential(nn.Conv2d(3, width, 3, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(inplace=True))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut; ``(B, C, H, W) -> (B, D, H / stride, W / stride)``."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels_out, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels_out)
        self.conv2 = nn.Conv2d(channels_out, channels_out, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels_out)
        self.shortcut: nn.Module = (
            nn.Sequential(nn.AvgPool2d(stride), nn.Conv2d(channels_in, channels_out, 1, bias=False))
            if stride > 1 or channels_in != channels_out
            else nn.Identity()
        )

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.norm1(self.conv1(x)))
        return functional.relu(self.norm2(self.conv2(y)) + self.shortcut(x))
