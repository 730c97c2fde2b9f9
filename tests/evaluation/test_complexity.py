"""What a stage costs: every parameter once, every multiplication, and the time of what is really run."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

pytest.importorskip("numba")

from evaluation.complexity import Cost, Stage, cost_of, row
from shared.errors import WeightsMissing


class Twice(nn.Module):
    """A convolution that runs twice, and a layer that never does."""

    def __init__(self) -> None:
        super().__init__()
        self.used, self.idle = nn.Conv2d(4, 4, 3, padding=1, bias=False), nn.Linear(1000, 1000)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.used(self.used(x))


def test_parameters_that_run_are_counted_once_and_their_products_each_time() -> None:
    module, x = Twice(), torch.zeros(1, 4, 8, 8)
    cost = cost_of(Stage("x", "y", lambda: module(x)), 1)
    assert cost.parameters == 4 * 4 * 9
    assert cost.macs == 2 * 4 * 4 * 9 * 64


def test_products_of_the_gradient_count_too_and_a_stage_done_many_times_is_divided() -> None:
    layer, x = nn.Linear(5, 7, bias=False).requires_grad_(False), torch.zeros(1, 5, requires_grad=True)

    def step() -> None:
        for _ in range(3):
            torch.autograd.grad(layer(x).sum(), x)

    assert cost_of(Stage("x", "y", step, times=3), 1).macs == 2 * 5 * 7


def test_time_is_of_what_is_run_and_the_count_of_what_stands_for_it() -> None:
    layer = nn.Linear(5, 7)
    stage = Stage("x", "y", lambda: time.sleep(0.02), lambda: layer(torch.zeros(1, 5)), more_macs=100)
    cost = cost_of(stage, 3)
    assert cost.seconds >= 0.02
    assert (cost.parameters, cost.macs) == (42, 135)


def test_tables_of_numpy_are_parameters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.weights.WEIGHTS", tmp_path)
    save_file({"a": torch.zeros(2, 3), "b": torch.zeros(4, dtype=torch.float16)}, tmp_path / "table.safetensors")
    assert cost_of(Stage("x", "y", lambda: None, tables=("table.safetensors",)), 1).parameters == 10
    with pytest.raises(WeightsMissing):
        cost_of(Stage("x", "y", lambda: None, tables=("none.safetensors",)), 1)


def test_a_stage_that_fails_leaves_nothing_behind() -> None:
    from torch.nn.modules import module

    def fail() -> None:
        raise RuntimeError

    before = len(module._global_forward_pre_hooks)
    with pytest.raises(RuntimeError):
        cost_of(Stage("x", "y", fail), 1)
    assert len(module._global_forward_pre_hooks) == before


def test_what_could_not_be_counted_is_left_empty() -> None:
    assert row(Stage("AVIF", "encode", lambda: None), Cost(0, 0, 0.0123)) == "| AVIF | encode |  |  | 0.012 |"
    assert row(Stage("x", "y", lambda: None), Cost(74_010, 75_370_000, 2)) == "| x | y | 0.074 | 75.4 | 2 |"
    assert row(Stage("x", "y", lambda: None), Cost(8, 18_920_400_000, 1)) == "| x | y | 8e-06 | 18,920 | 1 |"
