"""The judge reads any face into degrees, and says what is missing when it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from evaluation.judge import DegreeJudge, JudgeHead
from evaluation.mobilenet import CHANNELS, MobileNetV2
from shared.attributes import attribute_names
from shared.errors import WeightsCorrupt, WeightsMissing

ATTRIBUTES = len(attribute_names())


@pytest.fixture(scope="module")
def trunk() -> MobileNetV2:
    torch.manual_seed(0)
    return MobileNetV2().eval()


def test_the_trunk_gives_two_maps_whatever_the_side(trunk: MobileNetV2) -> None:
    for side in (64, 160, 200):
        middle, coarse = trunk(torch.zeros(2, 3, side, side))
        assert middle.shape == (2, CHANNELS[0], 10, 10)
        assert coarse.shape == (2, CHANNELS[1], 5, 5)


def test_degrees_are_within_range_and_follow_the_scores(trunk: MobileNetV2) -> None:
    judge = DegreeJudge(trunk, JudgeHead().eval())
    pictures = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    degrees, scores = judge.degrees(pictures), judge.scores(pictures)
    assert degrees.shape == (3, ATTRIBUTES)
    assert degrees == pytest.approx(scores.clip(0, 5), abs=1e-5)  # an untrained head's knots are the degrees


def test_the_place_of_a_feature_matters() -> None:
    torch.manual_seed(1)
    head = JudgeHead().eval()
    middle, coarse = torch.zeros(1, CHANNELS[0], 10, 10), torch.zeros(1, CHANNELS[1], 5, 5)
    up, down = coarse.clone(), coarse.clone()
    up[:, :, 0, 2], down[:, :, 4, 2] = 5.0, 5.0
    assert not torch.allclose(head(middle, up), head(middle, down))


def test_missing_and_damaged_weights_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"training\.judge"):
        DegreeJudge.load(tmp_path / "none.safetensors")
    with pytest.raises(WeightsMissing, match="models pull --evaluation"):
        MobileNetV2.load(tmp_path / "none.safetensors")
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsCorrupt):
        DegreeJudge.load(tmp_path / "other.safetensors")
    with pytest.raises(WeightsCorrupt, match="models pull --evaluation"):
        MobileNetV2.load(tmp_path / "other.safetensors")


def test_the_committed_judge_reads_with_the_pulled_trunk() -> None:
    try:
        judge = DegreeJudge.load()
    except WeightsMissing as missing:
        pytest.skip(missing.message)
    grey = np.full((1, 128, 128, 3), 128, np.uint8)
    assert np.isfinite(judge.scores(grey)).all()
