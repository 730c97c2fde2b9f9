"""DeepJSCC, the learned rival that sends pixels: Bourtsoulatze, Burth Kurka and Gündüz, arXiv 1809.01733.

Five convolutions take a picture to a quarter of its side and ``C`` channels, whose values are the symbols; five
transposed ones bring it back. Attention feature modules (Xu et al., "Wireless image transmission using deep source
channel coding with attention modules", arXiv 2012.00533) tell every layer the SNR, so one network serves all of them.

One network serves several bandwidths too: the first ``c`` of the ``C`` channels are sent, and the decoder is given
zeros for the others. Power is normalised over each frame, never over a batch.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from shared.codec.codec import Symbols
from shared.errors import InvalidInput
from shared.tensors import to_pictures, to_tensor

CHANNELS = 6
"""Channels of the code: rho of the payload up to 1/16."""

WIDTHS = (16, 32, 32, 32)
"""Channels between the layers, as in the paper."""

SHRINK = 4
"""Side of the picture over side of the code."""

SNR_SCALE_DB = 20.0
"""SNRs enter the networks divided by this."""


class Attention(nn.Module):
    """Attention feature module: scales each channel by what its mean and the SNR say."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(channels + 1, channels // 2 + 1), nn.ReLU(), nn.Linear(channels // 2 + 1, channels), nn.Sigmoid()
        )

    def forward(self, features: Tensor, snr_db: Tensor) -> Tensor:
        """``(B, C, H, W)`` and ``(B,)`` -> ``(B, C, H, W)``."""
        context = torch.cat([features.mean((2, 3)), snr_db[:, None] / SNR_SCALE_DB], 1)
        weights: Tensor = self.net(context)
        return features * weights[:, :, None, None]


class Encoder(nn.Module):
    """Picture -> code: 5x5 convolutions with PReLU, an attention module behind each but the last."""

    def __init__(self) -> None:
        super().__init__()
        sizes, strides = (3, *WIDTHS, CHANNELS), (2, 2, 1, 1, 1)
        self.layers = nn.ModuleList(
            nn.Conv2d(sizes[i], sizes[i + 1], 5, stride, padding=2) for i, stride in enumerate(strides)
        )
        self.bends = nn.ModuleList(nn.PReLU(width) for width in WIDTHS)
        self.attention = nn.ModuleList(Attention(width) for width in WIDTHS)

    def forward(self, images: Tensor, snr_db: Tensor) -> Tensor:
        """``(B, 3, S, S)`` in [-1, 1] and the SNR ``(B,)`` it is coded for -> ``(B, C, S/4, S/4)``."""
        features = images
        for layer, bend, attention in zip(self.layers[:-1], self.bends, self.attention, strict=True):
            features = attention(bend(layer(features)), snr_db)
        code: Tensor = self.layers[-1](features)
        return code


class Decoder(nn.Module):
    """Noisy code -> picture: the encoder mirrored, with tanh at the end."""

    def __init__(self) -> None:
        super().__init__()
        sizes, strides = (CHANNELS, *WIDTHS[::-1], 3), (1, 1, 1, 2, 2)
        self.layers = nn.ModuleList(
            nn.ConvTranspose2d(sizes[i], sizes[i + 1], 5, stride, padding=2, output_padding=stride - 1)
            for i, stride in enumerate(strides)
        )
        self.bends = nn.ModuleList(nn.PReLU(width) for width in WIDTHS[::-1])
        self.attention = nn.ModuleList(Attention(width) for width in WIDTHS[::-1])

    def forward(self, code: Tensor, snr_db: Tensor) -> Tensor:
        """``(B, C, S/4, S/4)``, unsent channels zero, and the SNR ``(B,)`` they came with -> ``(B, 3, S, S)``."""
        features = code
        for layer, bend, attention in zip(self.layers[:-1], self.bends, self.attention, strict=True):
            features = attention(bend(layer(features)), snr_db)
        return torch.tanh(self.layers[-1](features))


class DeepJscc(nn.Module):
    """Encoder and decoder together; `encode` and `decode` are what a link calls."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    @classmethod
    def load(cls, path: Path) -> DeepJscc:
        """Reads committed weights, frozen."""
        model = cls()
        model.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
        return model.eval().requires_grad_(False)

    def save(self, path: Path) -> None:
        """Writes the weights in half precision."""
        save_file({name: tensor.detach().half().cpu().contiguous() for name, tensor in self.state_dict().items()}, path)

    def encode(self, picture: NDArray[np.uint8], k: int, design_snr_db: float) -> Symbols:
        """Codes ``(S, S, 3)`` into the ``(k,)`` symbols of its first channels, of any scale.

        Raises:
            InvalidInput: if ``k`` is not a whole number of channels, 1 to `CHANNELS`.
        """
        sent = sent_channels(k, picture.shape[0])
        with torch.inference_mode():
            code = self.encoder(to_tensor(picture[None]), torch.tensor([float(design_snr_db)]))[0, :sent]
        return np.ascontiguousarray(code.reshape(-1).numpy()).view(np.complex64)

    def decode(self, symbols: Symbols, side: int, snr_db: float) -> NDArray[np.uint8]:
        """Decodes equalised symbols ``(k,)`` of mean power 1 to ``(side, side, 3)``; `snr_db` is what they had."""
        small, sent = side // SHRINK, sent_channels(len(symbols), side)
        code = torch.zeros(1, CHANNELS, small, small)
        own = np.ascontiguousarray(symbols, np.complex64).view(np.float32)
        code[0, :sent] = torch.from_numpy(own.copy()).reshape(sent, small, small)
        with torch.inference_mode():
            picture: NDArray[np.uint8] = to_pictures(self.decoder(code, torch.tensor([float(snr_db)])))[0]
        return picture


def symbols_of(channels: int, side: int) -> int:
    """Complex symbols that so many channels of a picture of that side are."""
    return channels * (side // SHRINK) ** 2 // 2


def sent_channels(k: int, side: int) -> int:
    """The channels that ``k`` symbols are.

    Raises:
        InvalidInput: if they are not a whole number from 1 to `CHANNELS`.
    """
    unit = symbols_of(1, side)
    if k % unit or not unit <= k <= CHANNELS * unit:
        offered = ", ".join(str(unit * channels) for channels in range(1, CHANNELS + 1))
        raise InvalidInput(f"DeepJSCC sends {offered} symbols at {side} px, not {k}")
    return k // unit
