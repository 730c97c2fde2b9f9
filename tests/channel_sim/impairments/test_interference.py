"""Impulses and the tone: what they add, and that the declared thermal SNR stays what it is."""

import numpy as np
import pytest

from channel_sim.awgn import Awgn
from channel_sim.chain import Chain
from channel_sim.impairments.impulses import Impulses
from channel_sim.impairments.tone import Tone
from tests.channel_sim.bench import unit_frame
from tests.channel_sim.places import at

SILENCE = np.zeros(200_000, np.complex64)


def test_impulses_hit_the_declared_share_of_samples_with_the_declared_power() -> None:
    added = Impulses(probability=0.05, power_db=20.0).apply(SILENCE, at())
    hit = added[added != 0]
    assert hit.size / SILENCE.size == pytest.approx(0.05, rel=0.05)
    assert np.mean(np.abs(hit) ** 2) == pytest.approx(100.0, rel=0.05)
    assert not Impulses(probability=0.0).apply(SILENCE, at()).any()
    assert Impulses(probability=1.0).apply(SILENCE, at()).all()


def test_tone_is_one_line_of_the_declared_power_that_runs_on_over_frames() -> None:
    model = Tone(frequency_hz=25e3, power_db=-6.0)
    added = model.apply(SILENCE[:1000], at(start_s=1.0))
    spectrum = np.abs(np.fft.fft(added) / 1000) ** 2
    assert np.argmax(spectrum) == 25
    assert spectrum[25] == pytest.approx(10**-0.6, rel=1e-3)
    later = model.apply(SILENCE[:600], at(2, start_s=1.0 + 400e-6))
    assert np.allclose(later, added[400:], atol=1e-5)


@pytest.mark.parametrize(
    ("model", "sir_db"), [(Impulses(probability=0.1, power_db=10.0), 0.0), (Tone(power_db=-10.0), 10.0)]
)
def test_interference_is_reported_beside_an_snr_that_holds(model: Impulses | Tone, sir_db: float) -> None:
    passage = Chain([model, Awgn(6.0)]).pass_through(unit_frame(1_000_000), at())
    assert passage.snr_db_realised == pytest.approx(6.0, abs=0.05)
    assert passage.sir_db_realised == pytest.approx(sir_db, abs=0.05)
    assert passage.gain_db == pytest.approx(0.0, abs=1e-4)


def test_nothing_interfering_is_no_ratio() -> None:
    assert Chain([Awgn(6.0)]).pass_through(unit_frame(), at()).sir_db_realised is None
