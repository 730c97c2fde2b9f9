import numpy as np
import pytest

from shared.codec.basis import LatentBasis


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
