"""The spread of faces along visible coordinates, as held-out ones have it."""

from __future__ import annotations

import numpy as np
import pytest

from shared.codec.perceptual import PerceptualBasis
from tests.codec.conftest import ROTATED, face_like_basis, face_like_perceptual_basis
from training.perceptual_basis import SPREADS, Matrix, spreads, stretched


@pytest.fixture(scope="module")
def fitted() -> PerceptualBasis:
    return face_like_perceptual_basis(face_like_basis())


def faces(basis: PerceptualBasis, variances: Matrix, seed: int) -> Matrix:
    """Rotated coefficients of 4,000 faces with these variances along the coordinates."""
    white = np.random.default_rng(seed).standard_normal((4000, ROTATED)) * np.sqrt(variances)
    coefficients: Matrix = white @ basis.directions.T.astype(np.float64)
    return coefficients


def test_how_far_held_out_faces_spread_is_found(fitted: PerceptualBasis) -> None:
    variances = np.linspace(0.8, 2.0, ROTATED)
    found = spreads(fitted, faces(fitted, variances, 1), faces(fitted, variances, 2))
    np.testing.assert_allclose(found, variances, rtol=0.15)


def test_a_spread_counts_within_bounds_only(fitted: PerceptualBasis) -> None:
    wild = np.full(ROTATED, 100.0)
    assert spreads(fitted, faces(fitted, wild, 3), faces(fitted, wild, 4)).max() == SPREADS[1]


def test_along_stretched_coordinates_those_faces_are_white(fitted: PerceptualBasis) -> None:
    variances = np.where(np.arange(ROTATED) < 10, 0.7, 2.5)
    basis = stretched(fitted, variances)
    white = np.linalg.solve(basis.directions.astype(np.float64), faces(fitted, variances, 5).T)
    np.testing.assert_allclose(np.square(white).mean(1), 1, atol=0.15)
    assert (np.diff(basis.importance) <= 0).all()  # what is seen most comes first again
    assert basis.importance.sum() == pytest.approx(float((fitted.importance * variances).sum()), rel=1e-5)
