from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from shared.attributes import attribute_names
from shared.codec.codec import Latent
from shared.degree_predictor import DegreePredictor, FeatureHead, PixelReader
from tests.fakes.degrees import random_eyes
from tests.transmitter.visible import STYLE, face, linear_predictor, plain_basis, plain_directions
from transmitter.edit import AttributesMatcher
from transmitter.fields import SemanticFields
from transmitter.latent_predictor import VISIBLE
from transmitter.onlooker import LatentReader, Onlooker
from transmitter.receptions import Receptions

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


Bend = Callable[[Tensor], Tensor]


def slightly(x: Tensor) -> Tensor:
    """Steeper the further it is from 0."""
    return x * (0.8 + 0.1 * torch.tanh(x))


def all_at_once(sharpness: float) -> Bend:
    """Nothing, then nearly everything, as glasses come."""
    return lambda x: 4.5 * torch.sigmoid(sharpness * (x - 2.0))


class BentPredictor(DegreePredictor):
    """Reads attribute i off coordinate i of style 3, bent and leaking into its neighbour, as real faces do."""

    def __init__(self, leak: float, unit: float, bend: Bend) -> None:
        super().__init__(random_eyes(), PixelReader(4), FeatureHead(4, 4))
        self.leak, self.unit, self.bend = leak, unit, bend
        self.eval()

    def scores(self, images: Tensor) -> Tensor:
        bent = self.bend(self.unit * 100 * images[:, 0, STYLE, :ATTRIBUTES])
        return bent + self.leak * bent.roll(1, dims=1)


class PoorLink(Receptions):
    """Leaves less of every face the poorer it is: half at 0 dB."""

    def __init__(self) -> None:
        pass

    def expected(self, w_plus: Latent, snr_db: float) -> Latent:
        return np.multiply(w_plus, 1 / (1 + 10 ** (-snr_db / 10)), dtype=np.float32)


def matcher(
    *,
    unit: float = 1.0,
    leak: float = 0.15,
    bend: Bend = slightly,
    answer: float = 1.0,
    link: PoorLink | None = None,
    looks: int = 5,
) -> AttributesMatcher:
    """Fields that know of the leak and not of the bend.

    ``unit`` is the score that a unit's move makes, ``answer`` by how much the face makes more of it.
    """
    slopes = torch.zeros(ATTRIBUTES, VISIBLE)
    for i in range(ATTRIBUTES):
        slopes[i, i], slopes[(i + 1) % ATTRIBUTES, i] = 0.8 * unit, 0.8 * unit * leak
    fields = SemanticFields(plain_basis(), linear_predictor(slopes), plain_directions(ATTRIBUTES))
    predictor = BentPredictor(leak, answer * unit, bend)
    reader = LatentReader(FlatPrior(), predictor)
    onlooker = Onlooker(lambda latents: reader(torch.from_numpy(latents)).detach().numpy(), predictor.scale)
    return AttributesMatcher(onlooker, fields, link, max_looks=looks)


@pytest.mark.parametrize("target", [0.5, 2.0, 3.5, 4.5])
def test_a_target_degree_is_met_although_the_face_bends(target: float) -> None:
    outcome = matcher().edit(face(0.2, 0.2, 0.2, 1.0, 0.2), {"smiling": target}, snr_db=None)
    assert outcome.reached
    assert outcome.degrees_after["smiling"] == pytest.approx(target, abs=0.3)
    assert outcome.message == ""


def test_what_edits_before_have_moved_is_brought_back_towards_where_it_is_due() -> None:
    strayed = face(1.0, 1.0, 2.5, 1.0, 1.0)
    degrees = matcher().edit(strayed, {}, snr_db=None).degrees_before
    due = {**degrees, "beard": degrees["beard"] - 1.0}
    as_it_is = matcher().edit(strayed, {"smiling": 3.0}, snr_db=None).degrees_after
    back = matcher().edit(strayed, {"smiling": 3.0}, due, snr_db=None).degrees_after
    assert abs(back["beard"] - due["beard"]) < 0.6 * abs(as_it_is["beard"] - due["beard"])
    assert back["smiling"] == pytest.approx(3.0, abs=0.3)


def test_what_moved_unasked_is_spoken_of() -> None:
    strayed = face(1.0, 1.0, 2.5, 1.0, 1.0)
    outcome = matcher(looks=1).edit(strayed, {"smiling": 3.0}, {"beard": 0.0}, snr_db=None)
    assert "besides, beard is at" in outcome.message
    assert "instead of 0.0" in outcome.message


def test_attributes_that_nobody_named_stay() -> None:
    outcome = matcher(leak=0.4).edit(face(1.0, 1.0, 1.0, 1.0, 1.0), {"eyeglasses": 4.0}, snr_db=6.0)
    for name in set(attribute_names()) - {"eyeglasses"}:
        assert outcome.degrees_after[name] == pytest.approx(outcome.degrees_before[name], abs=0.75)


def test_what_moved_unasked_is_brought_back_without_swinging() -> None:
    """A face that answers two and a half times as much as fields say: asking back all that moved would overshoot."""
    outcome = matcher(leak=0.6, answer=2.5).edit(face(0.6, 0.6, 0.6, 0.6, 0.6), {"eyeglasses": 4.0}, snr_db=None)
    assert outcome.reached
    for name in set(attribute_names()) - {"eyeglasses"}:
        assert outcome.degrees_after[name] == pytest.approx(outcome.degrees_before[name], abs=0.6)


@pytest.mark.parametrize("answer", [2.5, 4.0])
def test_the_face_as_it_is_counts_as_a_look_that_fell_short(answer: float) -> None:
    """One that answers far more than fields say is met at the second or third look, not swung about."""
    editor = matcher(leak=0.0, answer=answer, looks=3)
    outcome = editor.edit(face(0.1, 0.1, 0.1, 0.1, 0.1), {"eyeglasses": 2.0}, snr_db=None)
    assert outcome.reached


def test_several_targets_are_met_at_once() -> None:
    outcome = matcher().edit(face(1.0, 3.0, 1.0, 1.0, 1.0), {"eyeglasses": 0.0, "smiling": 4.0}, snr_db=None)
    assert outcome.degrees_after["eyeglasses"] == pytest.approx(0.0, abs=0.3)
    assert outcome.degrees_after["smiling"] == pytest.approx(4.0, abs=0.3)


def test_a_target_out_of_reach_is_said_and_the_best_is_kept() -> None:
    outcome = matcher(unit=0.1).edit(face(0.5, 0.5, 0.5, 0.5, 0.5), {"age": 5.0}, snr_db=None)
    assert not outcome.reached
    assert "age went to" in outcome.message
    assert outcome.degrees_before["age"] < outcome.degrees_after["age"] < 2.5


@pytest.mark.parametrize("target", [2.0, 2.5, 3.0])
def test_what_comes_nearly_all_at_once_is_met_between_a_look_short_and_one_too_far(target: float) -> None:
    editor = matcher(leak=0.0, bend=all_at_once(3.0))
    outcome = editor.edit(face(0.0, 0.0, 0.0, 0.0, 0.0), {"eyeglasses": target}, snr_db=None)
    assert outcome.degrees_after["eyeglasses"] == pytest.approx(target, abs=0.3)


def test_where_a_face_has_nothing_between_too_much_is_rather_kept_than_too_little() -> None:
    editor = matcher(leak=0.0, bend=all_at_once(1000.0))
    outcome = editor.edit(face(0.0, 0.0, 0.0, 0.0, 0.0), {"eyeglasses": 2.0}, snr_db=None)
    assert outcome.degrees_after["eyeglasses"] == pytest.approx(4.5, abs=0.3)
    assert not outcome.reached
    assert "nothing between" in outcome.message


def test_what_the_link_will_leave_is_counted_in() -> None:
    """Matched through a link that leaves half, a face is sent with more than the wanted degree and arrives with it."""
    w_plus = face(0.0, 0.0, 0.0, 0.0, 0.0)
    before = matcher().edit(w_plus, {"smiling": 2.0}, snr_db=0.0)
    through = matcher(link=PoorLink()).edit(w_plus, {"smiling": 2.0}, snr_db=0.0)
    smile = attribute_names().index("smiling")
    assert through.w_plus[STYLE, smile] > 1.5 * before.w_plus[STYLE, smile]
    received = matcher().edit(0.5 * through.w_plus, {}, snr_db=None).degrees_before
    assert received["smiling"] == pytest.approx(2.0, abs=0.6)
    assert through.degrees_after["smiling"] == pytest.approx(2.0, abs=0.3)


def test_where_nothing_is_asked_a_poor_link_moves_nothing() -> None:
    w_plus = face(1.0, 1.0, 1.0, 1.0, 1.0)
    np.testing.assert_array_equal(matcher(link=PoorLink()).edit(w_plus, {}, snr_db=0.0).w_plus, w_plus)


def test_a_good_link_changes_nothing() -> None:
    w_plus = face(0.0, 0.0, 0.0, 0.0, 0.0)
    near, none = (matcher(link=PoorLink()).edit(w_plus, {"age": 3.0}, snr_db=snr_db) for snr_db in (40.0, None))
    np.testing.assert_allclose(near.w_plus, none.w_plus, atol=0.02)


def test_nothing_to_do_leaves_the_latent_alone() -> None:
    w_plus = face(1.0, 1.0, 1.0, 1.0, 1.0)
    before = w_plus.copy()
    editor = matcher()
    now = editor.edit(w_plus, {}, snr_db=None).degrees_before
    outcome = editor.edit(w_plus, {"smiling": now["smiling"]}, snr_db=None)
    np.testing.assert_array_equal(outcome.w_plus, before)
    np.testing.assert_array_equal(w_plus, before)
