"""Degree predictors whose frozen networks need no weights."""

from __future__ import annotations

import torch

from shared.degree_predictor import DegreePredictor, FeatureHead, PixelReader
from shared.perceptual.face_features import FeatureReader
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet


def random_eyes(seed: int = 0) -> FeatureReader:
    """Frozen networks that were never trained; the same for the same seed."""
    torch.manual_seed(seed)
    return FeatureReader(Lpips().eval().requires_grad_(False), MobileFaceNet().eval().requires_grad_(False))


def small_predictor(seed: int = 0) -> DegreePredictor:
    """Readers of a few channels, never trained."""
    return DegreePredictor(random_eyes(seed), PixelReader(4), FeatureHead(4, 4)).eval()
