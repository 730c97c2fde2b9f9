"""The coordinates in which faces are seen: a rotation of the strongest Karhunen-Loève coefficients.

What is seen of an error ``e`` of the latent is ``e^T M e``, ``M`` being the mean local metric of rendering; latents
have covariance ``C = A A^T``. With ``A^T M A = V diag(l) V^T`` the coordinates ``u = V^T A^{-1} (w+ - mean)`` are
white, and errors in them are seen independently, ``l_i`` each. No linear code of as many numbers leaves less to see.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from shared.codec.basis import LatentBasis
from shared.codec.codec import Latent

_PREFIX = "separable."


@dataclass(frozen=True)
class PerceptualBasis:
    """A `CodecBasis` whose first ``m`` coefficients are the visible ones; the others are the separable transform's.

    Each coefficient is as large as the error it makes in the latent: coefficient ``i`` is ``u_i`` times the length of
    its direction, so that variances add up to the latent's. Errors of different coefficients are orthogonal on average
    over faces, not one by one.

    Attributes:
        separable: the transform below, with the statistics of the coefficients that stay.
        rotated: which of its coefficients are rotated, ``(m,)``.
        directions: columns that lead from white ``u`` back to those coefficients, ``(m, m)``.
        importance: ``l_i``, falling, ``(m,)``: what is seen of a unit error of ``u_i``.
        log_gain_deviation: as in `LatentBasis`, ``(1,)``.
        coordinates: rows that lead from the rotated coefficients of the separable transform to the visible ones,
            ``(m, m)``.
    """

    separable: LatentBasis
    rotated: NDArray[np.int32]
    directions: NDArray[np.float32]
    importance: NDArray[np.float32]
    log_gain_deviation: NDArray[np.float32]
    deviation: NDArray[np.float32] = field(init=False)
    visibility: NDArray[np.float32] = field(init=False)
    coordinates: NDArray[np.float32] = field(init=False)
    _kept: NDArray[np.intp] = field(init=False)

    def __post_init__(self) -> None:
        kept = np.setdiff1d(np.arange(self.separable.deviation.size), self.rotated)
        lengths = np.linalg.norm(self.directions, axis=0)
        inverse = np.linalg.inv(self.directions.astype(np.float64)) * lengths[:, None]
        derived = {
            "deviation": np.concatenate([lengths, self.separable.deviation[kept]]),
            "visibility": np.concatenate([self.importance / np.square(lengths), self.separable.visibility[kept]]),
            "coordinates": inverse.astype(np.float32),
            "_kept": kept,
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)  # derived once, and frozen like the rest

    @classmethod
    def load(cls, path: Path) -> PerceptualBasis:
        """Reads a basis written by `save`."""
        own = load_file(path)
        below = {name.removeprefix(_PREFIX): own[name].astype(np.float32) for name in own if name.startswith(_PREFIX)}
        return cls(
            separable=LatentBasis(**below),
            rotated=own["rotated"],
            directions=own["directions"].astype(np.float32),
            importance=own["importance"],
            log_gain_deviation=own["log_gain_deviation"],
        )

    def save(self, path: Path) -> None:
        """Writes the basis as safetensors, the matrices in half precision."""
        own: dict[str, NDArray[np.generic]] = {
            "rotated": self.rotated,
            "directions": np.ascontiguousarray(self.directions, np.float16),  # safetensors writes memory as it lies
            "importance": self.importance,
            "log_gain_deviation": self.log_gain_deviation,
        }
        save_file(own | {_PREFIX + name: tensor for name, tensor in self.separable.tensors().items()}, path)

    @property
    def mean(self) -> Latent:
        """Mean latent ``(16, 512)``."""
        return self.separable.mean

    @property
    def total_variance(self) -> float:
        """E|w+ - mean|^2, summed over all coefficients."""
        return float(np.square(self.deviation, dtype=np.float64).sum())

    def analyse(self, w_plus: Latent) -> NDArray[np.float32]:
        """``(..., 16, 512)`` -> coefficients ``(..., 8192)``, the visible ones first."""
        flat = self.separable.analyse(w_plus)
        return np.concatenate([flat[..., self.rotated] @ self.coordinates.T, flat[..., self._kept]], -1)

    def synthesise(self, coefficients: NDArray[np.float32]) -> Latent:
        """Coefficients ``(8192,)`` -> ``(16, 512)``."""
        count = len(self.rotated)
        flat = np.empty_like(coefficients)
        flat[self.rotated] = self.directions @ (coefficients[:count] / self.deviation[:count])
        flat[self._kept] = coefficients[count:]
        return self.separable.synthesise(flat)
