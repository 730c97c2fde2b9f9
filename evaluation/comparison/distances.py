"""FID and KID of every operating point: the faces received there, all together, against the intended ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from evaluation.comparison.faces import Face, key_of
from evaluation.comparison.harness import Place, Row, grouped, place_of
from evaluation.inception import FEATURES, Features, Inception, fid, kid
from evaluation.source_codec import Picture
from shared.errors import WeightsMissing

LEAST_FACES = 50
"""Below so many faces neither is given: they say too little of 2048 features, and FID's bias is large."""


@dataclass(frozen=True)
class Distances:
    """FID and KID by operating point.

    Attributes:
        at: the two values.
        missing: why there are none, in a sentence; empty where there are.
    """

    at: Mapping[Place, tuple[float, float]] = field(default_factory=dict)
    missing: str = ""


class FeatureShelf:
    """Features of pictures, each computed once and kept on disk: the network takes half a second for one.

    Args:
        inception: the network.
        folder: where they are kept.
    """

    def __init__(self, inception: Inception, folder: Path) -> None:
        self._inception, self._folder = inception, folder

    def of(self, pictures: list[Picture]) -> Features:
        """``(S, S, 3)`` each -> ``(N, 2048)``."""
        return np.stack([self._one(picture) for picture in pictures])

    def _one(self, picture: Picture) -> Features:
        path = self._folder / f"inception_{key_of(picture)}.npy"
        if not path.exists():
            np.save(path, self._inception.features(picture[None])[0])
        features: Features = np.load(path)
        assert features.shape == (FEATURES,)
        return features


def measure(
    rows: list[Row],
    faces: list[Face],
    received: Callable[[Row], Picture],
    cache: Path,
    load: Callable[[], Inception] = Inception.load,
) -> Distances:
    """FID and KID of every operating point, if there are faces enough and the network was pulled.

    Args:
        rows: all of them, a row for each face at each point.
        faces: whose intended pictures are the reference.
        received: the picture of a row.
        cache: folder for features.
        load: gives the network.
    """
    if len(faces) < LEAST_FACES:
        return Distances(missing=f"FID and KID need {LEAST_FACES} faces or more; here are {len(faces)}.")
    try:
        shelf = FeatureShelf(load(), cache)
    except WeightsMissing as error:
        return Distances(missing=f"FID and KID are not given: {error.message}.")
    reference = shelf.of([face.intended for face in faces])
    at = {}
    for first, group in grouped(rows):
        shown = shelf.of([received(row) for row in group])
        at[place_of(first)] = round(fid(shown, reference), 2), round(kid(shown, reference, paired=True), 6)
    return Distances(at)
