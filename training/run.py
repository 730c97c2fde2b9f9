"""A training run that can stop at any step and go on exactly where it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn


class Run:
    """Optimiser, schedule and step count of one model, kept in a checkpoint. What each step draws depends on it alone.

    Args:
        model: what is trained.
        steps: length of the run.
        learning_rate: the highest of a one-cycle schedule.
        checkpoint: where the state is kept; a run that finds one goes on from it.
    """

    def __init__(self, model: nn.Module, steps: int, learning_rate: float, checkpoint: Path) -> None:
        self.model, self.steps, self.checkpoint = model, steps, checkpoint
        self.optimiser = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, learning_rate, total_steps=steps + 1, pct_start=0.1
        )
        self.step = 0
        self._losses: list[Tensor] = []
        if checkpoint.exists():
            state = torch.load(checkpoint, weights_only=True)
            for part, name in self._parts():
                part.load_state_dict(state[name])
            self.step = state["step"]

    def _parts(self) -> list[tuple[Any, str]]:
        return [(self.model, "model"), (self.optimiser, "optimiser"), (self.schedule, "schedule")]

    def generator(self, seed: int) -> torch.Generator:
        """Random numbers of this step, the same whether the run was interrupted or not."""
        return torch.Generator().manual_seed(seed * 1_000_003 + self.step)

    def descend(self, loss: Tensor, reported: Tensor | None = None) -> None:
        """One step of the optimiser down ``loss``; where what is minimised is another number, it is reported."""
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimiser.step()
        self.schedule.step()
        self.step += 1
        self._losses.append((loss if reported is None else reported).detach())

    def report(self) -> dict[str, float]:
        """The step, and the mean loss since the last report."""
        mean = float(torch.stack(self._losses).mean())
        self._losses.clear()
        return {"step": self.step, "loss": round(mean, 5)}

    def save(self) -> None:
        """Writes the checkpoint, whole or not at all."""
        unfinished = self.checkpoint.with_suffix(".part")
        torch.save({"step": self.step, **{name: part.state_dict() for part, name in self._parts()}}, unfinished)
        unfinished.replace(self.checkpoint)
