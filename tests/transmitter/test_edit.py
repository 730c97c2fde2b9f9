from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.attributes import attribute_names
from shared.degree_predictor import DegreePredictor
from transmitter.edit import AttributesMatcher, EditDirections

ATTRIBUTES = len(attribute_names())


class FlatPrior:
    """Draws a latent as itself: the 'image' is w+ in one channel, small enough for a picture's range."""

    w_dim = 512
    num_styles = 16
    mean_w = torch.zeros(512)

    def mapping(self, z: Tensor) -> Tensor:
        return z

    def synthesis(self, w_plus: Tensor, resolution: int = 1024) -> Tensor:  # noqa: ARG002
        return w_plus[:, None] / 100


class BentPredictor(DegreePredictor):
    """Reads attribute i off coordinate i of style 3, bent and leaking into its neighbour, as real faces do."""

    def __init__(self, leak: float = 0.15) -> None:
        super().__init__(width=4)
        self.leak = leak
        self.eval()

    def scores(self, images: Tensor) -> Tensor:
        x = 100 * images[:, 0, 3, :ATTRIBUTES]
        bent = x * (0.8 + 0.1 * torch.tanh(x))
        return bent + self.leak * bent.roll(1, dims=1)


def directions(reach: float = 9.0) -> EditDirections:
    steps = np.zeros((ATTRIBUTES, 16, 512), np.float32)
    steps[np.arange(ATTRIBUTES), 3, np.arange(ATTRIBUTES)] = 1.0
    return EditDirections(steps, np.full(ATTRIBUTES, reach, np.float32))


def face(*values: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    w_plus = np.zeros((16, 512), np.float32)
    w_plus[3, : len(values)] = values
    return w_plus


def matcher(reach: float = 9.0, leak: float = 0.15) -> AttributesMatcher:
    return AttributesMatcher(FlatPrior(), BentPredictor(leak), directions(reach))


@pytest.mark.parametrize("target", [0.5, 2.0, 3.5, 4.5])
def test_a_target_degree_is_met_although_the_face_bends(target: float) -> None:
    outcome = matcher().edit(face(0.2, 0.2, 0.2, 1.0, 0.2), {"smiling": target}, snr_db=None)
    assert outcome.reached
    assert outcome.degrees_after["smiling"] == pytest.approx(target, abs=0.3)
    assert outcome.message == ""


def test_attributes_that_nobody_named_stay() -> None:
    outcome = matcher(leak=0.4).edit(face(1.0, 1.0, 1.0, 1.0, 1.0), {"eyeglasses": 4.0}, snr_db=6.0)
    for name in set(attribute_names()) - {"eyeglasses"}:
        assert outcome.degrees_after[name] == pytest.approx(outcome.degrees_before[name], abs=0.75)


def test_several_targets_are_met_at_once() -> None:
    outcome = matcher().edit(face(1.0, 3.0, 1.0, 1.0, 1.0), {"eyeglasses": 0.0, "smiling": 4.0}, snr_db=None)
    assert outcome.degrees_after["eyeglasses"] == pytest.approx(0.0, abs=0.3)
    assert outcome.degrees_after["smiling"] == pytest.approx(4.0, abs=0.3)


def test_a_target_out_of_reach_is_said_and_the_best_is_kept() -> None:
    outcome = matcher(reach=1.0).edit(face(0.5, 0.5, 0.5, 0.5, 0.5), {"age": 5.0}, snr_db=None)
    assert not outcome.reached
    assert "age went to" in outcome.message
    assert outcome.degrees_before["age"] < outcome.degrees_after["age"] < 2.5


def test_nothing_to_do_leaves_the_latent_alone() -> None:
    w_plus = face(1.0, 1.0, 1.0, 1.0, 1.0)
    before = w_plus.copy()
    editor = matcher()
    now = editor.edit(w_plus, {}, snr_db=None).degrees_before
    outcome = editor.edit(w_plus, {"smiling": now["smiling"]}, snr_db=None)
    np.testing.assert_array_equal(outcome.w_plus, before)
    np.testing.assert_array_equal(w_plus, before)


def test_directions_come_back_from_their_file(tmp_path: Path) -> None:
    directions().save(tmp_path / "directions.safetensors")
    again = EditDirections.load(tmp_path / "directions.safetensors")
    np.testing.assert_array_equal(again.steps, directions().steps)
    assert again.reach.dtype == np.float32
