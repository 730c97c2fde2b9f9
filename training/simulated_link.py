"""The link of the joint codec in visible coordinates, differentiable and for many frames at once: no picture is drawn.

It is `JointCodec` over a channel in torch: slots, the networks' part, normalisation, gain symbol, noise, estimate. What
the gain symbol's phase suffers is simulated as noise on the logarithm of the gain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from shared.codec.folding import FoldedPlan
from shared.codec.joint import JointCodec
from shared.codec.layers import Layers
from shared.codec.linear import GAIN_PHASE, GAIN_SPAN
from shared.codec.networks import JointNetworks, Link
from shared.codec.sizes import COEFFICIENTS

LARGEST = 30.0
"""Error of one frame, in units of the expected, above which it counts no more: deep fades are not to rule training."""

LENGTHS = (16, 400)
"""Fewest and most payload symbols that are learned from."""


@dataclass(frozen=True)
class Conditions:
    """From what links are drawn.

    Attributes:
        k: fewest and most payload symbols, log-uniform between.
        design_snr_db: least and highest design SNR, whole dB, uniform between.
        mismatch_db: deviation of the SNR met from the design SNR.
        fading: share of frames whose gain fades as Rayleigh's, while the design SNR is the link's.
    """

    k: tuple[int, int] = LENGTHS
    design_snr_db: tuple[int, int] = (-8, 21)
    mismatch_db: float = 1.0
    fading: float = 0.2


class SimulatedLink:
    """Plans for all links, as tables, and the way of a batch through one.

    Args:
        codec: the code under the networks.
        conditions: which links are met.
    """

    def __init__(self, codec: JointCodec, conditions: Conditions) -> None:
        self._conditions = conditions
        low, high = conditions.k
        lengths = np.unique(np.geomspace(low, high, 40).round().astype(int))
        first, last = conditions.design_snr_db
        self._designs = torch.arange(first, last + 1, dtype=torch.float32)
        plans = [codec.plan(int(k), float(design)) for k in lengths for design in self._designs]
        layers = [Layers.of(plan) for plan in plans]
        self._layers = Layers(
            *(torch.cat(parts) for parts in zip(*(vars(one).values() for one in layers), strict=True))
        )
        self._lengths = torch.from_numpy(lengths).float()
        self._gain_energy = torch.tensor([plan.gain_energy for plan in plans])
        self._beyond = torch.tensor([float(plan.sent[COEFFICIENTS:].sum()) for plan in plans])
        self._log_gain_variance = float(codec.basis.log_gain_deviation[0]) ** 2
        weights = codec.importance[:COEFFICIENTS] / codec.importance[:COEFFICIENTS].sum()
        #: What is seen of a unit error of each white coefficient, ``(COEFFICIENTS,)``.
        self.weights = torch.from_numpy(weights).float()
        left = [weights[:, None].T @ (1 - plan_share(plan)) for plan in plans]
        self._expected = torch.tensor(np.array(left), dtype=torch.float32).reshape(-1)

    def draw(self, batch: int, generator: torch.Generator) -> tuple[Tensor, Link]:
        """Rows of the tables, and the links, ``(batch,)`` each."""
        at = self._conditions
        length = torch.randint(len(self._lengths), (batch,), generator=generator)
        design = torch.randint(len(self._designs), (batch,), generator=generator)
        met = self._designs[design] + at.mismatch_db * torch.randn(batch, generator=generator)
        gain = -torch.log(torch.rand(batch, generator=generator).clamp_min(1e-3))  # |h|^2 of a Rayleigh channel
        faded = torch.rand(batch, generator=generator) < at.fading
        snr_db = torch.where(faded, met + 10 * torch.log10(gain), met).clamp(-15, 30)
        return length * len(self._designs) + design, Link(self._lengths[length], self._designs[design], snr_db)

    def carry(
        self, white: Tensor, networks: JointNetworks, drawn: tuple[Tensor, Link], generator: torch.Generator
    ) -> Tensor:
        """White coefficients ``(B, COEFFICIENTS)`` over the links: what the receivers make of them, the same shape."""
        rows, link = drawn
        layers, gain_energy = self._layers.at(rows), self._gain_energy[rows]
        half_noise = (10 ** (-link.snr_db / 10) / 2)[:, None]
        slots = networks.encode(layers.fill(white), white, layers, link)
        total = slots.square().sum(1) + self._beyond[rows]
        log_gain = 0.5 * torch.log((total / (link.k - gain_energy)).clamp_min(1e-6))
        noise = torch.randn(slots.shape, generator=generator) * half_noise.sqrt()
        told = half_noise[:, 0] / gain_energy * (GAIN_SPAN / GAIN_PHASE) ** 2
        measured = log_gain + told.sqrt() * torch.randn(len(white), generator=generator)
        trust = self._log_gain_variance / (self._log_gain_variance + told)
        received = (slots * torch.exp(-log_gain)[:, None] + noise) * torch.exp(measured * trust)[:, None] * layers.used
        mean, variance = layers.read(received, half_noise, (trust * told)[:, None])
        return networks.decode(mean, variance, received, link)

    def loss(self, estimate: Tensor, white: Tensor, drawn: tuple[Tensor, Link]) -> Tensor:
        """Visible error in units of what the plans expect at their design SNR: every link counts about the same."""
        error = ((estimate - white).square() * self.weights).sum(1)
        return (error / self._expected[drawn[0]]).clamp_max(LARGEST).mean()


def plan_share(plan: FoldedPlan) -> NDArray[np.float64]:
    """How much of each of the first coefficients a plan expects to tell, ``(COEFFICIENTS,)``."""
    share = np.zeros(COEFFICIENTS)
    energy = plan.energy[:COEFFICIENTS]
    share[: len(energy)] = energy / (energy + plan.half_noise)
    return share
