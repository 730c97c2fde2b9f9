from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from evaluation.sweep import sample_latents
from shared.attributes import attribute_names
from shared.codec.perceptual import PerceptualBasis
from shared.prior.mobile_stylegan import MobileStyleGan
from tests.codec.conftest import face_like_basis
from tests.transmitter.visible import face, plain_basis, plain_directions
from transmitter.fields import EditDirections, SemanticFields, Vector, cheapest_move
from transmitter.latent_predictor import VISIBLE, LatentPredictor, VisibleSpace
from transmitter.models import load_fields, load_predictor
from transmitter.onlooker import Onlooker

ATTRIBUTES = len(attribute_names())


def bent_predictor(seed: int = 1) -> LatentPredictor:
    torch.manual_seed(seed)
    predictor = LatentPredictor(width=16)
    torch.nn.init.normal_(predictor.linear.weight, std=0.3)
    return predictor.eval().requires_grad_(False)


class Brink(LatentPredictor):
    """The first attribute is there from a brink on, like glasses; the others never move."""

    def forward(self, u: torch.Tensor) -> torch.Tensor:
        there = 4 * torch.sigmoid(6 * (u[:, :1] - 4)) - 1
        return torch.cat([there, torch.zeros(len(u), ATTRIBUTES - 1)], 1)


def flat(slopes: Vector, start: Vector) -> tuple[Vector, Vector]:
    return start, slopes


def match(slopes: Vector, asked: Vector, weights: Vector | None = None, reach: float = 20.0) -> Vector:
    weights = np.ones(len(asked)) if weights is None else weights
    return cheapest_move(lambda move: (slopes @ move, slopes), asked, weights, slopes.shape[1], reach)


def test_the_asked_scores_are_met_by_the_shortest_move() -> None:
    slopes = np.array([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]])
    asked = np.array([2.0, 0.0])
    move = match(slopes, asked)
    np.testing.assert_allclose(slopes @ move, asked, atol=0.1)
    assert np.linalg.norm(move) <= np.linalg.norm(np.linalg.pinv(slopes) @ asked)


def test_what_matters_less_gives_way() -> None:
    slopes = np.array([[1.0, 0.1], [1.0, 0.0]])  # hardly to be told apart
    asked = np.array([2.0, 0.0])
    strict, loose = (slopes @ match(slopes, asked, np.array([1.0, kept])) for kept in (1.0, 0.01))
    assert abs(loose[0] - 2) < abs(strict[0] - 2)
    assert abs(loose[1]) > abs(strict[1])


def test_a_move_is_never_longer_than_its_reach() -> None:
    move = match(np.eye(2) * 0.1, np.array([5.0, 0.0]), reach=3.0)
    assert np.linalg.norm(move) == pytest.approx(3.0, abs=0.01)


def test_bent_fields_are_followed() -> None:
    def fields(move: Vector) -> tuple[Vector, Vector]:
        return np.array([np.sinh(move[0])]), np.array([[np.cosh(move[0])]])

    move = cheapest_move(fields, np.array([4.0]), np.ones(1), 1, 9.0)
    assert np.sinh(move[0]) == pytest.approx(4.0, abs=0.1)


def test_steps_and_coordinates_are_one_to_one() -> None:
    space = VisibleSpace(plain_basis())
    du = np.random.default_rng(1).standard_normal(VISIBLE)
    w_plus = np.random.default_rng(2).standard_normal((16, 512)).astype(np.float32)
    step = space.step(du)
    np.testing.assert_allclose(space.analyse(w_plus + step) - space.analyse(w_plus), du, atol=1e-4)
    np.testing.assert_allclose(space.direction(step), du, atol=1e-4)


def test_a_gradient_says_the_same_in_the_coordinates() -> None:
    basis = skewed_basis()
    space = VisibleSpace(basis)
    gradient = np.random.default_rng(3).standard_normal((16, 512)).astype(np.float32)
    du = np.random.default_rng(4).standard_normal(VISIBLE)
    assert space.gradient(gradient) @ du == pytest.approx(float((gradient * space.step(du)).sum()), rel=1e-3)


def skewed_basis() -> PerceptualBasis:
    """Coordinates that are mixtures of coefficients, as the real ones are."""
    separable = face_like_basis()
    rotated = np.argsort(-separable.deviation, kind="stable")[:VISIBLE]
    mixing = np.random.default_rng(6).standard_normal((VISIBLE, VISIBLE)) / VISIBLE**0.5
    return PerceptualBasis(
        separable=separable,
        rotated=rotated.astype(np.int32),
        directions=(separable.deviation[rotated][:, None] * (np.eye(VISIBLE) + 0.2 * mixing)).astype(np.float32),
        importance=(8.0 / (1 + np.arange(VISIBLE)) ** 1.4).astype(np.float32),
        log_gain_deviation=separable.log_gain_deviation,
    )


def test_slopes_are_how_scores_move() -> None:
    predictor, u, step = bent_predictor(), torch.randn(2, VISIBLE), torch.randn(VISIBLE) * 1e-2
    scores, slopes = predictor.slopes(u)
    torch.testing.assert_close(predictor(u + step) - scores, slopes @ step, atol=2e-3, rtol=0.02)


def test_a_predictor_comes_back_from_its_file(tmp_path: Path) -> None:
    predictor, u = bent_predictor(), torch.randn(3, VISIBLE)
    predictor.save(tmp_path / "predictor.safetensors")
    torch.testing.assert_close(
        LatentPredictor.load(tmp_path / "predictor.safetensors")(u), predictor(u), atol=0.02, rtol=0
    )


def test_directions_come_back_from_their_file(tmp_path: Path) -> None:
    directions = plain_directions(4)
    directions.save(tmp_path / "directions.safetensors")
    again = EditDirections.load(tmp_path / "directions.safetensors")
    np.testing.assert_array_equal(again.steps, directions.steps)
    assert again.reach.dtype == np.float32


def test_fields_are_how_scores_move() -> None:
    fields = SemanticFields(plain_basis(), bent_predictor(), plain_directions(6))
    u = fields.locate(face(1.0, -0.5, 0.3))
    scores, slopes = fields.at(u)
    for direction in range(6):
        move = np.eye(6)[direction] * 1e-2
        moved = fields.at(fields.moved(u, move))[0]
        np.testing.assert_allclose((moved - scores) / 1e-2, slopes[:, direction], atol=0.01)


def test_what_comes_up_all_at_once_is_found_from_where_nothing_says_so() -> None:
    fields = SemanticFields(plain_basis(), Brink(), plain_directions(6))
    u = fields.locate(face())
    assert Brink().slopes(torch.zeros(1, VISIBLE))[1].abs().max() < 1e-8  # where the face is
    asked = fields.at(u)[0] + np.array([2.0, 0, 0, 0, 0])
    move = fields.match(u, asked, np.ones(ATTRIBUTES), reach=10.0)
    assert 3.0 < move[0] < 6.0
    assert np.abs(move[1:]).max() < 0.5


def test_a_moved_latent_is_where_the_fields_say() -> None:
    fields = SemanticFields(plain_basis(), bent_predictor(), plain_directions(6))
    w_plus, move = face(1.0, 2.0), np.array([0.5, -1.0, 0.0, 0.25, 0.0, 2.0])
    u = fields.locate(w_plus)
    np.testing.assert_allclose(fields.locate(fields.move(w_plus, move)), fields.moved(u, move), atol=1e-5)


def test_the_committed_fields_foretell_what_is_seen_of_faces() -> None:
    prior, predictor = MobileStyleGan.load(), load_predictor()
    faces = sample_latents(prior, 24, seed=11)
    fields, onlooker = load_fields(), Onlooker.of(prior, predictor)
    foretold = np.stack([fields.at(fields.locate(face))[0] for face in faces])
    seen = np.stack([onlooker.scores(face) for face in faces])
    for index, name in enumerate(attribute_names()):
        assert np.corrcoef(foretold[:, index], seen[:, index])[0, 1] > 0.6, name
