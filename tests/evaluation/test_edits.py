"""Edits over the link, judged from outside: what counts as met, as drift, as lost."""

from __future__ import annotations

import numpy as np
import pytest

from evaluation.edits import SIDE, THUMBNAIL, Link, Parts, Trial, contact_sheet, summary, trials_of
from shared.attributes import attribute_names
from shared.codec.codec import Latent
from shared.pictures import Picture
from tests.fakes.codec import PhaseCodec
from tests.fakes.face import FakeBackend, FakePredictor, latent_of
from tests.fakes.semantics import FakeEditor

GOOD, HOPELESS = Link(30.0, 200, 1), Link(-20.0, 200, 1)


def render(w_plus: Latent) -> Picture:
    return FakeBackend().render(w_plus[None], SIDE)[0]


def parts(reach: float = 5.0, judge: FakePredictor | None = None) -> Parts:
    return Parts(render, FakePredictor(), FakeEditor(reach), PhaseCodec(), judge or FakePredictor(), lambda *_: 0.9)


def test_a_face_is_sent_as_it_is_and_then_changed_in_every_way_it_has_room_for() -> None:
    trials = list(trials_of(0, latent_of([2.5, 2.5, 2.5, 0.0, 5.0]), parts(), GOOD))
    asked = [(trial.attribute, trial.way) for trial in trials]
    first, second, third, smiling, age = attribute_names()
    both = [(name, way) for name in (first, second, third) for way in ("up", "down")]
    assert asked == [(None, None), *both, (smiling, "up"), (age, "down")]


def test_targets_that_arrive_are_met_and_nothing_else_moves() -> None:
    trials = list(trials_of(0, latent_of([2.5] * 5), parts(), GOOD))
    assert all(trial.met for trial in trials[1:])
    for trial in trials[1:]:
        assert trial.moved == pytest.approx(2.0, abs=0.2)
        assert trial.drift < 0.2
        assert trial.identity_cosine == 0.9


def test_an_edit_that_stops_short_is_not_met() -> None:
    ups = [trial for trial in trials_of(0, latent_of([1.5] * 5), parts(reach=2.0), GOOD) if trial.way == "up"]
    assert len(ups) == 5
    assert not any(trial.met for trial in ups)


def test_the_judge_and_not_the_links_own_predictor_decides() -> None:
    class Blind(FakePredictor):
        def degrees(self, images):
            return np.zeros_like(super().degrees(images))

    trials = list(trials_of(0, latent_of([2.5] * 5), parts(judge=Blind()), GOOD))
    ups = [trial for trial in trials if trial.way == "up"]
    assert [trial.target for trial in ups] == pytest.approx([4.5] * 5, abs=0.05)
    assert not any(trial.met for trial in ups)


def test_what_is_lost_is_not_met_and_nobody() -> None:
    trials = list(trials_of(0, latent_of([2.5] * 5), parts(), HOPELESS))
    assert all(trial.erased and not trial.met and trial.identity_cosine == 0 for trial in trials)
    (everything,) = (row for row in summary(trials) if row.edit == "all edits")
    assert (everything.trials, everything.erased, everything.target_met) == (10, 10, 0.0)
    assert np.isnan(everything.drift)


def test_the_summary_counts_by_attribute_and_way_and_sets_unedited_faces_apart() -> None:
    trials = [trial for face in range(2) for trial in trials_of(face, latent_of([2.5] * 5), parts(), GOOD)]
    rows = {row.edit: row for row in summary(trials)}
    assert rows["all edits"].trials == 20
    assert rows["smiling up"].trials == rows["no edit"].trials == 2
    assert rows["all edits"].target_met == 1.0
    assert np.isnan(rows["no edit"].target_met)


def test_the_contact_sheet_has_a_row_per_face_and_grey_where_nothing_arrived() -> None:
    white = np.full((SIDE, SIDE, 3), 255, np.uint8)
    nothing = float("nan")
    trials = [
        Trial(3, None, None, nothing, False, nothing, nothing, 0.0, 1.0, white),
        Trial(7, attribute_names()[0], "down", 1.0, True, nothing, nothing, nothing, 0.0, None),
    ]
    sheet = contact_sheet(trials)
    assert sheet.shape == (2 * THUMBNAIL, 11 * THUMBNAIL, 3)
    assert (sheet[:THUMBNAIL, :THUMBNAIL] == 255).all()
    assert (sheet[THUMBNAIL:] == 225).all()
