"""Rayleigh and Rician gains against their laws: envelope, phase, autocorrelation, continuity over frames."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import j0  # type: ignore[import-untyped]
from scipy.stats import rice  # type: ignore[import-untyped]

from channel_sim.doppler import line_of_sight_gains, scattered_gains
from channel_sim.impairments import SampleImpairment
from channel_sim.impairments.rayleigh import Rayleigh
from channel_sim.impairments.rician import Rician
from tests.channel_sim.bench import unit_frame
from tests.channel_sim.places import at, distance_to_law

ONE = np.ones(1, np.complex64)


def gains_of(model: SampleImpairment, streams: int = 2000) -> NDArray[np.complex64]:
    """Independent gains: the first sample of each of many streams."""
    return np.array([model.apply(ONE, at(stream_id=str(stream)))[0] for stream in range(streams)])


@pytest.mark.parametrize("doppler_hz", [0.0, 100.0])
def test_rayleigh_power_is_exponential_of_mean_1_and_the_phase_uniform(doppler_hz: float) -> None:
    h = gains_of(Rayleigh(doppler_hz=doppler_hz))
    power = np.sort(np.abs(h) ** 2)
    turns = np.sort((np.angle(h) / (2 * np.pi)) % 1)
    assert distance_to_law(power, 1 - np.exp(-power)) < 1.63
    assert distance_to_law(turns, turns) < 1.63
    assert np.mean(power) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("doppler_hz", [0.0, 100.0])
@pytest.mark.parametrize("k_db", [-10.0, 0.0, 6.0, 20.0])
def test_rician_envelope_follows_its_law(k_db: float, doppler_hz: float) -> None:
    envelope = np.sort(np.abs(gains_of(Rician(k_db=k_db, doppler_hz=doppler_hz))))
    k = 10 ** (k_db / 10)
    law = rice.cdf(envelope, np.sqrt(2 * k), scale=np.sqrt(1 / (2 * (k + 1))))
    assert distance_to_law(envelope, law) < 1.63
    assert np.mean(envelope**2) == pytest.approx(1.0, abs=0.1)


def test_block_fading_holds_one_gain_per_frame_and_draws_another_for_the_next() -> None:
    frame = unit_frame(300)
    for model in (Rayleigh(), Rician()):
        first, second = (model.apply(frame, at(sequence)) / frame for sequence in (1, 2))
        assert np.allclose(first, first[0], atol=1e-5)
        assert abs(first[0] - second[0]) > 1e-3


def test_clarkes_autocorrelation_is_j0() -> None:
    doppler_hz, rate_hz, count = 100.0, 1e4, 400
    total = np.zeros(count, np.complex128)
    for stream in range(3000):
        h = scattered_gains(at(stream_id=str(stream), rate_hz=rate_hz), "lane", count, doppler_hz)
        total += h * np.conj(h[0])
    theory = j0(2 * np.pi * doppler_hz * np.arange(count) / rate_hz)
    # The mean of 3000 products of unit-power gains strays by 0.018; four times that.
    assert np.max(np.abs(total / 3000 - theory)) < 0.075


def test_clarkes_process_runs_on_over_the_frames_of_a_stream() -> None:
    whole = scattered_gains(at(1, start_s=0.25), "lane", 1000, 500.0)
    parts = [
        scattered_gains(at(2 + part, start_s=0.25 + start / 1e6), "lane", count, 500.0)
        for part, (start, count) in enumerate(((0, 1), (1, 499), (500, 500)))
    ]
    assert np.allclose(np.concatenate(parts), whole, atol=2e-6)


@pytest.mark.parametrize("count", [1, 2, 3, 15, 16, 17, 1000])
def test_fast_sum_of_waves_equals_the_plain_one(count: int) -> None:
    gains = line_of_sight_gains(at(start_s=3.0, rate_hz=1e5), "lane", count, 1000.0)
    turns = 700.0 * np.arange(count) / 1e5
    assert np.allclose(gains / gains[0], np.exp(2j * np.pi * turns), atol=1e-5)


def test_gain_between_two_frames_changes_with_the_time_between_them() -> None:
    model = Rayleigh(doppler_hz=10.0)
    close, far = [], []
    for stream in range(300):
        h = [model.apply(ONE, at(start_s=start_s, stream_id=str(stream)))[0] for start_s in (0.0, 1e-4, 0.05)]
        close.append(h[1] * np.conj(h[0]))
        far.append(h[2] * np.conj(h[0]))
    assert abs(np.mean(close)) > 0.8
    assert abs(np.mean(far)) < 0.5
