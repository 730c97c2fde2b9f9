"""MobileFaceNet (Chen et al., arXiv 1804.07573): who is this? The identity network of every loss.

Never report a score from it: an optimiser learns to please the network it looks at. `sface.py` holds the judge.
"""

from pathlib import Path
from typing import Self

from torch import Tensor, nn
from torch.nn import functional as F

from shared.models.catalogue import model_path
from shared.perceptual.crop import recognition_crop
from shared.perceptual.weights import load_frozen

EMBEDDING_DIM = 512


class _ConvBlock(nn.Module):
    """Convolution, batch normalisation, and PReLU unless it is a linear bottleneck's last layer."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1, *, linear: bool = False
    ) -> None:
        super().__init__()
        padding = kernel // 2 if kernel == 3 else 0  # the 7x7 layer reduces 7x7 features to one point
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.bn = nn.BatchNorm2d(outputs)
        self.prelu = nn.Identity() if linear else nn.PReLU(outputs)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.prelu(self.bn(self.conv(x)))
        return y


class _Bottleneck(nn.Module):
    """Inverted bottleneck: widen, depthwise 3x3, project; a shortcut around it when the size stays."""

    def __init__(self, inputs: int, outputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv = _ConvBlock(inputs, width)
        self.conv_dw = _ConvBlock(width, width, kernel=3, stride=stride, groups=width)
        self.project = _ConvBlock(width, outputs, linear=True)
        self.has_shortcut = stride == 1

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.project(self.conv_dw(self.conv(x)))
        return x + y if self.has_shortcut else y


class _Stage(nn.Module):
    """`count` bottlenecks of one size."""

    def __init__(self, channels: int, count: int, width: int) -> None:
        super().__init__()
        self.model = nn.Sequential(*(_Bottleneck(channels, channels, width, stride=1) for _ in range(count)))

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.model(x)
        return y


class MobileFaceNet(nn.Module):
    """Unit-length identity embeddings of faces, differentiable in the picture.

    Example::

        identity = MobileFaceNet.load()
        loss = 1 - identity.cosine(generated, photo)    # FFHQ-framed squares (B, 3, S, S) in [-1, 1] -> (B,)
        fixed = identity.embed(photo)                   # (B, 512), when the photo stays the same over many steps
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = _ConvBlock(3, 64, kernel=3, stride=2)
        self.conv2_dw = _ConvBlock(64, 64, kernel=3, groups=64)
        self.conv_23 = _Bottleneck(64, 64, width=128, stride=2)
        self.conv_3 = _Stage(64, count=4, width=128)
        self.conv_34 = _Bottleneck(64, 128, width=256, stride=2)
        self.conv_4 = _Stage(128, count=6, width=256)
        self.conv_45 = _Bottleneck(128, 128, width=512, stride=2)
        self.conv_5 = _Stage(128, count=2, width=256)
        self.conv_6_sep = _ConvBlock(128, 512)
        self.conv_6_dw = _ConvBlock(512, 512, kernel=7, groups=512, linear=True)
        self.linear = nn.Linear(512, EMBEDDING_DIM, bias=False)
        self.bn = nn.BatchNorm1d(EMBEDDING_DIM)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Return the frozen network with the weights at `path`, by default the pulled ones.

        Raises `WeightsMissing` when the file is not there, `WeightsCorrupt` when it is not this network's.
        """
        return load_frozen(cls(), path or model_path("mobilefacenet"))

    def forward(self, crops: Tensor) -> Tensor:
        """Embed recognition crops `(B, 3, 112, 112)` in [-1, 1], RGB: `(B, 512)` of length 1."""
        return self.maps(crops)[2]

    def maps(self, crops: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the maps `(B, 128, 14, 14)` and `(B, 128, 7, 7)` on the way, and the embedding `(B, 512)`."""
        # These weights saw blue first: that order separates people better (d' 7.3 against 6.5, docs/models.md).
        x = self._through(crops.flip(1), self.conv1, self.conv2_dw, self.conv_23, self.conv_3, self.conv_34)
        middle = self._through(x, self.conv_4)
        last = self._through(middle, self.conv_45, self.conv_5)
        x = self._through(last, self.conv_6_sep, self.conv_6_dw).flatten(1)
        return middle, last, F.normalize(self.bn(self.linear(x)))

    @staticmethod
    def _through(x: Tensor, *stages: nn.Module) -> Tensor:
        for stage in stages:
            x = stage(x)
        return x

    def embed(self, faces: Tensor) -> Tensor:
        """Embed FFHQ-framed squares `(B, 3, S, S)` in [-1, 1]: `(B, 512)` of length 1."""
        embedding: Tensor = self(recognition_crop(faces))
        return embedding

    def cosine(self, faces: Tensor, others: Tensor) -> Tensor:
        """Return the cosines `(B,)` between the identities of two batches of FFHQ-framed squares; 1 is one person."""
        return (self.embed(faces) * self.embed(others)).sum(dim=1)
