"""Channel and SNR from known symbols: ``y = h x + noise`` with ``|x| = 1`` (``docs/conventions.md``).

With ``N`` known symbols the least-squares gain is ``h_hat = mean(conj(x) y)``, and the residual energy
``E = sum |y - h_hat x|^2`` is ``N0`` times a Gamma(N - 1) variable whatever ``h`` was. Hence

* ``N0_hat = E / (N - 1)`` is unbiased;
* ``ln E - digamma(N - 1)`` is unbiased for ``ln N0``, so ``snr_db`` has no bias in dB; its variance in natural
  logarithms is ``trigamma(N - 1)``, against the Cramer-Rao bound ``1 / N``;
* ``ln |h_hat|^2`` has bias ``E1(N |h|^2 / N0)``: below 0.01 dB once ``N`` times the instantaneous SNR exceeds 5,
  so it is left as it is.

``snr_db`` does not move with fading: the noise is measured, against the power 1 that every frame is sent with.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

#: Euler's constant, for the digamma function.
_EULER: Final = 0.577215664901532860606512

#: Squared precision of float32: rounding to complex64 leaves this much error even where a channel adds none.
_ROUNDING_POWER: Final = 2.0**-46


@dataclass(frozen=True)
class LinkEstimate:
    """What a receiver measured on the known symbols of one frame.

    Attributes:
        snr_db: Es/N0 at unit mean channel gain, ``10 log10(1 / N0)``, as a channel's own ``snr_db`` is defined.
        gain_db: ``10 log10 |h|^2`` of this frame.
    """

    snr_db: float
    gain_db: float

    @property
    def snr_db_instantaneous(self) -> float:
        """``10 log10(|h|^2 / N0)``: what this frame's symbols really had."""
        return self.snr_db + self.gain_db


@dataclass(frozen=True)
class ChannelEstimate:
    """Least-squares estimate on ``known_count`` symbols.

    Attributes:
        gain: complex ``h_hat``.
        noise_power: unbiased ``N0_hat`` per complex sample, linear.
        known_count: ``N``.
    """

    gain: complex
    noise_power: float
    known_count: int

    @property
    def link(self) -> LinkEstimate:
        """The same in dB, each value without bias in dB."""
        degrees = self.known_count - 1
        log_noise = math.log(self.noise_power * degrees) - digamma(degrees)
        return LinkEstimate(snr_db=-_decibels(log_noise), gain_db=_decibels(2 * math.log(abs(self.gain))))

    @property
    def equalised_noise_power(self) -> float:
        """Error variance of ``y / h_hat`` per symbol of unit power, ``N0 (1 + 1/N) / |h|^2``: the gain is noisy too."""
        return self.noise_power * (1 + 1 / self.known_count) / abs(self.gain) ** 2


def estimate_channel(received: NDArray[np.complex128], known: NDArray[np.complex128]) -> ChannelEstimate | None:
    """Estimates gain and noise from ``received`` ``(N,)`` where ``known`` ``(N,)`` of unit magnitude was sent, N > 1.

    Returns:
        None if nothing of the known sequence is there (all zeros, or exactly orthogonal): there is no gain to tell.
    """
    gain = complex(np.vdot(known, received)) / known.size
    power = float(np.mean(np.abs(received) ** 2))
    if abs(gain) ** 2 <= _ROUNDING_POWER * power:
        return None
    residual = float(np.sum(np.abs(received - gain * known) ** 2))
    noise_power = max(residual / (known.size - 1), _ROUNDING_POWER * power)
    return ChannelEstimate(gain=gain, noise_power=noise_power, known_count=known.size)


def digamma(argument: int) -> float:
    """The digamma function at a positive integer, ``H(n - 1) - gamma``."""
    return math.fsum(1 / term for term in range(1, argument)) - _EULER


def _decibels(natural_log: float) -> float:
    return 10 / math.log(10) * natural_log
