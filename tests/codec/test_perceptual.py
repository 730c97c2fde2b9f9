from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from shared.codec.basis import CodecBasis, LatentBasis
from shared.codec.linear import LinearCodec
from shared.codec.perceptual import PerceptualBasis
from tests.codec.channel import add_noise


def draw_coefficients(basis: CodecBasis, seed: int, faces: int = 1) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return (basis.deviation * generator.standard_normal((faces, len(basis.deviation)))).astype(np.float32)


def test_coefficients_and_latents_are_one_to_one(visible: PerceptualBasis) -> None:
    coefficients = draw_coefficients(visible, 1)[0]
    again = visible.analyse(visible.synthesise(coefficients))
    np.testing.assert_allclose(again, coefficients, atol=2e-3 * visible.deviation.max())


def test_many_latents_are_analysed_as_one_is(visible: PerceptualBasis) -> None:
    faces = np.stack([visible.synthesise(coefficients) for coefficients in draw_coefficients(visible, 2, 3)])
    np.testing.assert_allclose(visible.analyse(faces)[1], visible.analyse(faces[1]), atol=1e-4)


def test_variances_add_up_to_those_of_the_latent(visible: PerceptualBasis) -> None:
    faces = [visible.synthesise(coefficients) - visible.mean for coefficients in draw_coefficients(visible, 3, 300)]
    measured = np.square(np.stack(faces)).sum((1, 2)).mean()
    assert measured == pytest.approx(visible.total_variance, rel=0.15)


def test_a_unit_error_of_a_white_coordinate_is_seen_as_much_as_it_says(visible: PerceptualBasis) -> None:
    white = np.square(visible.deviation) * visible.visibility
    np.testing.assert_allclose(white[: len(visible.importance)], visible.importance, rtol=1e-5)


def test_what_is_seen_most_is_sent_first(basis: LatentBasis, visible: PerceptualBasis) -> None:
    """The same faces and noise: the visible error, in the basis that knows it, is smaller with that basis."""
    importance = visible.importance.astype(np.float64)

    def seen_error(codec_basis: CodecBasis) -> float:
        codec = LinearCodec(codec_basis, 0)
        total = 0.0
        for seed, coefficients in enumerate(draw_coefficients(visible, 4, 20)):
            face = visible.synthesise(coefficients)
            noisy, noise_power = add_noise(codec.encode(face, 64, 6.0), 6.0, seed)
            error = visible.analyse(codec.decode(noisy, 6.0, noise_power).w_plus) - visible.analyse(face)
            white = (error / visible.deviation)[: len(importance)]
            total += float((importance * np.square(white)).sum())
        return total

    assert seen_error(visible) < 0.8 * seen_error(basis)


@pytest.mark.parametrize("order", ["C", "F"])
def test_a_basis_comes_back_from_its_file(visible: PerceptualBasis, tmp_path: Path, order: Literal["C", "F"]) -> None:
    laid = replace(visible, directions=np.asarray(visible.directions, order=order))
    laid.save(tmp_path / "basis.safetensors")
    again = PerceptualBasis.load(tmp_path / "basis.safetensors")
    np.testing.assert_allclose(again.directions, visible.directions, atol=1e-3)
    np.testing.assert_array_equal(again.rotated, visible.rotated)
    np.testing.assert_allclose(again.visibility, visible.visibility, rtol=1e-2)
    np.testing.assert_array_equal(again.separable.mean, visible.separable.mean)
