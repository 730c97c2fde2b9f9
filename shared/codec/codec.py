"""The seam of every code that turns a latent into channel symbols and back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Latent = NDArray[np.float32]
"""A style latent w+ of shape ``(16, 512)``."""

Symbols = NDArray[np.complex64]
"""Complex baseband symbols of shape ``(k,)``."""


@dataclass(frozen=True)
class DecodedLatent:
    """What a decoder could tell from noisy symbols.

    Attributes:
        w_plus: the latent, shape ``(16, 512)``.
        expected_nmse_db: the decoder's own estimate of its error, ``10 log10(E|w - w_hat|^2 / E|w - mean|^2)``.
    """

    w_plus: Latent
    expected_nmse_db: float


class SemanticCodec(Protocol):
    """Codes a latent into any number of complex symbols, and decodes what is left of them after the channel.

    Both ends know the codec and nothing else of each other: ``design_snr_db`` crosses in the frame's header, the number
    of symbols is the frame's length, and the noise power is the receiver's own estimate.
    """

    #: Number carried in the header, so that a receiver never decodes with the wrong codec.
    codec_id: int

    def encode(self, w_plus: Latent, k: int, design_snr_db: float) -> Symbols:
        """Codes ``w_plus`` of shape ``(16, 512)`` into ``(k,)`` symbols of mean power exactly 1.

        Raises:
            InvalidInput: if the latent is not finite or ``k`` is outside the codec's range.
        """
        ...

    def decode(self, symbols: Symbols, design_snr_db: float, noise_power: float) -> DecodedLatent:
        """Decodes equalised symbols ``(k,)`` whose noise has variance ``noise_power`` per complex symbol, linear."""
        ...
