from __future__ import annotations

import math

import numpy as np
import pytest

from shared.phy.estimate import LinkEstimate, digamma, estimate_channel
from shared.phy.profiles import zadoff_chu
from tests.phy.air import cross, gaussian

KNOWN = zadoff_chu(32, 9)
NEPER_DB = 10 / math.log(10)


def draw(count: int, snr_db: float, gain: complex, seed: int) -> list[LinkEstimate]:
    rng = np.random.default_rng(seed)
    results = [estimate_channel(cross(KNOWN, snr_db, rng, gain).astype(np.complex128), KNOWN) for _ in range(count)]
    return [result.link for result in results if result is not None]


@pytest.mark.parametrize(("argument", "value"), [(1, -0.5772156649), (2, 0.4227843351), (10, 2.2517525891)])
def test_digamma_has_its_tabulated_values(argument: int, value: float) -> None:
    assert digamma(argument) == pytest.approx(value, abs=1e-10)


def test_least_squares_by_hand() -> None:
    estimate = estimate_channel(np.array([3 + 0j, 1 + 0j]), np.array([1 + 0j, 1 + 0j]))
    assert estimate is not None
    assert estimate.gain == 2
    assert estimate.noise_power == pytest.approx(2)  # residuals 1 and -1, one degree of freedom left
    assert estimate.equalised_noise_power == pytest.approx(2 * 1.5 / 4)
    assert estimate.link.snr_db == pytest.approx(NEPER_DB * (-0.5772156649 - math.log(2)))
    assert estimate.link.gain_db == pytest.approx(10 * math.log10(4))


@pytest.mark.parametrize("snr_db", [-5, 0, 6, 12, 20])
@pytest.mark.parametrize("gain", [1, 0.3j], ids=["no fade", "faded 10 dB"])
def test_snr_has_no_bias_and_nearly_the_least_variance_whatever_the_gain(snr_db: float, gain: complex) -> None:
    values = np.array([estimate.snr_db for estimate in draw(3000, snr_db, gain, 11)])
    bound = 1 / KNOWN.size
    assert values.mean() == pytest.approx(snr_db, abs=0.06)  # four standard errors
    assert 0.9 < np.var(values / NEPER_DB) / bound < 1.2  # trigamma(31) / (1/32) is 1.049


@pytest.mark.parametrize("snr_db", [0, 6, 12, 20])
def test_instantaneous_snr_nearly_meets_its_cramer_rao_bound(snr_db: float) -> None:
    values = np.array([estimate.snr_db_instantaneous for estimate in draw(3000, snr_db, 1, 12)])
    bound = 1 / KNOWN.size + 2 / (KNOWN.size * 10 ** (snr_db / 10))
    assert values.mean() == pytest.approx(snr_db, abs=0.08)
    assert 0.9 < np.var(values / NEPER_DB) / bound < 1.2


def test_instantaneous_snr_is_snr_plus_gain() -> None:
    assert LinkEstimate(snr_db=6, gain_db=-2.5).snr_db_instantaneous == 3.5


def test_noise_stated_for_equalised_symbols_is_the_noise_they_have() -> None:
    rng = np.random.default_rng(4)
    stated, measured = [], []
    for _ in range(2000):
        payload = gaussian(64, rng)
        received = cross(np.concatenate([KNOWN, payload]), 3, rng, 0.8j).astype(np.complex128)
        estimate = estimate_channel(received[:32], KNOWN)
        assert estimate is not None
        stated.append(estimate.equalised_noise_power)
        measured.append(np.mean(np.abs(received[32:] / estimate.gain - payload) ** 2))
    assert np.mean(measured) == pytest.approx(np.mean(stated), rel=0.02)


def test_noiseless_samples_give_a_finite_estimate() -> None:
    estimate = estimate_channel(2 * KNOWN, KNOWN)
    assert estimate is not None
    assert 100 < estimate.link.snr_db < 200
    assert estimate.link.gain_db == pytest.approx(20 * math.log10(2))


@pytest.mark.parametrize("received", [np.zeros(32), zadoff_chu(32, 9) * (-1.0) ** np.arange(32)])
def test_nothing_of_the_known_sequence_is_no_estimate(received: np.ndarray) -> None:
    assert estimate_channel(received.astype(np.complex128), KNOWN) is None
