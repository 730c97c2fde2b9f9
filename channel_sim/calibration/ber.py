"""Bit error rates of QPSK and 16-QAM against closed forms (Proakis and Salehi, 5th ed., sections 4.3 and 13.3).

With Gray labels and ``q = Q(d)``, d the distance to a decision border over the noise's deviation per real dimension:
QPSK has d^2 = Es/N0; 16-QAM errs with 3/4 Q(d) + 1/2 Q(3d) - 1/4 Q(5d), d^2 = Es/N0 / 5. Over Rayleigh fading
known to the receiver every Q(d) becomes (1 - sqrt(d^2 / (2 + d^2))) / 2.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from channel_sim.awgn import Awgn
from channel_sim.calibration.check import SIGMAS, Check
from channel_sim.calibration.signals import SEED, place
from channel_sim.chain import Chain
from channel_sim.impairments.rayleigh import Rayleigh

Bits = NDArray[np.bool_]


@dataclass(frozen=True)
class Modulation:
    """A square constellation, made of two equal real ones.

    Attributes:
        name: of the constellation.
        bits: per real dimension.
        errors: weights of Q(d), Q(3d), Q(5d) in the bit error rate.
    """

    name: str
    bits: int
    errors: tuple[float, ...]

    @property
    def spacing(self) -> float:
        """Half the distance of neighbouring levels, at mean symbol energy 1."""
        return math.sqrt(1.5 / (4**self.bits - 1))

    def levels(self, bits: Bits) -> NDArray[np.float64]:
        """Gray-labelled levels ``(n,)`` of bits ``(n, bits)``: the first is the sign, the second the inner half."""
        sign = np.where(bits[:, 0], -1.0, 1.0)
        return self.spacing * sign * (1.0 if self.bits == 1 else np.where(bits[:, 1], 1.0, 3.0))

    def decide(self, levels: NDArray[np.floating]) -> Bits:
        """The bits whose levels are nearest."""
        sign = levels < 0
        return np.stack([sign] if self.bits == 1 else [sign, np.abs(levels) < 2 * self.spacing], axis=1)

    def error_rate(self, snr: float, tail: Callable[[float], float]) -> float:
        """By theory at Es/N0 ``snr``, with Q of a squared distance given by ``tail``."""
        # Noise per real dimension has variance 1 / (2 snr).
        nearest = 2 * snr * self.spacing**2
        return sum(weight * tail((2 * i + 1) ** 2 * nearest) for i, weight in enumerate(self.errors))


QPSK = Modulation("QPSK", 1, (1.0,))
QAM16 = Modulation("16-QAM", 2, (0.75, 0.5, -0.25))


def gaussian_tail(squared: float) -> float:
    """Q(d) of d^2."""
    return 0.5 * math.erfc(math.sqrt(squared / 2))


def faded_tail(squared: float) -> float:
    """The mean of Q(d) over Rayleigh fading with mean squared distance ``squared``."""
    return 0.5 * (1 - math.sqrt(squared / (2 + squared)))


def error_rates(frames: int, symbols: int) -> Iterator[Check]:
    """Both constellations in AWGN and in Rayleigh block fading, equalised by the true gain."""
    for modulation, snr_db in ((QPSK, 6.0), (QPSK, 0.0), (QAM16, 12.0), (QAM16, 6.0)):
        for fading in (False, True):
            rates = frame_error_rates(modulation, snr_db, fading, frames, symbols)
            expected = theory(modulation, snr_db, fading)
            # Frames are independent, symbols in one frame are not: the deviation is that between frames.
            tolerance = SIGMAS * float(rates.std(ddof=1)) / math.sqrt(frames)
            name = f"{modulation.name} at {snr_db:g} dB in {'Rayleigh' if fading else 'AWGN'}"
            yield Check("ber", name, float(rates.mean()), expected, tolerance, "")


def theory(modulation: Modulation, snr_db: float, fading: bool) -> float:
    """Bit error rate by closed form, at Es/N0 in dB."""
    return modulation.error_rate(10.0 ** (snr_db / 10.0), faded_tail if fading else gaussian_tail)


def frame_error_rates(
    modulation: Modulation, snr_db: float, fading: bool, frames: int, symbols: int
) -> NDArray[np.float64]:
    """Bit error rate of each frame, shape ``(frames,)``."""
    return np.array([_frame(modulation, snr_db, fading, index, symbols) for index in range(frames)])


def _frame(modulation: Modulation, snr_db: float, fading: bool, index: int, symbols: int) -> float:
    """Bit error rate of one frame."""
    context = place(index + 1)
    generator = np.random.Generator(np.random.Philox(key=SEED, counter=index << 64))
    bits = generator.random((2, symbols, modulation.bits)) < 0.5
    sent = (modulation.levels(bits[0]) + 1j * modulation.levels(bits[1])).astype(np.complex64)
    models = [Rayleigh()] if fading else []
    received = Chain([*models, Awgn(snr_db)]).pass_through(sent, context).samples
    if fading:
        received = received / Rayleigh().apply(np.ones(1, np.complex64), context)
    decided = np.stack([modulation.decide(received.real), modulation.decide(received.imag)])
    return float(np.mean(decided != bits))
