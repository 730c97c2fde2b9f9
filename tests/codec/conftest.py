import numpy as np
import pytest

from shared.codec.basis import LatentBasis
from shared.codec.perceptual import PerceptualBasis


@pytest.fixture(scope="session")
def basis() -> LatentBasis:
    return face_like_basis()


def face_like_basis() -> LatentBasis:
    """Statistics like a face prior's: variance falls over features and over layer modes."""
    generator = np.random.default_rng(5)
    layers, _ = np.linalg.qr(generator.standard_normal((16, 16)))
    features, _ = np.linalg.qr(generator.standard_normal((512, 512)))
    deviation = np.outer(0.3 ** np.arange(16), 1.0 / (1 + np.arange(512)) ** 0.7).reshape(-1)
    return LatentBasis(
        mean=generator.standard_normal((16, 512)).astype(np.float32),
        layers=layers.astype(np.float32),
        features=features.astype(np.float32),
        deviation=deviation.astype(np.float32),
        visibility=np.ones(16 * 512, np.float32),
        log_gain_deviation=np.array([0.2], np.float32),
    )


ROTATED = 96


@pytest.fixture(scope="session")
def visible(basis: LatentBasis) -> PerceptualBasis:
    return face_like_perceptual_basis(basis)


def face_like_perceptual_basis(basis: LatentBasis) -> PerceptualBasis:
    """Visible coordinates over the strongest coefficients, which are correlated; few directions matter most."""
    generator = np.random.default_rng(6)
    rotated = np.argsort(-basis.deviation, kind="stable")[:ROTATED]
    mixing, _ = np.linalg.qr(generator.standard_normal((ROTATED, ROTATED)))
    return PerceptualBasis(
        separable=basis,
        rotated=rotated.astype(np.int32),
        directions=(basis.deviation[rotated][:, None] * mixing).astype(np.float32),
        importance=(8.0 / (1 + np.arange(ROTATED)) ** 1.4).astype(np.float32),
        log_gain_deviation=basis.log_gain_deviation,
    )
