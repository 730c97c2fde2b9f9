from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from training.run import Run


def descend(run: Run, model: nn.Linear, until: int) -> None:
    while run.step < until:
        x = torch.randn(4, 3, generator=run.generator(seed=5))
        run.descend((model(x) - x.sum(1, keepdim=True)).square().mean())


def make(checkpoint: Path) -> tuple[Run, nn.Linear]:
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    return Run(model, 20, 1e-2, checkpoint), model


def test_an_interrupted_run_goes_on_as_if_it_had_not_been(tmp_path: Path) -> None:
    whole, straight = make(tmp_path / "whole.pt")
    descend(whole, straight, 20)
    first, model = make(tmp_path / "parts.pt")
    descend(first, model, 7)
    first.save()
    second, again = make(tmp_path / "parts.pt")
    assert second.step == 7
    descend(second, again, 20)
    assert torch.equal(again.weight, straight.weight)


def test_a_report_is_the_mean_since_the_last_one(tmp_path: Path) -> None:
    run, model = make(tmp_path / "run.pt")
    run.descend(model.weight.square().sum(), reported=torch.tensor(2.0))
    run.descend(model.weight.square().sum(), reported=torch.tensor(4.0))
    assert run.report() == {"step": 2, "loss": 3.0}
    run.descend(model.weight.square().sum(), reported=torch.tensor(8.0))
    assert run.report()["loss"] == 8.0
