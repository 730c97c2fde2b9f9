import numpy as np
import pytest
from numpy.typing import NDArray

from shared.errors import WeightsMissing
from shared.models.catalogue import model_path
from shared.perceptual.face_metrics import FaceMetrics


@pytest.fixture(scope="module")
def metrics() -> FaceMetrics:
    try:
        model_path("lpips")
        model_path("sface")
    except WeightsMissing as error:
        pytest.skip(error.message)
    return FaceMetrics()


def test_lpips_compares_at_one_resolution(metrics: FaceMetrics, astronaut: NDArray[np.uint8]) -> None:
    mirrored = astronaut[:, ::-1]
    doubled = [picture.repeat(2, axis=0).repeat(2, axis=1) for picture in (astronaut, mirrored)]
    assert metrics.lpips(astronaut, astronaut) == pytest.approx(0, abs=1e-6)
    assert metrics.lpips(doubled[0], doubled[1]) == pytest.approx(metrics.lpips(astronaut, mirrored), abs=0.05)
    with pytest.raises(ValueError, match="uint8"):
        metrics.lpips(astronaut[:100], astronaut)


def test_identity_survives_the_mirror_but_not_a_stranger(metrics: FaceMetrics, astronaut: NDArray[np.uint8]) -> None:
    assert metrics.identity_cosine(astronaut, np.ascontiguousarray(astronaut[:, ::-1])) > 0.8
    assert metrics.identity_cosine(astronaut, np.ascontiguousarray(astronaut[::-1])) < 0.5
