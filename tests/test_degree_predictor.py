from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.attributes import attribute_names
from shared.degree_predictor import PIXEL_SHARE, SIDE, DegreePredictor, DegreeScale
from tests.fakes.degrees import random_eyes, small_predictor

ATTRIBUTES = len(attribute_names())
KNOTS = torch.tensor([[-3.0, -1.0, 0.5, 1.0, 2.5, 4.0]]).repeat(ATTRIBUTES, 1)


def test_each_knot_is_its_degree() -> None:
    scale = DegreeScale(KNOTS)
    for degree in range(6):
        assert scale(KNOTS[:, degree][None])[0].tolist() == pytest.approx([degree] * ATTRIBUTES)


def test_scores_beyond_the_knots_stay_within_the_degrees() -> None:
    scale = DegreeScale(KNOTS)
    assert scale(torch.full((1, ATTRIBUTES), -99.0)).max() == 0
    assert scale(torch.full((1, ATTRIBUTES), 99.0)).min() == 5


@settings(deadline=None)
@given(st.lists(st.floats(0, 5), min_size=ATTRIBUTES, max_size=ATTRIBUTES))
def test_inverse_finds_the_score_of_a_degree(degrees: list[float]) -> None:
    scale = DegreeScale(KNOTS)
    wanted = torch.tensor([degrees])
    torch.testing.assert_close(scale(scale.inverse(wanted)), wanted, atol=1e-4, rtol=0)


@pytest.fixture(scope="module")
def predictor() -> DegreePredictor:
    return small_predictor()


def test_pictures_of_any_side_give_degrees_in_range(predictor: DegreePredictor) -> None:
    for side in (64, 128, 300):
        pictures = np.random.default_rng(side).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
        degrees = predictor.degrees(pictures)
        assert degrees.shape == (2, ATTRIBUTES)
        assert ((degrees >= 0) & (degrees <= 5)).all()


def test_both_readers_have_their_say(predictor: DegreePredictor) -> None:
    faces = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1)) * 2 - 1
    before = predictor.scores(faces)
    with torch.no_grad():
        predictor.pixels.head.bias += 1.0
        one = predictor.scores(faces)
        predictor.features.scores.bias += 1.0
        both = predictor.scores(faces)
    torch.testing.assert_close(one, before + PIXEL_SHARE)
    torch.testing.assert_close(both, before + 1.0)


def test_scores_answer_to_pixels(predictor: DegreePredictor) -> None:
    faces = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(2)).requires_grad_()
    (gradient,) = torch.autograd.grad(predictor.scores(faces).sum(), faces)
    assert gradient.abs().sum() > 0


def test_a_predictor_comes_back_from_its_file(predictor: DegreePredictor, tmp_path: Path) -> None:
    predictor.scale.knots.copy_(KNOTS)
    predictor.save(tmp_path / "degrees.safetensors")
    again = DegreePredictor.load(tmp_path / "degrees.safetensors", random_eyes())
    faces = np.random.default_rng(3).integers(0, 256, (2, SIDE, SIDE, 3), dtype=np.uint8)
    np.testing.assert_allclose(again.degrees(faces), predictor.degrees(faces), atol=0.02)
    torch.testing.assert_close(again.scale.knots, KNOTS)
