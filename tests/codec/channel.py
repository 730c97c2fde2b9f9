"""A channel for codes: noise of known power, nothing else."""

import numpy as np

from shared.codec.codec import Symbols


def add_noise(symbols: Symbols, snr_db: float, seed: int) -> tuple[Symbols, float]:
    """The symbols with noise, and the noise's power."""
    generator = np.random.default_rng(seed)
    noise_power = 10 ** (-snr_db / 10)
    noise = generator.standard_normal(len(symbols)) + 1j * generator.standard_normal(len(symbols))
    return (symbols + np.sqrt(noise_power / 2) * noise).astype(np.complex64), noise_power
