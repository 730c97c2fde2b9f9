"""The pulled networks and two faces, once per test session."""

import numpy as np
import pytest
import skimage.data
from numpy.typing import NDArray

from shared.errors import WeightsMissing
from shared.models.catalogue import model_path
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.perceptual.sface import SFace
from shared.prior.face_prior import broadcast_w
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import resize, to_pictures

#: The FFHQ square in the astronaut's picture: left, top, side.
ASTRONAUT_SQUARE = (143, 31, 172)


def _need(*names: str) -> None:
    try:
        for name in names:
            model_path(name)
    except WeightsMissing as error:
        pytest.skip(error.message)


@pytest.fixture(scope="session")
def lpips() -> Lpips:
    _need("lpips")
    return Lpips.load()


@pytest.fixture(scope="session")
def identity() -> MobileFaceNet:
    _need("mobilefacenet")
    return MobileFaceNet.load()


@pytest.fixture(scope="session")
def judge() -> SFace:
    _need("sface")
    return SFace.load()


@pytest.fixture(scope="session")
def astronaut() -> NDArray[np.uint8]:
    """A real face in FFHQ framing, (172, 172, 3)."""
    left, top, side = ASTRONAUT_SQUARE
    return np.ascontiguousarray(skimage.data.astronaut()[top : top + side, left : left + side])


@pytest.fixture(scope="session")
def stranger() -> NDArray[np.uint8]:
    """The prior's mean face, (256, 256, 3)."""
    _need("prior")
    prior = MobileStyleGan.load()
    return np.asarray(to_pictures(resize(prior.synthesis(broadcast_w(prior.mean_w[None])), 256))[0])
