"""The judge reads any face into degrees, and says what is missing when it cannot."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from evaluation.judge import DegreeJudge, JudgeHead, Reader
from evaluation.mobilenet import CHANNELS, FINE_CHANNELS, EarlyLayers, LateLayers
from shared.attributes import attribute_names
from shared.errors import WeightsCorrupt, WeightsMissing

ATTRIBUTES = len(attribute_names())


@pytest.fixture(scope="module")
def early() -> EarlyLayers:
    torch.manual_seed(0)
    return EarlyLayers().eval()


def test_the_layers_give_two_maps_whatever_the_side(early: EarlyLayers) -> None:
    late = LateLayers().eval()
    for side in (64, 160, 200):
        fine = early(torch.zeros(2, 3, side, side))
        assert fine.shape == (2, FINE_CHANNELS, 20, 20)
        middle, coarse = late(fine)
        assert middle.shape == (2, CHANNELS[0], 10, 10)
        assert coarse.shape == (2, CHANNELS[1], 5, 5)


def test_degrees_are_within_range_and_follow_the_scores(early: EarlyLayers) -> None:
    judge = DegreeJudge(early, LateLayers().eval(), JudgeHead().eval())
    pictures = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    degrees, scores = judge.degrees(pictures), judge.scores(pictures)
    assert degrees.shape == (3, ATTRIBUTES)
    assert degrees == pytest.approx(scores.clip(0, 5), abs=1e-5)  # an untrained head's knots are the degrees


def test_the_place_of_a_feature_matters() -> None:
    torch.manual_seed(1)
    reader = Reader().eval()
    middle, coarse = torch.zeros(1, CHANNELS[0], 10, 10), torch.zeros(1, CHANNELS[1], 5, 5)
    up, down = coarse.clone(), coarse.clone()
    up[:, :, 0, 2], down[:, :, 4, 2] = 5.0, 5.0
    assert not torch.allclose(reader(middle, up), reader(middle, down))


def test_a_judge_that_was_saved_reads_the_same(tmp_path: Path) -> None:
    torch.manual_seed(2)
    head, fine = JudgeHead().eval(), torch.randn(2, FINE_CHANNELS, 20, 20)
    head.save(tmp_path / "judge.safetensors")
    again = JudgeHead.load(tmp_path / "judge.safetensors")
    assert torch.allclose(head.tuned(fine), again.tuned(fine), atol=1e-2)
    assert torch.equal(head.scale.knots, again.scale.knots)


def test_missing_and_damaged_weights_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match=r"training\.judge"):
        DegreeJudge.load(tmp_path / "none.safetensors")
    with pytest.raises(WeightsMissing, match="models pull --evaluation"):
        EarlyLayers.load(tmp_path / "none.safetensors")
    save_file({"other": torch.zeros(1)}, tmp_path / "other.safetensors")
    with pytest.raises(WeightsCorrupt):
        DegreeJudge.load(tmp_path / "other.safetensors")
    with pytest.raises(WeightsCorrupt, match="models pull --evaluation"):
        EarlyLayers.load(tmp_path / "other.safetensors")


@pytest.fixture(scope="module")
def committed() -> DegreeJudge:
    try:
        return DegreeJudge.load()
    except WeightsMissing as missing:
        pytest.skip(missing.message)


def test_above_and_below_differ_and_left_and_right_do_not(committed: DegreeJudge) -> None:
    pictures = np.full((4, 160, 160, 3), 128, np.uint8)
    pictures[0, :40, :60], pictures[1, :40, -60:], pictures[2, -40:, :60] = 255, 255, 255
    above_left, above_right, below, nowhere = committed.scores(pictures)
    assert above_left == pytest.approx(above_right, abs=1e-3)
    assert np.abs(above_left - below).max() > 0.1
    assert np.abs(above_left - nowhere).max() > 0.1
