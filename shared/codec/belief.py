"""What a receiver believes of a latent's coefficients, and what a further frame should say about them.

A key frame leaves coefficient ``c_i`` with a Gaussian belief: mean ``m_i`` and variance ``V_i``. A further frame sends
it again with energy ``p_i``, as ``sqrt(p_i) c_i / s_i`` where ``s_i`` is its deviation over faces; the two
observations are combined as a Kalman filter does,

    1 / V_i' = 1 / V_i + 2 p_i / (N s_i^2)

with noise of variance ``N/2`` per real dimension. The weighted error ``sum_i v_i V_i'`` under ``sum_i p_i = E`` is
least at

    p_i = max(0, m s_i sqrt(v_i) - (N/2) s_i^2 / V_i)

which is the rule of the key frame (`shared.codec.linear`) on top of what was sent already: before anything was sent
``V_i = s_i^2``, and two frames at one SNR together are one frame of twice the energy. Nothing of this needs the
receiver's mean, so both ends can follow ``V`` from the lengths of the frames that were decoded, the SNRs that they were
designed for, and those that the receiver reported.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from shared.codec.codec import Latent, Symbols
from shared.codec.folding import gain_error
from shared.codec.linear import PowerPlan, gain_energy, modulate, read_gain, read_slots

LOG_SCALE_DEVIATION = 0.6
"""Deviation over faces of the logarithm of what a refinement's slots are divided by, as of a key frame's."""

BELIEF_WEIGHT = 0.1
"""What the means of a belief count for when they are asked about a scale: faces are not quite as their statistics say,
and means are off by more than their variances (tried: 0.06 to 1, and none)."""

Variances = NDArray[np.float64]
"""One variance per coefficient, ``(C,)``."""


class CoefficientBasis(Protocol):
    """Coordinates of latents and their statistics; see `shared.codec.basis.LatentBasis`."""

    @property
    def deviation(self) -> NDArray[np.float32]:
        """Of each coefficient over faces, ``(C,)``."""
        ...

    @property
    def visibility(self) -> NDArray[np.float32]:
        """How much a unit error of each is seen, ``(C,)``."""
        ...

    def analyse(self, w_plus: Latent) -> NDArray[np.float32]:
        """``(16, 512)`` to ``(C,)``."""
        ...

    def synthesise(self, coefficients: NDArray[np.float32]) -> Latent:
        """``(C,)`` to ``(16, 512)``."""
        ...


@runtime_checkable
class CoefficientCodec(Protocol):
    """A codec whose key frames send coefficients, each with an energy that both ends can work out."""

    @property
    def basis(self) -> CoefficientBasis:
        """The coefficients."""
        ...

    def plan(self, k: int, design_snr_db: float) -> PowerPlan:
        """Which of them a key frame of ``k`` symbols sends, and with how much energy."""
        ...


@dataclass(frozen=True, eq=False)
class Belief:
    """A Gaussian over coefficients, each independent of the others.

    Attributes:
        mean: ``(C,)``.
        variance: ``(C,)``, as the receiver has it: with the noise it measured, and for a face of the norm it saw.
    """

    mean: NDArray[np.float64]
    variance: Variances


@dataclass(frozen=True, eq=False)
class RefinementPlan:
    """Which coefficients a refinement sends, and how strongly.

    Attributes:
        active: their indices, ``(n,)``.
        energy: their energies, ``(n,)``, in mean symbol energies.
        amplitude: ``sqrt(p_i) / s_i``, ``(n,)``.
        gain_energy: energy of the gain symbol.
    """

    active: NDArray[np.intp]
    energy: NDArray[np.float64]
    amplitude: NDArray[np.float64]
    gain_energy: float


def left_by_key(codec: CoefficientCodec, k: int, design_snr_db: float, noise_power: float) -> Variances:
    """Variances that a key frame of ``k`` symbols leaves of a face of usual norm, at ``noise_power`` (linear)."""
    plan = codec.plan(k, design_snr_db)
    variance = np.square(codec.basis.deviation, dtype=np.float64)
    variance[plan.active] *= plan.left(noise_power)
    return variance


def share_told(basis: CoefficientBasis, variance: Variances) -> float:
    """How much of what is seen of a usual face is told, 0..1, where ``variance`` is what is not."""
    seen = basis.visibility.astype(np.float64)
    return float(1 - (seen * variance).sum() / (seen * np.square(basis.deviation, dtype=np.float64)).sum())


def believe(codec: CoefficientCodec, w_plus: Latent, k: int, design_snr_db: float, noise_power: float) -> Belief:
    """What a decoded key frame leaves, ``w_plus`` being the decoder's answer.

    A face of norm ``g`` has deviations ``g`` times as large. The decoder's coefficients tell it: the square of each is
    expected to be ``g^2 (s_i^2 - V_i)``.
    """
    mean = codec.basis.analyse(w_plus).astype(np.float64)
    prior = np.square(codec.basis.deviation, dtype=np.float64)
    variance = left_by_key(codec, k, design_snr_db, noise_power)
    known = (prior - variance) > 0.5 * prior
    norm = float((np.square(mean[known]) / (prior - variance)[known]).mean()) if known.any() else 1.0
    return Belief(mean, variance * norm)


def plan_refinement(
    codec: CoefficientCodec, variance: Variances, k: int, energy: float, noise_power: float
) -> RefinementPlan:
    """Where ``energy`` over ``k`` complex symbols, a gain symbol among them, does most against the weighted error."""
    reserved = gain_energy(energy, noise_power)
    k, energy = k - 1, energy - reserved
    deviation = codec.basis.deviation.astype(np.float64)
    importance = deviation * np.sqrt(codec.basis.visibility.astype(np.float64))
    usable = (importance > 0) & (variance > 0)
    floor = np.full(len(deviation), np.inf)
    floor[usable] = noise_power / 2 * np.square(deviation[usable]) / variance[usable]
    # The coefficient with the least floor for its importance is worth energy first.
    order = np.argsort(np.divide(floor, importance, out=np.full(len(floor), np.inf), where=usable), kind="stable")
    order = order[: min(2 * k, int(usable.sum()))]
    ranked, floors = importance[order], floor[order]
    water = (energy + np.cumsum(floors)) / np.cumsum(ranked)
    count = int(np.flatnonzero(water * ranked > floors).max()) + 1
    active = order[:count]
    spent = water[count - 1] * ranked[:count] - floors[:count]
    return RefinementPlan(active, spent, np.sqrt(spent) / deviation[active], reserved)


def refined(plan: RefinementPlan, variance: Variances, noise_power: float) -> Variances:
    """Variances after a frame of this plan."""
    after = variance.copy()
    at = plan.active
    after[at] = 1 / (1 / variance[at] + 2 * np.square(plan.amplitude) / noise_power)
    return after


def encode_refinement(plan: RefinementPlan, coefficients: NDArray[np.floating], k: int, energy: float) -> Symbols:
    """``(C,)`` to ``(k,)`` symbols of exactly ``energy`` together, the gain symbol first (`shared.codec.linear`)."""
    slots = np.zeros(2 * (k - 1))
    slots[: len(plan.active)] = plan.amplitude * coefficients[plan.active]
    return modulate(slots, plan.gain_energy, energy)


def decode_refinement(plan: RefinementPlan, belief: Belief, symbols: Symbols, noise_power: float) -> Belief:
    """The belief after symbols ``(k,)`` of a refinement with noise of ``noise_power`` each."""
    at, amplitude = plan.active, plan.amplitude
    mean, variance = belief.mean[at], belief.variance[at]
    sent = read_slots(symbols[1:])[: len(at)]
    told = read_gain(symbols[0], plan.gain_energy, noise_power, LOG_SCALE_DEVIATION)
    doubt = gain_error(plan.gain_energy, noise_power, LOG_SCALE_DEVIATION)
    scale = _scale(sent, amplitude * mean, np.square(amplitude) * variance, noise_power, told, doubt)
    noise = np.square(scale) * noise_power / 2
    gain = variance * amplitude / (np.square(amplitude) * variance + noise)
    after_mean, after_variance = belief.mean.copy(), belief.variance.copy()
    after_mean[at] += gain * (scale * sent - amplitude * mean)
    after_variance[at] *= 1 - gain * amplitude
    return Belief(after_mean, after_variance)


def _scale(
    sent: NDArray[np.float64],
    mean: NDArray[np.float64],
    variance: NDArray[np.float64],
    noise_power: float,
    told: float,
    doubt: float,
) -> float:
    """By how much the sender divided its slots.

    The inverse is the slope of what arrived over what was believed, by weighted least squares. What the gain symbol
    told, of relative variance ``doubt``, is one more observation: all there is of coefficients that were never sent.
    """
    slope = 1 / told
    weight = BELIEF_WEIGHT / (np.square(slope) * variance + noise_power / 2)
    certainty = 1 / (doubt * np.square(slope))
    mended = ((weight * mean * sent).sum() + certainty * slope) / ((weight * mean**2).sum() + certainty)
    return float(1 / max(mended, slope / 3))
