"""A channel for tests, drawn apart from the one that ``shared.phy.measure`` draws."""

from __future__ import annotations

import numpy as np

from shared.phy import Samples


def gaussian(count: int, rng: np.random.Generator) -> Samples:
    """Circular complex Gaussian samples of unit variance."""
    return ((rng.standard_normal(count) + 1j * rng.standard_normal(count)) / np.sqrt(2)).astype(np.complex64)


def rayleigh_gain(rng: np.random.Generator) -> complex:
    """One block's gain, E|h|^2 = 1."""
    return complex(gaussian(1, rng)[0])


def cross(samples: Samples, snr_db: float, rng: np.random.Generator, gain: complex = 1.0 + 0.0j) -> Samples:
    """``gain * samples`` plus noise of variance ``10^(-snr_db / 10)`` per complex sample."""
    noise = np.sqrt(10 ** (-snr_db / 10)) * gaussian(samples.size, rng)
    return (gain * samples + noise).astype(np.complex64)
