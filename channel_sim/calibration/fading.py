"""Fading gains against their laws: distribution, autocorrelation, delay spread."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from channel_sim.calibration.check import SIGMAS, Check
from channel_sim.calibration.signals import place
from channel_sim.doppler import scattered_gains
from channel_sim.impairments.rayleigh import Rayleigh
from channel_sim.impairments.rician import Rician
from channel_sim.impairments.tdl import PROFILES, Tdl

# The Kolmogorov-Smirnov statistic times sqrt(n) exceeds this once in a thousand times.
_KOLMOGOROV_LIMIT = 1.95

_ONE = np.ones(1, np.complex64)


def envelopes(count: int) -> Iterator[Check]:
    """``|h|^2`` of Rayleigh fading is exponential, of Rician fading has the variance that K gives it."""
    for doppler_hz, name in ((0.0, "block"), (100.0, "Clarke")):
        model = Rayleigh(doppler_hz=doppler_hz)
        power = np.sort([abs(model.apply(_ONE, place(1, stream))[0]) ** 2 for stream in range(count)])
        steps = np.arange(count + 1) / count
        law = 1 - np.exp(-power)
        distance = max(np.max(np.abs(steps[1:] - law)), np.max(np.abs(steps[:-1] - law))) * np.sqrt(count)
        yield Check("fading", f"rayleigh, {name}: Kolmogorov distance", distance, 0.0, _KOLMOGOROV_LIMIT, "1/sqrt(n)")
    for k_db in (0.0, 6.0):
        k = 10.0 ** (k_db / 10.0)
        power = np.array([abs(Rician(k_db=k_db).apply(_ONE, place(1, stream))[0]) ** 2 for stream in range(count)])
        expected = (2 * k + 1) / (k + 1) ** 2
        # Of a sample variance of a law with at most the exponential's kurtosis of 9.
        tolerance = SIGMAS * expected * np.sqrt(8 / count)
        yield Check(
            "fading", f"rician, K = {k_db:g} dB: variance of |h|^2", float(power.var()), expected, tolerance, ""
        )


def autocorrelation(streams: int) -> Iterator[Check]:
    """Clarke's process against J0: the largest difference over two periods of the Doppler shift."""
    _, measured, theory = clarke_autocorrelation(streams)
    error = float(np.max(np.abs(measured - theory)))
    yield Check("fading", "Clarke: autocorrelation against J0", error, 0.0, SIGMAS / np.sqrt(streams), "")


def clarke_autocorrelation(
    streams: int,
) -> tuple[NDArray[np.floating], NDArray[np.complex128], NDArray[np.floating]]:
    """Lags in periods of the Doppler shift, the mean of ``h(t) h*(0)`` over streams, and J0; each ``(200,)``."""
    doppler_hz, sample_rate_hz, count = 100.0, 1e4, 200
    total = np.zeros(count, np.complex128)
    for stream in range(streams):
        h = scattered_gains(place(1, stream, sample_rate_hz=sample_rate_hz), "rayleigh", count, doppler_hz)
        total += h * np.conj(h[0])
    periods = doppler_hz * np.arange(count) / sample_rate_hz
    return periods, total / streams, bessel_j0(2 * np.pi * periods)


def delay_spreads(frames: int) -> Iterator[Check]:
    """Root-mean-square delay spread of the 3GPP profiles, from the mean power of their impulse responses."""
    sample_rate_hz, spread_ns, first, count = 1e7, 1000.0, 20, 256
    impulse = np.zeros(count, np.complex64)
    impulse[first] = 1
    for profile in PROFILES:
        model = Tdl.model_validate({"profile": profile, "delay_spread_ns": spread_ns})
        responses = [model.apply(impulse, place(1 + index, sample_rate_hz=sample_rate_hz)) for index in range(frames)]
        power = np.mean(np.abs(responses) ** 2, axis=0)
        delays_ns = (np.arange(count) - first) / sample_rate_hz * 1e9
        mean = np.average(delays_ns, weights=power)
        spread = float(np.sqrt(np.average((delays_ns - mean) ** 2, weights=power)))
        # The late, weak paths decide it, each of exponential power in each frame.
        tolerance = spread_ns * (SIGMAS / np.sqrt(frames) + 0.02)
        yield Check("fading", f"TDL-{profile}: delay spread", spread, spread_ns, tolerance, "ns")


def bessel_j0(x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Bessel's ``J0(x) = mean over a turn of cos(x sin t)``; exact to rounding for x up to 100."""
    turn = np.linspace(0.0, 2 * np.pi, 256, endpoint=False)
    mean: NDArray[np.float64] = np.mean(np.cos(np.multiply.outer(x, np.sin(turn))), axis=-1)
    return mean
