"""The calibration passes on the models as they are, notices models that are not, and its theory is theory."""

import io
import json
from collections.abc import Iterator
from contextlib import redirect_stdout
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.special import j0  # type: ignore[import-untyped]

import channel_sim.calibration.curves
import channel_sim.calibration.estimator
import channel_sim.calibration.relaying
import channel_sim.calibration.speed
from channel_sim.awgn import Awgn
from channel_sim.calibration import Check
from channel_sim.calibration.ber import QAM16, QPSK, Modulation, error_rates, faded_tail, gaussian_tail
from channel_sim.calibration.curves import Curve
from channel_sim.calibration.estimator import Estimates, estimates, estimator_checks
from channel_sim.calibration.fading import autocorrelation, bessel_j0, delay_spreads, envelopes
from channel_sim.calibration.snr import every_model, interference, thermal_noise
from channel_sim.calibration.speed import throughput
from channel_sim.impairments import IMPAIRMENTS, SampleImpairment
from channel_sim.impairments.rayleigh import Rayleigh
from channel_sim.randomness import FrameContext
from cli import main
from shared.phy.cf32 import Samples


def small_suite() -> Iterator[Check]:
    yield from thermal_noise(200_000)
    yield from every_model(200_000, 100)
    yield from interference(200_000)
    yield from envelopes(400)
    yield from autocorrelation(400)
    yield from delay_spreads(60)
    yield from error_rates(200, 100)
    yield from estimator_checks(estimates(600))


def failures(checks: Iterator[Check]) -> list[str]:
    return [f"{check.name}: {check.measured} for {check.expected}" for check in checks if not check.passed]


def test_models_are_calibrated_and_their_report_is_json() -> None:
    checks = list(small_suite())
    assert failures(iter(checks)) == []
    documents = json.loads(json.dumps([check.document() for check in checks], allow_nan=False))
    assert all(document["passed"] is True for document in documents)


def test_noise_off_by_a_tenth_of_a_decibel_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = Awgn.apply

    def louder(self: Awgn, samples: Samples, frame: FrameContext) -> Samples:
        return right(Awgn(self.snr_db - 0.1), samples, frame)

    monkeypatch.setattr(Awgn, "apply", louder)
    assert len(failures(thermal_noise(200_000))) == 7


def test_real_instead_of_complex_fading_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def real(self: Rayleigh, samples: Samples, frame: FrameContext) -> Samples:
        return np.multiply(samples, np.float32(frame.generator(self.kind).standard_normal()))

    monkeypatch.setattr(Rayleigh, "apply", real)
    assert failures(envelopes(400))
    assert failures(error_rates(400, 50))


def test_bessel_function_is_that_of_scipy() -> None:
    x = np.linspace(0.0, 100.0, 1001)
    assert bessel_j0(x) == pytest.approx(j0(x), abs=1e-12)


@pytest.mark.parametrize(
    ("modulation", "eb_n0_db", "rate"), [(QPSK, 9.588, 1e-5), (QPSK, 4.323, 1e-2), (QAM16, 10.52, 1e-3)]
)
def test_error_rates_are_the_textbooks(modulation: Modulation, eb_n0_db: float, rate: float) -> None:
    snr = 2 * modulation.bits * 10 ** (eb_n0_db / 10)
    assert modulation.error_rate(snr, gaussian_tail) == pytest.approx(rate, rel=0.01)


def test_rayleigh_error_rate_falls_with_the_inverse_of_the_snr() -> None:
    # 1 / (4 Eb/N0) for QPSK at high SNR (Proakis and Salehi, 13.3-14).
    assert QPSK.error_rate(2000.0, faded_tail) == pytest.approx(1 / 4000, rel=0.01)


@pytest.mark.parametrize("modulation", [QPSK, QAM16])
def test_decisions_undo_the_labels_and_neighbours_differ_in_one_bit(modulation: Modulation) -> None:
    labels = np.array(
        [[bool(value >> bit & 1) for bit in range(modulation.bits)] for value in range(2**modulation.bits)]
    )
    levels = modulation.levels(labels)
    assert np.array_equal(modulation.decide(levels), labels)
    assert np.mean(levels**2) == pytest.approx(0.5)
    ordered = labels[np.argsort(levels)]
    assert all(np.sum(one != other) == 1 for one, other in pairwise(ordered))


def test_every_model_is_timed() -> None:
    rates = throughput(2000)
    assert set(rates) == {"awgn"} | {kind for kind, cls in IMPAIRMENTS.items() if issubclass(cls, SampleImpairment)}
    assert min(rates.values()) > 0


def test_biased_or_noisy_estimator_is_noticed() -> None:
    for found in (Estimates("x", 64, 6.0, 0.11, 1.0), Estimates("x", 64, 6.0, 0.0, 1.21)):
        assert len(failures(estimator_checks([found]))) == 1
    assert failures(estimator_checks([Estimates("x", 64, 6.0, 0.09, 1.19)])) == []


def small_curves() -> list[Curve]:
    return [
        channel_sim.calibration.curves.realised_snr(10_000),
        channel_sim.calibration.curves.envelope(200),
        channel_sim.calibration.curves.doppler(100),
        channel_sim.calibration.curves.error_rate(8),
        channel_sim.calibration.curves.estimator(estimates(10)),
    ]


def test_every_curve_has_its_theory_beside_it_and_is_drawn(tmp_path: Path) -> None:
    drawn = small_curves()
    for curve in drawn:
        assert {series.measured for series in curve.series} == {True, False}
        assert all(len(series.x) == len(series.y) > 0 for series in curve.series)
        json.dumps(curve.document(), allow_nan=False)
    plots = pytest.importorskip("channel_sim.calibration.plots", reason="needs matplotlib, of the extra 'evaluation'")
    for path in plots.draw(drawn, tmp_path):
        assert path.read_bytes().startswith(b"\x89PNG")
    assert {path.name for path in tmp_path.iterdir()} == {f"{curve.name}.png" for curve in drawn}


async def test_proxy_and_plain_relay_are_timed_in_one_run() -> None:
    (found,) = await channel_sim.calibration.relaying.relaying((64,), 0.3, rounds=1)
    document = found.document()
    assert document["frame_samples"] == 64
    assert document["plain_million_samples_per_second"] > 0
    assert 0.05 < document["ratio"] < 5
    assert document["added_ms_p99"] >= document["added_ms_median"]


@pytest.mark.parametrize(("measured", "status"), [(6.01, 0), (7.0, 1), (float("nan"), 1)])
def test_command_prints_and_keeps_the_report_and_fails_with_a_check(
    measured: float, status: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = Check("snr", "awgn", measured, 6.0, 0.05, "dB")
    relay = channel_sim.calibration.relaying.Relaying(400, 2.0, 1.5, 0.5, 1.0)

    async def timed(*_: object) -> list[channel_sim.calibration.relaying.Relaying]:
        return [relay]

    monkeypatch.setattr(channel_sim.calibration, "calibrate", lambda _, *, quick: iter([check]) if quick else iter([]))
    monkeypatch.setattr(channel_sim.calibration.estimator, "estimates", lambda _: iter([]))
    monkeypatch.setattr(channel_sim.calibration.curves, "curves", lambda _, *, quick: iter(small_curves()[:1] * quick))
    monkeypatch.setattr(channel_sim.calibration.speed, "throughput", lambda _: {"awgn": 30.0})
    monkeypatch.setattr(channel_sim.calibration.relaying, "relaying", timed)
    out = io.StringIO()
    with redirect_stdout(out):
        assert main.run(["bench", "channel", "--quick", "--json", "--out", str(tmp_path)]) == status
    document = json.loads(out.getvalue())
    assert document["passed"] is (status == 0)
    assert document["checks"][0]["name"] == "awgn"
    assert document["million_samples_per_second"] == {"awgn": 30.0}
    assert document["relaying"][0]["ratio"] == 0.75
    kept = json.loads((tmp_path / "channel.json").read_text())
    assert kept.pop("curves")[0]["name"] == "snr"
    assert kept == document
