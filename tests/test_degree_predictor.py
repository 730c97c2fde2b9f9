import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.attributes import attribute_names
from shared.degree_predictor import DegreePredictor, DegreeScale

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


def test_pictures_of_any_side_give_degrees_in_range() -> None:
    torch.manual_seed(0)
    predictor = DegreePredictor(width=4).eval()
    for side in (64, 128, 300):
        pictures = np.random.default_rng(side).integers(0, 256, (2, side, side, 3), dtype=np.uint8)
        degrees = predictor.degrees(pictures)
        assert degrees.shape == (2, ATTRIBUTES)
        assert ((degrees >= 0) & (degrees <= 5)).all()
