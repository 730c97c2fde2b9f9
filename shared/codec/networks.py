"""The learned part of the joint codec: what an encoder and a decoder add to the linear code.

Both work in visible coordinates, white and the most important first, so that no picture is needed to train them. Both
end in zeros before training: the untrained codec is the linear one.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from shared.codec.adapters import NO_ADAPTERS, Adapters
from shared.codec.layers import Layers
from shared.codec.sizes import COEFFICIENTS, SLOTS

HIDDEN = 512
LEVELS = 8


def ladder(*measures: Tensor) -> Tensor:
    """Measures of the link ``(B,)`` in about -1..1 as soft steps ``(B, LEVELS n)``: layers can tell ranges apart."""
    steps = torch.linspace(-1, 1, LEVELS)
    return torch.cat([torch.tanh(3 * (measure[:, None] - steps)) for measure in measures], 1)


def quality(snr_db: Tensor) -> Tensor:
    """SNR in dB on a scale of about -1..1."""
    return (snr_db.clamp(-12, 24) - 6) / 14


def length(k: Tensor) -> Tensor:
    """Payload symbols on a scale of about -1..1."""
    return torch.log2(k / 96) / 2.6


class Conditioned(nn.Module):
    """Two hidden layers whose units are scaled by the state of the link; zeros at first."""

    def __init__(self, inputs: int, outputs: int, measures: int) -> None:
        super().__init__()
        self.first = nn.Linear(inputs + measures * LEVELS, HIDDEN)
        self.second = nn.Linear(HIDDEN, HIDDEN)
        self.first_scale = nn.Linear(measures * LEVELS, HIDDEN)
        self.second_scale = nn.Linear(measures * LEVELS, HIDDEN)
        self.last = nn.Linear(HIDDEN, outputs)
        for layer in (self.first_scale, self.second_scale, self.last):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, inputs: Tensor, link: Tensor) -> Tensor:
        """``(B, inputs)`` and the `ladder` of the link to ``(B, outputs)``."""
        hidden = nn.functional.silu(self.first(torch.cat([inputs, link], 1)) * (1 + self.first_scale(link)))
        hidden = nn.functional.silu(self.second(hidden) * (1 + self.second_scale(link)))
        return cast(Tensor, self.last(hidden))


@dataclass(frozen=True)
class Link:
    """What the networks are told of each frame, ``(B,)`` each.

    Attributes:
        k: payload symbols.
        design_snr_db: what the frame was made for; both ends know it.
        snr_db: what it met, as the receiver measured it.
    """

    k: Tensor
    design_snr_db: Tensor
    snr_db: Tensor

    @classmethod
    def of(cls, k: int, design_snr_db: float, snr_db: float) -> Link:
        """A single frame's."""
        return cls(*(torch.tensor([float(value)]) for value in (k, design_snr_db, snr_db)))


class JointNetworks(nn.Module):
    """Encoder and decoder, and the adapters that follow each.

    Args:
        adapters: none by default.

    Example::

        slots = networks.encode(layers.fill(white), white, layers, link)
        estimate = networks.decode(*layers.read(received, half_noise, gain_error), received, link)
    """

    def __init__(self, adapters: Adapters = NO_ADAPTERS) -> None:
        super().__init__()
        self.adapters = adapters
        self.encoder = Conditioned(COEFFICIENTS + SLOTS, SLOTS, 2)
        self.decoder = Conditioned(2 * COEFFICIENTS + SLOTS, COEFFICIENTS, 3)

    @classmethod
    def load(cls, path: Path, adapters: Adapters = NO_ADAPTERS) -> JointNetworks:
        """Reads what `save` wrote, frozen."""
        networks = cls(adapters)
        networks.load_state_dict({name: tensor.float() for name, tensor in load_file(path).items()})
        return networks.eval().requires_grad_(False)

    def save(self, path: Path) -> None:
        """Writes safetensors in half precision."""
        save_file({name: tensor.half().contiguous() for name, tensor in self.state_dict().items()}, path)

    def encode(self, slots: Tensor, white: Tensor, layers: Layers, link: Link) -> Tensor:
        """Slots as the layers are filled to slots as they are sent, ``(B, SLOTS)``; empty where there are none.

        Args:
            slots: ``(B, SLOTS)``.
            white: coefficients of unit variance, ``(B, COEFFICIENTS)``.
            layers: the frames' energies.
            link: the frames'; what they will meet is not read.
        """
        told = ladder(quality(link.design_snr_db), length(link.k))
        added = self.encoder(torch.cat([white, slots], 1), told) * math.sqrt(0.5)  # as large as a slot of unit power
        return self.adapters.to_slots(slots + added, link.design_snr_db) * layers.used

    def decode(self, mean: Tensor, variance: Tensor, received: Tensor, link: Link) -> Tensor:
        """What the layers tell of the white coefficients to a better estimate, ``(B, COEFFICIENTS)``.

        Args:
            mean: ``(B, COEFFICIENTS)``.
            variance: ``(B, COEFFICIENTS)``.
            received: slots as they arrived, zero where the payload has none, ``(B, SLOTS)``.
            link: the frames'.
        """
        met = 10 ** (-link.snr_db[:, None] / 10)
        levelled = received / torch.sqrt(0.5 + met / 2)  # of about unit variance at any SNR
        deviation = variance.clamp_min(1e-9).sqrt()
        told = ladder(quality(link.snr_db), quality(link.design_snr_db), length(link.k))
        correction = self.decoder(torch.cat([mean, deviation, levelled], 1), told) * deviation
        return self.adapters.to_estimate(mean + correction, link.design_snr_db)
