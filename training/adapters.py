"""Trains one pair of adapters for one noise condition; the codec's own networks stay as they are.

Run: ``deepsc train adapters --snr-db X --fading F``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from shared.codec.adapters import AdapterPair, Adapters
from shared.codec.joint import JointCodec
from shared.codec.networks import JointNetworks
from shared.phy.header import quantise_design_snr
from training.simulated_link import Conditions, SimulatedLink


@dataclass(frozen=True)
class AdapterTraining:
    """How a pair is trained.

    Attributes:
        snr_db: the condition's SNR.
        fading: whether every frame's gain fades as Rayleigh's.
        steps: gradient steps.
        batch: frames a step.
        learning_rate: at the start; it falls to zero.
        seed: of everything drawn.
    """

    snr_db: float
    fading: bool
    steps: int = 1200
    batch: int = 256
    learning_rate: float = 2e-3
    seed: int = 1

    def conditions(self) -> Conditions:
        """Links of this condition only, of all lengths."""
        at = quantise_design_snr(self.snr_db)
        return Conditions(design_snr_db=(at, at), mismatch_db=0.5, fading=float(self.fading))


def train_pair(
    codec: JointCodec,
    networks: Path | None,
    white: torch.Tensor,
    training: AdapterTraining,
    report: Callable[[int, float], None],
) -> Adapters:
    """A pair for one condition.

    Args:
        codec: the code under the networks.
        networks: weights of the joint codec's networks, if it has any.
        white: faces to train on, white coefficients ``(N, COEFFICIENTS)``.
        training: condition and schedule.
        report: called every 100 steps with the step and the mean visible error in units of what the plans expect.
    """
    generator = torch.Generator().manual_seed(training.seed)
    torch.manual_seed(training.seed)
    pair = AdapterPair(float(quantise_design_snr(training.snr_db)))
    adapters = Adapters((pair,))
    frozen = JointNetworks.load(networks, adapters) if networks else JointNetworks(adapters).requires_grad_(False)
    link = SimulatedLink(codec, training.conditions())
    optimiser = torch.optim.Adam(pair.parameters(), lr=training.learning_rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, training.steps)
    recent = 0.0
    for step in range(1, training.steps + 1):
        batch = white[torch.randint(len(white), (training.batch,), generator=generator)]
        drawn = link.draw(training.batch, generator)
        loss = link.loss(link.carry(batch, frozen, drawn, generator), batch, drawn)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        recent += float(loss.detach()) / 100
        if step % 100 == 0:
            report(step, recent)
            recent = 0.0
    return Adapters((pair.eval().requires_grad_(False),))
