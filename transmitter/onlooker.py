"""Reads the attributes' degrees off what a latent shows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from shared.codec.codec import Latent
from shared.degree_predictor import DegreePredictor, DegreeScale
from shared.graph import Graph
from shared.prior.face_prior import FacePrior

Vector = NDArray[np.float64]

SIDE = 128
"""Side in pixels at which a face is looked at."""

REMEMBERED = 8
"""Faces whose reading is remembered: an edit mostly begins where the last one ended."""


class LatentReader(nn.Module):
    """Draws latents ``(B, 16, 512)`` at 128 px and reads the predictor's scores ``(B, A)`` off the pictures."""

    def __init__(self, prior: FacePrior, predictor: DegreePredictor) -> None:
        super().__init__()
        self._prior, self._predictor = prior, predictor

    def forward(self, w_plus: Tensor) -> Tensor:
        """Draw and read."""
        return self._predictor.scores(self._prior.synthesis(w_plus, SIDE).clamp(-1, 1))


class Onlooker:
    """Scores ``(A,)`` of a face ``(16, 512)``, in units of about a degree, and which degrees ``(A,)`` they are.

    Args:
        read: latents ``(1, 16, 512)`` to the predictor's scores ``(1, A)``.
        scale: the degrees of scores.
    """

    def __init__(self, read: Callable[[NDArray[np.float32]], NDArray[np.float32]], scale: DegreeScale) -> None:
        self._read, self._scale = read, scale
        self._unit: NDArray[np.float32] = scale.unit.numpy()
        self._readings: OrderedDict[bytes, Vector] = OrderedDict()

    @classmethod
    def of(cls, prior: FacePrior, predictor: DegreePredictor, threads: int = 0) -> Onlooker:
        """One that looks with a `Graph` of both networks, made ready here: the first edit should not wait for it."""
        example = torch.zeros(1, prior.num_styles, prior.w_dim)
        graph = Graph("degrees", LatentReader(prior, predictor), example, threads=threads)
        graph(example.numpy())
        return cls(graph, predictor.scale)

    def scores(self, w_plus: Latent) -> Vector:
        """What the face scores."""
        key = w_plus.tobytes()
        if key not in self._readings:
            self._readings[key] = self._read(w_plus[None])[0].astype(np.float64) / self._unit
            if len(self._readings) > REMEMBERED:
                self._readings.popitem(last=False)
        return self._readings[key]

    def degrees(self, scores: Vector) -> Vector:
        """Scores -> degrees 0..5."""
        units = torch.from_numpy((scores * self._unit).astype(np.float32))[None]
        degrees: Vector = self._scale(units)[0].numpy().astype(np.float64)
        return degrees

    def scores_of(self, degrees: Vector) -> Vector:
        """Degrees 0..5 -> the scores at which they are met."""
        scores = self._scale.inverse(torch.from_numpy(degrees.astype(np.float32))[None])[0].numpy()
        return (scores / self._unit).astype(np.float64)
