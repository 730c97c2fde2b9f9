"""Trains one pair of adapters for one noise condition; the codec's own networks stay as they are.

Run: ``deepsc train adapters --snr-db X --fading F``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from shared.codec.adapters import AdapterPair, Adapters
from shared.codec.networks import JointNetworks
from shared.phy.header import quantise_design_snr
from training.simulated_link import LENGTHS, Conditions, SimulatedLink

Report = Callable[[int, float], None]
"""Takes a step and the mean loss since the last report."""


@dataclass(frozen=True)
class Schedule:
    """How parameters are trained over a link.

    Attributes:
        steps: gradient steps.
        batch: frames a step.
        learning_rate: at the start; it falls to zero.
        seed: of everything drawn.
    """

    steps: int = 1200
    batch: int = 256
    learning_rate: float = 2e-3
    seed: int = 1


def condition(snr_db: float, *, fading: bool, k: tuple[int, int] = LENGTHS) -> Conditions:
    """Links of one condition: frames are designed for ``snr_db`` and meet about that.

    Args:
        snr_db: Es/N0.
        fading: whether every frame's gain fades as Rayleigh's.
        k: fewest and most payload symbols.
    """
    at = quantise_design_snr(snr_db)
    return Conditions(k, (at, at), mismatch_db=0.5, fading=float(fading))


def descend(
    networks: JointNetworks,
    parameters: Iterable[nn.Parameter],
    link: SimulatedLink,
    white: torch.Tensor,
    schedule: Schedule,
    report: Report,
) -> None:
    """Trains ``parameters`` of ``networks`` for what the link carries.

    Args:
        networks: of which the rest stays as it is.
        parameters: all that are to move.
        link: over which faces are sent.
        white: faces to train on, white coefficients ``(N, COEFFICIENTS)``.
        schedule: how.
        report: called every 100 steps; the loss is the mean visible error in units of what the plans expect.
    """
    generator = torch.Generator().manual_seed(schedule.seed)
    optimiser = torch.optim.Adam(parameters, lr=schedule.learning_rate)
    falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, schedule.steps)
    recent = 0.0
    for step in range(1, schedule.steps + 1):
        batch = white[torch.randint(len(white), (schedule.batch,), generator=generator)]
        drawn = link.draw(schedule.batch, generator)
        loss = link.loss(link.carry(batch, networks, drawn, generator), batch, drawn)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        falling.step()
        recent += float(loss.detach()) / 100
        if step % 100 == 0:
            report(step, recent)
            recent = 0.0


def train_pair(
    snr_db: float,
    link: SimulatedLink,
    white: torch.Tensor,
    schedule: Schedule,
    report: Report,
    networks: Path | None = None,
) -> Adapters:
    """A pair for one condition.

    Args:
        snr_db: where the pair will count.
        link: the condition's (`condition`).
        white: faces to train on, white coefficients ``(N, COEFFICIENTS)``.
        schedule: how it is trained.
        report: see `descend`.
        networks: weights of the joint codec's networks, if it has any.
    """
    torch.manual_seed(schedule.seed)
    pair = AdapterPair(float(quantise_design_snr(snr_db)))
    adapters = Adapters((pair,))
    frozen = JointNetworks.load(networks, adapters) if networks else JointNetworks(adapters).requires_grad_(False)
    descend(frozen, pair.parameters(), link, white, schedule, report)
    return Adapters((pair.eval().requires_grad_(False),))
