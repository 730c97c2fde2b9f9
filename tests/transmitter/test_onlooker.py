from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from shared.attributes import attribute_names
from shared.codec.codec import Latent
from shared.degree_predictor import DegreeScale
from shared.prior.mobile_stylegan import MobileStyleGan
from transmitter.models import load_predictor
from transmitter.onlooker import REMEMBERED, LatentReader, Onlooker

ATTRIBUTES = len(attribute_names())


def latent(number: float) -> Latent:
    return np.full((16, 512), number, np.float32)


def test_the_graph_reads_what_torch_reads() -> None:
    prior, predictor = MobileStyleGan.load(), load_predictor()
    z = torch.randn(2, 512, generator=torch.Generator().manual_seed(3))
    faces = prior.mapping(z)[:, None].repeat(1, 16, 1)
    onlooker = Onlooker.of(prior, predictor)
    for face in faces:
        with torch.inference_mode():
            expected = (LatentReader(prior, predictor)(face[None])[0] / predictor.scale.unit).numpy()
        np.testing.assert_allclose(onlooker.scores(face.numpy()), expected, atol=1e-3)


def test_a_face_is_looked_at_once_until_many_others_were() -> None:
    looked = []

    def read(latents: NDArray[np.float32]) -> NDArray[np.float32]:
        looked.append(float(latents[0, 0, 0]))
        return latents[:, 0, :ATTRIBUTES]

    knots = torch.arange(6.0).repeat(ATTRIBUTES, 1)
    onlooker = Onlooker(read, DegreeScale(knots))
    for number in (1.0, 2.0, 1.0, 2.0):
        assert onlooker.scores(latent(number))[0] == number
    assert looked == [1.0, 2.0]
    for number in range(3, 3 + REMEMBERED):
        onlooker.scores(latent(number))
    looked.clear()
    onlooker.scores(latent(1.0))
    assert looked == [1.0]


def test_degrees_and_scores_are_two_ways_to_say_the_same() -> None:
    knots = torch.tensor([0.0, 1.0, 3.0, 4.0, 6.0, 8.0]).repeat(ATTRIBUTES, 1)
    onlooker = Onlooker(lambda latents: latents[:, 0, :ATTRIBUTES], DegreeScale(knots))
    degrees = np.linspace(0.5, 4.5, ATTRIBUTES)
    np.testing.assert_allclose(onlooker.degrees(onlooker.scores_of(degrees)), degrees, atol=1e-5)
