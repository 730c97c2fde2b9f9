"""The linear analog code of the latent: Karhunen-Loève coefficients, power allocation, minimum mean square error.

It is the best that linear processing can do (Lee and Petersen, "Optimal linear coding for vector channels", IEEE Trans.
Commun. 24(12), 1976), needs no training beyond second-order statistics, and stays as the reference that a learned codec
must beat.

With noise of variance ``N/2`` per real dimension, coefficient ``c_i`` of deviation ``s_i`` is sent with energy ``p_i``
as ``sqrt(p_i) c_i / s_i`` and estimated with error ``s_i^2 / (1 + 2 p_i / N)``. The weighted sum
``sum_i v_i s_i^2 / (1 + 2 p_i / N)`` under ``sum_i p_i = E`` is least at ``p_i = max(0, m s_i sqrt(v_i) - N/2)``,
with ``m`` such that the energy is spent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.codec.basis import CodecBasis
from shared.codec.codec import DecodedLatent, Latent, Symbols
from shared.errors import InvalidInput

MIN_SYMBOLS = 16
MAX_SYMBOLS = 2048

GAIN_SPAN = 1.2
"""Largest |log gain| the gain symbol can tell, at its phase of +-``GAIN_PHASE``."""

GAIN_PHASE = 2.4
"""Phase in radians at the end of the span; short of pi, so that noise seldom turns it round."""


def gain_energy(energy: float, noise_power: float) -> float:
    """Energy of the gain symbol of a payload that has ``energy`` in all, in mean symbol energies.

    A wrong norm spoils every coefficient, so the symbol stands well above the noise: its phase is off by 0.25 rad rms
    at most, unless that would take more than a sixth of a short payload.
    """
    return min(3.0 + 8.0 * noise_power, energy / 6)


@dataclass(frozen=True)
class PowerPlan:
    """Which coefficients are sent, and with how much energy.

    Attributes:
        gain_energy: energy of the gain symbol.
        active: indices of the coefficients sent, strongest first, ``(n,)``.
        energy: their energies, ``(n,)``, in mean symbol energies.
    """

    gain_energy: float
    active: NDArray[np.intp]
    energy: NDArray[np.float64]

    def left(self, noise_power: float) -> NDArray[np.float64]:
        """Share of each sent coefficient's variance that stays unknown at ``noise_power`` (linear), ``(n,)``."""
        return (noise_power / 2) / (self.energy + noise_power / 2)


def allocate_power(
    importance: NDArray[np.float64], slots: int, energy: float, noise_power: float
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Least weighted error over ``slots`` real dimensions: indices of the coefficients sent, and their energies.

    Args:
        importance: ``s_i sqrt(v_i)`` of every coefficient, linear.
        slots: real dimensions there are to use.
        energy: total energy to spend.
        noise_power: complex noise variance ``N``, linear.
    """
    order = np.argsort(-importance, kind="stable")[:slots]
    ranked = importance[order]
    half_noise = noise_power / 2
    water = (energy + half_noise * np.arange(1, len(ranked) + 1)) / np.cumsum(ranked)
    count = int(np.flatnonzero(water * ranked > half_noise).max()) + 1  # the last coefficient still worth its energy
    return order[:count], water[count - 1] * ranked[:count] - half_noise


class LinearCodec:
    """`SemanticCodec` by linear estimation theory. Stateless after construction.

    One symbol of the ``k`` is the gain symbol: a frame is normalised by its own power, so the norm of what was coded
    would be lost; its logarithm travels as the phase of a symbol of fixed energy. The others carry two coefficients
    each, spread over the frame by a unitary DFT so that none stands alone against the noise.

    Args:
        basis: the statistics that both ends know.
        codec_id: the number that stands for this basis in the frame header.
    """

    def __init__(self, basis: CodecBasis, codec_id: int) -> None:
        self.basis = basis
        self.codec_id = codec_id
        deviation = basis.deviation.astype(np.float64)
        self._importance = deviation * np.sqrt(basis.visibility.astype(np.float64))
        #: Coefficients by how much they matter, ``(8192,)``: slot ``i`` carries coefficient ``ranking[i]``.
        self.ranking = np.argsort(-self._importance, kind="stable")

    def plan(self, k: int, design_snr_db: float) -> PowerPlan:
        """The energies that both ends derive from the length of the payload and the SNR in the header.

        Raises:
            InvalidInput: if ``k`` is outside `MIN_SYMBOLS` .. `MAX_SYMBOLS`.
        """
        check_length(k)
        noise_power = 10 ** (-design_snr_db / 10)
        reserved = gain_energy(k, noise_power)
        active, energy = allocate_power(self._importance, 2 * (k - 1), k - reserved, noise_power)
        return PowerPlan(reserved, active, energy)

    def encode(self, w_plus: Latent, k: int, design_snr_db: float) -> Symbols:
        """See `SemanticCodec.encode`."""
        plan = self.plan(k, design_snr_db)
        return modulate(self.fill_slots(self.analyse(w_plus), plan, k), plan.gain_energy)

    def decode(self, symbols: Symbols, design_snr_db: float, noise_power: float) -> DecodedLatent:
        """See `SemanticCodec.decode`."""
        plan = self.plan(len(symbols), design_snr_db)
        slots = demodulate(symbols, plan.gain_energy, noise_power, float(self.basis.log_gain_deviation[0]))
        coefficients, expected_nmse_db = self.estimate(slots, plan, noise_power)
        return DecodedLatent(self.basis.synthesise(coefficients), expected_nmse_db)

    def analyse(self, w_plus: Latent) -> NDArray[np.float64]:
        """Coefficients ``(8192,)`` of a latent.

        Raises:
            InvalidInput: if it is not ``(16, 512)`` finite numbers.
        """
        if w_plus.shape != self.basis.mean.shape or not np.isfinite(w_plus).all():
            raise InvalidInput(f"a latent is {self.basis.mean.shape} finite numbers")
        return self.basis.analyse(w_plus).astype(np.float64)

    def fill_slots(self, coefficients: NDArray[np.float64], plan: PowerPlan, k: int) -> NDArray[np.float64]:
        """The real dimensions ``(2 (k - 1),)`` of the symbols after the gain symbol: each coefficient at its energy."""
        slots = np.zeros(2 * (k - 1))
        slots[: len(plan.active)] = np.sqrt(plan.energy) * coefficients[plan.active] / self._deviation(plan)
        return slots

    def estimate(
        self, slots: NDArray[np.float64], plan: PowerPlan, noise_power: float
    ) -> tuple[NDArray[np.float32], float]:
        """Noisy slots to the coefficients ``(8192,)`` of least mean square error, and that error as NMSE in dB."""
        # Free of the gain: a face of that norm has deviations as many times as large, and so has its error.
        wiener = 1 - plan.left(noise_power)
        deviation = self._deviation(plan)
        coefficients = np.zeros(self.basis.deviation.shape, np.float32)
        coefficients[plan.active] = wiener * slots[: len(plan.active)] * deviation / np.sqrt(plan.energy)
        left = self.basis.total_variance - float((np.square(deviation) * wiener).sum())
        return coefficients, float(10 * np.log10(max(left / self.basis.total_variance, 1e-12)))

    def _deviation(self, plan: PowerPlan) -> NDArray[np.float64]:
        return self.basis.deviation[plan.active].astype(np.float64)


def check_length(k: int) -> None:
    """Raises `InvalidInput` if a payload cannot have ``k`` symbols."""
    if not MIN_SYMBOLS <= k <= MAX_SYMBOLS:
        raise InvalidInput(f"the codec takes {MIN_SYMBOLS} to {MAX_SYMBOLS} symbols, not {k}")


def modulate(slots: NDArray[np.float64], gain_energy: float, energy: float | None = None) -> Symbols:
    """Real dimensions ``(2 (k - 1),)`` to ``(k,)`` symbols, the gain symbol first.

    Args:
        slots: as they are to arrive.
        gain_energy: of the gain symbol.
        energy: of all symbols together; without it their mean power is 1.
    """
    if energy is None:
        energy = len(slots) // 2 + 1
    gain = np.sqrt(max(np.square(slots).sum(), 1e-12) / (energy - gain_energy))
    log_gain = float(np.clip(np.log(gain), -GAIN_SPAN, GAIN_SPAN))
    spread = np.fft.fft(slots[0::2] + 1j * slots[1::2], norm="ortho") / gain
    pilot = np.sqrt(gain_energy) * np.exp(1j * GAIN_PHASE * log_gain / GAIN_SPAN)
    symbols = np.concatenate([[pilot], spread])
    symbols *= np.sqrt(energy / np.square(np.abs(symbols)).sum())  # exact also for the mean face, whose body is empty
    return symbols.astype(np.complex64)


def demodulate(
    symbols: Symbols, gain_energy: float, noise_power: float, log_gain_deviation: float
) -> NDArray[np.float64]:
    """Noisy symbols ``(k,)`` to real dimensions ``(2 (k - 1),)`` as large as they were before `modulate`.

    The norm is told by the gain symbol's phase, shrunk towards 1 as far as the noise and ``log_gain_deviation`` say.
    """
    return read_gain(symbols[0], gain_energy, noise_power, log_gain_deviation) * read_slots(symbols[1:])


def read_slots(body: Symbols) -> NDArray[np.float64]:
    """Noisy symbols ``(n,)`` behind the gain symbol to real dimensions ``(2 n,)``, as small as they were sent."""
    spread = np.fft.ifft(body.astype(np.complex128), norm="ortho")
    slots: NDArray[np.float64] = np.stack([spread.real, spread.imag], -1).reshape(-1)
    return slots


def read_gain(symbol: np.complexfloating, gain_energy: float, noise_power: float, log_gain_deviation: float) -> float:
    """By how much `modulate` divided the slots, as the gain symbol tells; see `demodulate`."""
    slope = GAIN_SPAN / GAIN_PHASE
    measured = float(np.clip(np.angle(symbol) * slope, -GAIN_SPAN, GAIN_SPAN))
    error, prior = noise_power / gain_energy / 2 * slope**2, log_gain_deviation**2
    return float(np.exp(measured * prior / (prior + error)))
