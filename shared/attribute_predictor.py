"""The seam that reads the attributes' degrees off a face."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.attributes import attribute_names


class AttributePredictor(Protocol):
    """Judges aligned faces; synchronous, meant for a worker thread."""

    def degrees(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Degrees 0..5 of every attribute, shape ``(B, n_attributes)`` in registry order.

        Args:
            images: aligned RGB faces of any one size, shape ``(B, S, S, 3)``.
        """
        ...


def degrees_of(predictor: AttributePredictor, image: NDArray[np.uint8]) -> dict[str, float]:
    """The degrees of one face ``(S, S, 3)`` by attribute name, rounded to a thousandth: more would be noise."""
    row = predictor.degrees(image[None])[0]
    return {name: round(float(degree), 3) for name, degree in zip(attribute_names(), row, strict=True)}
