"""FID and KID on sets whose distance is known, and the network that they are taken over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import skimage.data
import torch

from evaluation.inception import FEATURES, SIDE, Inception, _enlarged, fid, kid
from shared.errors import WeightsCorrupt, WeightsMissing


def gaussian(seed: int, count: int, mean: float = 0.0, deviation: float = 1.0, width: int = 4) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, deviation, (count, width))


def test_fid_of_gaussians_is_its_formula() -> None:
    # In each of 4 dimensions: (m1 - m2)^2 + (s1 - s2)^2.
    assert fid(gaussian(1, 50_000, 0, 1), gaussian(2, 50_000, 3, 2)) == pytest.approx(4 * (9 + 1), rel=0.01)
    assert fid(gaussian(1, 50_000), gaussian(2, 50_000)) == pytest.approx(0, abs=0.001)


def test_fid_of_correlated_sets_is_that_of_the_matrix_root() -> None:
    scipy_linalg = pytest.importorskip("scipy.linalg")
    x, y = gaussian(3, 60) @ gaussian(4, 4), gaussian(5, 80, 1) @ gaussian(6, 4)
    covariances = [np.cov(rows, rowvar=False) for rows in (x, y)]
    root = scipy_linalg.sqrtm(covariances[0] @ covariances[1]).real
    expected = np.square(x.mean(0) - y.mean(0)).sum() + np.trace(covariances[0] + covariances[1] - 2 * root)
    assert fid(x, y) == pytest.approx(expected, rel=1e-9)


def test_kid_is_its_sum_over_pairs() -> None:
    x, y = gaussian(7, 5), gaussian(8, 6, 1)

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return float((a @ b / 4 + 1) ** 3)

    expected = (
        np.mean([kernel(x[i], x[j]) for i in range(5) for j in range(5) if i != j])
        + np.mean([kernel(y[i], y[j]) for i in range(6) for j in range(6) if i != j])
        - 2 * np.mean([kernel(a, b) for a in x for b in y])
    )
    assert kid(x, y) == pytest.approx(expected)


def test_kid_of_gaussians_has_no_bias() -> None:
    drawn = [kid(gaussian(2 * seed, 50), gaussian(2 * seed + 1, 50)) for seed in range(200)]
    assert np.mean(drawn) == pytest.approx(0, abs=4 * np.std(drawn) / np.sqrt(len(drawn)))
    assert min(drawn) < 0
    assert kid(gaussian(1, 500), gaussian(2, 500, 1)) > 10 * max(drawn)


def test_pairs_that_are_alike_do_not_pull_kid_below_zero() -> None:
    faces = [gaussian(seed, 50) for seed in range(200)]
    noisy = [one + gaussian(1000 + seed, 50, 0, 0.1) for seed, one in enumerate(faces)]
    together = [kid(x / np.sqrt(1.01), y, paired=True) for x, y in zip(noisy, faces, strict=True)]
    assert np.mean(together) == pytest.approx(0, abs=4 * np.std(together) / np.sqrt(len(together)))
    assert np.mean([kid(x, y) for x, y in zip(noisy, faces, strict=True)]) < -10 * np.std(together)
    assert kid(faces[0], faces[0], paired=True) == pytest.approx(0, abs=1e-12)
    with pytest.raises(ValueError, match="as many rows"):
        kid(faces[0], faces[1][:40], paired=True)


def test_both_are_symmetric_and_equal_sets_are_not_apart() -> None:
    x, y = gaussian(9, 30, width=64), gaussian(10, 40, 0.5, width=64)  # fewer rows than dimensions
    assert fid(x, y) == pytest.approx(fid(y, x))
    assert kid(x, y) == pytest.approx(kid(y, x))
    assert fid(x, x) == pytest.approx(0, abs=1e-9)
    assert kid(x, x) <= 0 < kid(x, y)
    assert fid(x, y) > 64 * 0.25 / 2


@pytest.mark.parametrize("measure", [fid, kid])
def test_sets_that_cannot_be_compared_are_refused(measure: object) -> None:
    for x, y in ((gaussian(1, 1), gaussian(1, 9)), (gaussian(1, 9), gaussian(1, 9, width=5)), (np.ones(9), np.ones(9))):
        with pytest.raises(ValueError, match="two rows"):
            measure(x, y)  # type: ignore[operator]


def test_pictures_are_enlarged_from_the_corner_as_in_2015() -> None:
    ramp = torch.arange(128.0).expand(1, 3, 128, 128)
    expected = (torch.arange(SIDE) * 128 / SIDE).clamp(max=127)
    assert torch.allclose(_enlarged(ramp)[0, 0, 5], expected, atol=1e-3)
    assert torch.allclose(_enlarged(ramp.mT)[0, 0, :, 5], expected, atol=1e-3)


def test_missing_and_damaged_networks_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(WeightsMissing, match="models pull --evaluation"):
        Inception.load(tmp_path / "none.pt")
    (tmp_path / "other.pt").write_bytes(b"no network")
    with pytest.raises(WeightsCorrupt, match="models pull --evaluation"):
        Inception.load(tmp_path / "other.pt")


def test_the_pulled_network_gives_2048_features_by_which_noise_is_farther_than_the_mirror() -> None:
    try:
        inception = Inception.load()
    except WeightsMissing as missing:
        pytest.skip(missing.message)
    face = skimage.data.astronaut()[:128, 160:288]
    noise = np.random.default_rng(1).integers(0, 256, face.shape, np.uint8)
    features = inception.features(np.stack([face, face[:, ::-1], noise]))
    assert features.shape == (3, FEATURES)
    assert (features >= 0).all()
    assert np.linalg.norm(features[1] - features[0]) < np.linalg.norm(features[2] - features[0])
    assert inception.features(np.empty((0, 128, 128, 3), np.uint8)).shape == (0, FEATURES)
