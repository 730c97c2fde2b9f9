"""A codec for the fakes: each degree is a phase, repeated over the symbols."""

from __future__ import annotations

import numpy as np

from shared.codec.codec import DecodedLatent, Latent, Symbols
from shared.errors import InvalidInput
from tests.fakes.face import COUNT, latent_of

PHASE_PER_DEGREE = 0.9 * np.pi / 5


class PhaseCodec:
    """Symbol ``i`` carries degree ``i mod 5`` as a phase of unit power; the decoder averages."""

    def __init__(self, codec_id: int = 7) -> None:
        self.codec_id = codec_id

    def encode(self, w_plus: Latent, k: int, design_snr_db: float) -> Symbols:
        """``(16, 512)`` to ``(k,)``."""
        if k < COUNT:
            raise InvalidInput(f"the codec needs {COUNT} symbols")
        if not np.isfinite(design_snr_db):
            raise InvalidInput("the design SNR is not a number")
        degrees = w_plus[0, np.arange(k) % COUNT]
        return np.exp(1j * PHASE_PER_DEGREE * (degrees - 2.5)).astype(np.complex64)

    def decode(self, symbols: Symbols, design_snr_db: float, noise_power: float) -> DecodedLatent:
        """``(k,)`` to ``(16, 512)``."""
        assert np.isfinite(design_snr_db)
        means = [symbols[index::COUNT].mean() for index in range(COUNT)]
        degrees = np.clip(np.angle(means) / PHASE_PER_DEGREE + 2.5, 0, 5)
        return DecodedLatent(latent_of(degrees), float(10 * np.log10(noise_power / len(symbols) + 1e-9)))
