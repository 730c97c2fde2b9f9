"""A whole small experiment with the real networks."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("numba")

from evaluation.comparison.config import DataConfig, ExperimentConfig, MethodConfig
from evaluation.comparison.harness import Experiment
from transmitter.models import load_predictor

CONFIG = ExperimentConfig(
    name="test",
    data=DataConfig(count=1),
    snr_db=(6.0,),
    fading=("rayleigh",),
    methods=(
        MethodConfig(kind="ours", k=(128,)),
        MethodConfig(kind="ours", k=(256,), scheme="command"),
        MethodConfig(kind="deepjscc", k=(512,)),
        MethodConfig(kind="separate", k=(2048,)),
    ),
)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_runs_of_one_experiment_give_the_same_numbers_and_the_cache_gives_them_too(tmp_path: Path) -> None:
    degrees = "predictor", load_predictor()
    first = Experiment(CONFIG, tmp_path / "first", *degrees).run()
    assert len(first) == 4
    assert Experiment(CONFIG, tmp_path / "second", *degrees).run() == first
    assert Experiment(CONFIG, tmp_path / "first", *degrees).run() == first
