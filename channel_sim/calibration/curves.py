"""The calibration as curves: what was measured over what it depends on, and the theory beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from channel_sim.awgn import Awgn
from channel_sim.calibration.ber import QAM16, QPSK, frame_error_rates, theory
from channel_sim.calibration.estimator import MOST_OVER_BOUND, Estimates
from channel_sim.calibration.fading import clarke_autocorrelation
from channel_sim.calibration.signals import place, white_frame
from channel_sim.chain import Chain
from channel_sim.impairments.rayleigh import Rayleigh


@dataclass(frozen=True)
class Series:
    """One line of a plot.

    Attributes:
        name: for the legend.
        x: where.
        y: what, as many values.
        measured: drawn as points; theory is drawn as a line.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    measured: bool


@dataclass(frozen=True)
class Curve:
    """One plot.

    Attributes:
        name: of its file.
        title: above it.
        x_label: with the unit.
        y_label: with the unit.
        y_scale: of the axis.
        series: lines.
    """

    name: str
    title: str
    x_label: str
    y_label: str
    y_scale: Literal["linear", "log"]
    series: tuple[Series, ...]

    def document(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def curves(found: Iterable[Estimates], *, quick: bool) -> Iterator[Curve]:
    """Every plot of the calibration report.

    Args:
        found: what the SNR estimator said, measured already.
        quick: fewer frames.
    """
    frames = 1_000 if quick else 10_000
    yield realised_snr(1_000_000)
    yield envelope(4 * frames)
    yield doppler(frames)
    yield error_rate(frames // 4)
    yield estimator(found)


def realised_snr(samples: int) -> Curve:
    """Realised less declared SNR of thermal noise."""
    declared = np.arange(-20.0, 41.0, 4.0)
    frame = white_frame(samples)
    passages = [Chain([Awgn(float(snr_db))]).pass_through(frame, place(1, f"{snr_db}")) for snr_db in declared]
    errors = [passage.snr_db_realised - snr_db for passage, snr_db in zip(passages, declared, strict=True)]
    return Curve(
        "snr",
        f"Realised SNR, {samples:,} samples each",
        "declared SNR, dB",
        "realised less declared, dB",
        "linear",
        (_series("measured", declared, errors), _series("as declared", declared, np.zeros_like(declared), False)),
    )


def envelope(count: int) -> Curve:
    """Distribution of |h| of Rayleigh fading, against ``1 - exp(-r^2)``."""
    one = np.ones(1, np.complex64)
    series = []
    for doppler_hz, name in ((0.0, "block"), (100.0, "Clarke")):
        model = Rayleigh(doppler_hz=doppler_hz)
        radii = np.sort([abs(model.apply(one, place(1, stream))[0]) for stream in range(count)])
        shares = np.linspace(0.01, 0.99, 50)
        series.append(_series(name, np.quantile(radii, shares), shares))
    r = np.linspace(0.0, 2.5, 200)
    series.append(_series("1 - exp(-r²)", r, 1 - np.exp(-(r**2)), False))
    return Curve("envelope", f"Rayleigh envelope, {count:,} draws", "|h|", "distribution", "linear", tuple(series))


def doppler(streams: int) -> Curve:
    """Autocorrelation of Clarke's process against J0."""
    periods, measured, bessel = clarke_autocorrelation(streams)
    series = (_series("measured, real part", periods, measured.real), _series("J0", periods, bessel, False))
    title = f"Clarke's process, {streams:,} streams"
    return Curve("doppler", title, "lag, periods of the Doppler shift", "autocorrelation", "linear", series)


def error_rate(frames: int) -> Curve:
    """Bit error rates of QPSK and 16-QAM against their closed forms."""
    series = []
    for modulation, largest_db in ((QPSK, 10), (QAM16, 16)):
        for fading in (False, True):
            name = f"{modulation.name}, {'Rayleigh' if fading else 'AWGN'}"
            measured_at = np.arange(0.0, largest_db + 1.0, 2.0)
            rates = [float(frame_error_rates(modulation, snr_db, fading, frames, 400).mean()) for snr_db in measured_at]
            # A rate of none at all has no place on a logarithmic axis.
            seen = [(snr_db, rate) for snr_db, rate in zip(measured_at, rates, strict=True) if rate]
            series.append(_series(name, *zip(*seen, strict=True)))
            fine = np.linspace(0.0, largest_db, 60)
            series.append(_series(f"{name}, theory", fine, [theory(modulation, each, fading) for each in fine], False))
    return Curve("ber", "Bit error rate", "Es/N0, dB", "bit error rate", "log", tuple(series))


def estimator(found: Iterable[Estimates]) -> Curve:
    """Variance of the SNR estimator over its Cramer-Rao bound."""
    by_name: dict[str, list[Estimates]] = {}
    for each in found:
        by_name.setdefault(each.name, []).append(each)
    series = [
        _series(name, [each.snr_db for each in of_it], [each.variance_over_bound for each in of_it])
        for name, of_it in by_name.items()
    ]
    for name, level in (("Cramer-Rao bound", 1.0), ("claimed", MOST_OVER_BOUND)):
        series.append(_series(name, (0.0, 20.0), (level, level), False))
    return Curve("estimator", "SNR estimator", "declared SNR, dB", "variance over the bound", "linear", tuple(series))


def _series(
    name: str,
    x: Sequence[float] | NDArray[np.floating],
    y: Sequence[float] | NDArray[np.floating],
    measured: bool = True,
) -> Series:
    return Series(name, tuple(float(f"{each:.6g}") for each in x), tuple(float(f"{each:.6g}") for each in y), measured)
