"""The coordinates in which latents are coded: a separable Karhunen-Loève transform with each coefficient's statistics.

A latent w+ is a table of 16 style vectors. Its covariance is close to a Kronecker product (layers x features), so two
small orthonormal matrices do what one of 8192 x 8192 would: ``c = L^T (w+ - mean) F`` with ``L (16, 16)`` over the
layers and ``F (512, 512)`` over the features. The mean square error in ``c`` is the one in ``w+``.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file

from shared.codec.codec import Latent


class CodecBasis(Protocol):
    """Coordinates of latents with statistics, as both ends of a code know them; see `LatentBasis` for the meanings.

    Coefficients are as large as the error they make in the latent, so that variances add up to `total_variance`.
    """

    @property
    def mean(self) -> Latent: ...

    @property
    def deviation(self) -> NDArray[np.float32]: ...

    @property
    def visibility(self) -> NDArray[np.float32]: ...

    @property
    def log_gain_deviation(self) -> NDArray[np.float32]: ...

    @property
    def total_variance(self) -> float: ...

    def analyse(self, w_plus: Latent) -> NDArray[np.float32]: ...

    def synthesise(self, coefficients: NDArray[np.float32]) -> Latent: ...


@dataclass(frozen=True)
class LatentBasis:
    """Transform and statistics of latents, as both ends know them.

    Attributes:
        mean: mean latent, ``(16, 512)``.
        layers: orthonormal columns over the style vectors, ``(16, 16)``.
        features: orthonormal columns over the features, ``(512, 512)``.
        deviation: standard deviation of each coefficient, ``(8192,)``, row-major over (layer mode, feature mode).
        visibility: how much a unit error of each coefficient is seen, ``(8192,)``, mean 1 over the variance; all ones
            for plain mean square error.
        log_gain_deviation: standard deviation over faces of the logarithm of a latent's whitened norm, ``(1,)``.
    """

    mean: Latent
    layers: NDArray[np.float32]
    features: NDArray[np.float32]
    deviation: NDArray[np.float32]
    visibility: NDArray[np.float32]
    log_gain_deviation: NDArray[np.float32]

    @classmethod
    def load(cls, path: Path) -> LatentBasis:
        """Reads a basis written by `save`."""
        return cls(**{name: tensor.astype(np.float32) for name, tensor in load_file(path).items()})

    def save(self, path: Path) -> None:
        """Writes the basis as safetensors."""
        save_file(self.tensors(), path)

    def tensors(self) -> dict[str, NDArray[np.generic]]:
        """What is stored, by attribute; the large matrix in half precision."""
        return {field.name: getattr(self, field.name) for field in fields(self)} | {
            "features": self.features.astype(np.float16)
        }

    @property
    def total_variance(self) -> float:
        """E|w+ - mean|^2, summed over all coefficients."""
        return float(np.square(self.deviation, dtype=np.float64).sum())

    def analyse(self, w_plus: Latent) -> NDArray[np.float32]:
        """``(..., 16, 512)`` -> coefficients ``(..., 8192)``."""
        return self.project(w_plus - self.mean)

    def project(self, steps: Latent) -> NDArray[np.float32]:
        """Differences of latents, or gradients, ``(..., 16, 512)`` -> the same in coefficients, ``(..., 8192)``."""
        coefficients = (self.layers.T @ steps @ self.features).astype(np.float32)
        return coefficients.reshape(*steps.shape[:-2], -1)

    def synthesise(self, coefficients: NDArray[np.float32]) -> Latent:
        """Coefficients ``(8192,)`` -> ``(16, 512)``."""
        table = coefficients.reshape(self.layers.shape[1], self.features.shape[1])
        latent: Latent = (self.mean + self.layers @ table @ self.features.T).astype(np.float32)
        return latent
