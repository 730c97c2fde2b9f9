"""What frozen networks see in a face: maps of the two that the inversion's loss looks through too.

They know faces and pictures already, so little is left to learn; and where the encoder looks again at its own
rendering, the loss has its maps at hand.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from shared.perceptual.crop import recognition_crop
from shared.perceptual.lpips import Lpips
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.tensors import resize

SIDE = 128
"""Side in pixels of the faces that are read; others are resized to it."""

EARLY, LATE, WHOLE = 256, 1152, 1280
THUMBNAIL = 16


class FaceFeatures(NamedTuple):
    """Features of a batch of faces.

    Attributes:
        early: edges and textures where they are, ``(B, 256, 8, 8)``.
        late: parts of faces where they are, ``(B, 1152, 7, 7)``.
        whole: identity embedding and a thumbnail of 16 px, ``(B, 1280)``.
    """

    early: Tensor
    late: Tensor
    whole: Tensor

    def detach(self) -> FaceFeatures:
        """The same numbers without their history."""
        return FaceFeatures(*(part.detach() for part in self))

    def expand(self, batch: int) -> FaceFeatures:
        """The features of one face for ``batch`` of them."""
        return FaceFeatures(*(part.expand(batch, *part.shape[1:]) for part in self))


class FeatureReader:
    """Faces to features; differentiable, and nothing in it is trained.

    Args:
        lpips: perceptual network; its five maps of unit length are scaled to unit power.
        identity: face-recognition network; it sees the inner face.
    """

    def __init__(self, lpips: Lpips, identity: MobileFaceNet) -> None:
        self._lpips, self._identity = lpips, identity

    def __call__(self, faces: Tensor) -> FaceFeatures:
        """Faces ``(B, 3, S, S)`` in [-1, 1] -> their features."""
        faces = resize(faces, SIDE)
        first, second, *deep = (part * part.shape[1] ** 0.5 for part in self._lpips.features(faces))
        middle, last, embedding = self._identity.maps(recognition_crop(faces))
        early = torch.cat([functional.adaptive_avg_pool2d(part, 8) for part in (first, second)], 1)
        late = torch.cat([*deep, functional.avg_pool2d(middle, 2), last], 1)
        thumbnail = resize(faces, THUMBNAIL).flatten(1)
        return FaceFeatures(early, late, torch.cat([embedding * embedding.shape[1] ** 0.5, thumbnail], 1))
