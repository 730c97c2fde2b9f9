"""Visible coordinates that are a style vector's own: what a test of edits can work out by hand."""

from __future__ import annotations

import numpy as np
import torch

from shared.codec.basis import LatentBasis
from shared.codec.codec import Latent
from shared.codec.perceptual import PerceptualBasis
from transmitter.fields import EditDirections
from transmitter.latent_predictor import VISIBLE, LatentPredictor

STYLE = 3
"""The style vector whose entries are the visible coordinates."""


def plain_basis() -> PerceptualBasis:
    """Coordinate ``i`` is entry ``i`` of style vector `STYLE`, of deviation 1; the importances fall."""
    separable = LatentBasis(
        mean=np.zeros((16, 512), np.float32),
        layers=np.eye(16, dtype=np.float32),
        features=np.eye(512, dtype=np.float32),
        deviation=np.ones(16 * 512, np.float32),
        visibility=np.full(16 * 512, 0.01, np.float32),
        log_gain_deviation=np.array([0.2], np.float32),
    )
    return PerceptualBasis(
        separable=separable,
        rotated=(STYLE * 512 + np.arange(VISIBLE)).astype(np.int32),
        directions=np.eye(VISIBLE, dtype=np.float32),
        importance=(4.0 / (1 + np.arange(VISIBLE))).astype(np.float32),
        log_gain_deviation=separable.log_gain_deviation,
    )


def plain_directions(count: int) -> EditDirections:
    """A step along each of the first coordinates."""
    steps = np.zeros((count, 16, 512), np.float32)
    steps[np.arange(count), STYLE, np.arange(count)] = 1.0
    return EditDirections(steps, np.full(count, 9.0, np.float32))


def linear_predictor(slopes: torch.Tensor) -> LatentPredictor:
    """Scores ``slopes @ u``, with ``slopes (A, VISIBLE)``."""
    predictor = LatentPredictor(width=4).eval().requires_grad_(False)
    predictor.linear.weight.copy_(slopes)
    predictor.linear.bias.zero_()
    for part in predictor.network.parameters():
        part.zero_()
    return predictor


def face(*values: float) -> Latent:
    """A face with these first coordinates."""
    w_plus: Latent = np.zeros((16, 512), np.float32)
    w_plus[STYLE, : len(values)] = values
    return w_plus
