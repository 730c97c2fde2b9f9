"""The channel beside Sionna's, which was written by others: the same laws, tables and error rates.

Slow, and skipped where the extra ``oracle`` is not installed; nothing but this file imports Sionna.
"""

import importlib.util
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy.stats import ks_2samp  # type: ignore[import-untyped]

from channel_sim.awgn import Awgn
from channel_sim.calibration.ber import QAM16, QPSK, Modulation, frame_error_rates
from channel_sim.calibration.signals import place
from channel_sim.chain import Chain
from channel_sim.doppler import scattered_gains
from channel_sim.impairments.rayleigh import Rayleigh
from channel_sim.impairments.tdl import PROFILES, Tdl
from tests.channel_sim.bench import unit_frame

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("sionna") is None,
        reason="needs Sionna: pip install 'editable-deepsc[oracle]'",
    ),
]

SPEED_OF_LIGHT = 299_792_458.0


@pytest.fixture
def sionna() -> Iterator[Any]:
    """Sionna with a seed, and torch's own generator afterwards as it was before."""
    with torch.random.fork_rng(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sionna.phy

        sionna.phy.config.seed = 1
        yield sionna.phy


def same_law(one: NDArray[np.floating], other: NDArray[np.floating]) -> bool:
    """Whether two samples may be of one distribution: by Kolmogorov and Smirnov, wrong once in a thousand."""
    return bool(ks_2samp(one, other).pvalue > 1e-3)


@pytest.mark.parametrize("snr_db", [-5.0, 6.0, 20.0])
def test_thermal_noise_is_theirs(sionna: Any, snr_db: float) -> None:
    frame = unit_frame(1_000_000)
    theirs = sionna.channel.AWGN()(torch.from_numpy(frame), 10.0 ** (-snr_db / 10.0)).numpy() - frame
    ours = Chain([Awgn(snr_db)]).pass_through(frame, place(1)).samples - frame
    powers_db = [10 * np.log10(np.mean(np.abs(noise) ** 2)) for noise in (ours, theirs)]
    assert powers_db == pytest.approx([-snr_db, -snr_db], abs=0.05)
    assert same_law(ours.real, theirs.real)
    assert same_law(ours.imag, theirs.imag)


def test_rayleigh_block_fading_is_theirs(sionna: Any) -> None:
    count = 20_000
    theirs = sionna.channel.GenerateFlatFadingChannel(1, 1)(count).numpy().ravel()
    one = np.ones(1, np.complex64)
    ours = np.array([Rayleigh().apply(one, place(1, stream))[0] for stream in range(count)])
    assert same_law(np.abs(ours), np.abs(theirs))
    assert same_law(np.angle(ours), np.angle(theirs))


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_tables_of_the_tapped_delay_lines_are_theirs(sionna: Any, profile: str) -> None:
    theirs = sionna.channel.tr38901.TDL(profile, 1e-7, 3.5e9)
    delays = np.array([delay for delay, _ in PROFILES[profile]])
    powers = np.array([10 ** (power_db / 10) for _, power_db in PROFILES[profile]])
    powers /= powers.sum()
    if theirs.los:
        # The line of sight stands in our tables as a path of its own, before the scattering of the same delay.
        assert powers[0] == pytest.approx(float(theirs.mean_power_los), rel=1e-3)
        delays, powers = delays[1:], np.array([powers[0] + powers[1], *powers[2:]])
    assert delays * 1e-7 == pytest.approx(theirs.delays.numpy(), rel=1e-3, abs=1e-12)
    assert powers == pytest.approx(theirs.mean_powers.numpy(), rel=1e-3)


@pytest.mark.parametrize("profile", sorted(PROFILES))
def test_power_and_delay_spread_of_the_tapped_delay_lines_are_theirs(sionna: Any, profile: str) -> None:
    frames, spread_s, rate_hz, first = 3000, 1e-6, 1e7, 20
    coefficients, delays = sionna.channel.tr38901.TDL(profile, spread_s, 3.5e9)(frames, 1, rate_hz)
    powers = np.mean(np.abs(coefficients.numpy().reshape(frames, -1)) ** 2, axis=0)
    theirs = powers.sum(), spread(powers, delays.numpy().reshape(frames, -1)[0])
    impulse = np.zeros(300, np.complex64)
    impulse[first] = 1
    model = Tdl.model_validate({"profile": profile, "delay_spread_ns": 1e9 * spread_s})
    responses = [model.apply(impulse, place(1 + index, sample_rate_hz=rate_hz)) for index in range(frames)]
    powers = np.mean(np.abs(responses) ** 2, axis=0)
    ours = powers.sum(), spread(powers, (np.arange(300) - first) / rate_hz)
    # Both are means over 3000 draws of exponential powers.
    assert ours[0] == pytest.approx(theirs[0], rel=0.08)
    assert ours[1] == pytest.approx(theirs[1], rel=0.08)


def test_doppler_spectrum_is_theirs(sionna: Any) -> None:
    """Autocorrelation of a path that scatters, over a period and a half of the Doppler shift."""
    doppler_hz, rate_hz, count, streams = 100.0, 5000.0, 75, 6000
    speed = doppler_hz * SPEED_OF_LIGHT / 3.5e9
    tdl = sionna.channel.tr38901.TDL("A", 1e-7, 3.5e9, min_speed=speed)
    coefficients, _ = tdl(streams, count, rate_hz)
    paths = coefficients.numpy().reshape(streams, -1, count)[:, 1]
    theirs = np.mean(paths * np.conj(paths[:, :1]), axis=0)
    theirs /= theirs[0].real
    gains = [scattered_gains(place(1, s, sample_rate_hz=rate_hz), "a", count, doppler_hz) for s in range(streams)]
    ours = np.mean([h * np.conj(h[0]) for h in gains], axis=0)
    assert ours == pytest.approx(theirs, abs=8 / np.sqrt(streams))


@pytest.mark.parametrize(("modulation", "snr_db"), [(QPSK, 6.0), (QPSK, 0.0), (QAM16, 12.0), (QAM16, 6.0)])
def test_bit_error_rate_in_noise_is_theirs(sionna: Any, modulation: Modulation, snr_db: float) -> None:
    per_symbol, bits = 2 * modulation.bits, 800_000
    sent = sionna.mapping.BinarySource()([1, bits])
    symbols = sionna.mapping.Mapper("qam", per_symbol)(sent)
    noise_power = torch.tensor(10.0 ** (-snr_db / 10.0))
    received = sionna.channel.AWGN()(symbols, noise_power)
    decided = sionna.mapping.Demapper("app", "qam", per_symbol, hard_out=True)(received, noise_power)
    theirs = float((decided != sent).float().mean())
    ours = frame_error_rates(modulation, snr_db, False, 1000, bits // per_symbol // 1000)
    tolerance = 4 * np.sqrt(2 * theirs / bits)
    assert float(ours.mean()) == pytest.approx(theirs, abs=tolerance)


def spread(powers: NDArray[np.floating], delays: NDArray[np.floating]) -> float:
    """Root-mean-square delay spread."""
    mean = np.average(delays, weights=powers)
    return float(np.sqrt(np.average((delays - mean) ** 2, weights=powers)))
