"""Gains that change over time: Clarke's isotropic scattering as a sum of sinusoids.

With N scatterers around the receiver, ``h(t) = N^-1/2 sum_n exp(j (2 pi f_d t cos a_n + p_n))``,
``a_n = (2 pi n + q_n) / N`` and p_n, q_n uniform over (-pi, pi): the model of Xiao, Zheng and Beaulieu, "Novel
sum-of-sinusoids simulation models for Rayleigh and Rician fading channels" (IEEE Trans. Wireless Commun. 5(12), 2006).
Over the ensemble E|h|^2 = 1 and the autocorrelation is exactly J0(2 pi f_d tau), Clarke's; h is Gaussian but for terms
of 1/N.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from channel_sim.randomness import FrameContext, complex_normal

Gains = NDArray[np.complex64]
"""Complex gain per sample of a frame, shape ``(n,)``, or ``(1,)`` where it holds for the whole frame."""

_SCATTERERS = 32

# Of the maximal Doppler shift: where the line of sight's line stands (3GPP TR 38.901, section 7.7.2).
_LINE_OF_SIGHT_SHIFT = 0.7


def scattered_gains(frame: FrameContext, lane: str, count: int, doppler_hz: float) -> Gains:
    """Rayleigh gains of E|h|^2 = 1 for the ``count`` samples of a frame.

    With ``doppler_hz`` 0 one gain per frame, independent from frame to frame; otherwise Clarke's process with this
    maximal shift, continuous over the frames of a stream in the stream's own time.
    """
    if not doppler_hz:
        return complex_normal(frame.generator(lane), 1)
    generator = frame.stream_generator(lane)
    angles = (2 * np.pi * np.arange(_SCATTERERS) + generator.uniform(-np.pi, np.pi, _SCATTERERS)) / _SCATTERERS
    phases = generator.uniform(-np.pi, np.pi, _SCATTERERS)
    gains = _waves(frame, doppler_hz * np.cos(angles), phases, count)
    gains *= np.float32(1 / math.sqrt(_SCATTERERS))
    return gains


def line_of_sight_gains(frame: FrameContext, lane: str, count: int, doppler_hz: float) -> Gains:
    """Gains of modulus 1 and random phase: one per frame with ``doppler_hz`` 0, otherwise turning at 0.7 of it."""
    if not doppler_hz:
        gain: Gains = np.exp(1j * frame.generator(lane).uniform(-np.pi, np.pi, 1)).astype(np.complex64)
        return gain
    phase = frame.stream_generator(lane).uniform(-np.pi, np.pi, 1)
    return _waves(frame, np.array([_LINE_OF_SIGHT_SHIFT * doppler_hz]), phase, count)


def _waves(frame: FrameContext, shifts_hz: NDArray[np.float64], phases: NDArray[np.float64], count: int) -> Gains:
    """The sum of ``exp(j (2 pi f t + p))`` over the frame's samples, for shifts and phases of shape ``(N,)``.

    Each wave is the outer product of coarse and fine steps, which takes 2 sqrt(n) exponentials instead of n. Summed
    wave by wave rather than by a matrix product, whose order of summation, and so whose last bit, depends on the
    processor's threads.
    """
    fine = math.isqrt(count - 1) + 1
    coarse = -(-count // fine)
    per_sample = 2j * np.pi * shifts_hz[:, None] / frame.sample_rate_hz  # (N, 1)
    start = 1j * phases[:, None] + 2j * np.pi * shifts_hz[:, None] * frame.start_s
    starts = np.exp(start + per_sample * (fine * np.arange(coarse))).astype(np.complex64)  # (N, coarse)
    steps = np.exp(per_sample * np.arange(fine)).astype(np.complex64)  # (N, fine)
    total = np.zeros((coarse, fine), np.complex64)
    for row, column in zip(starts, steps, strict=True):
        total += row[:, None] * column
    return total.reshape(-1)[:count]
