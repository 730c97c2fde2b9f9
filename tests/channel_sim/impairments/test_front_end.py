"""Amplifier, oscillator, mixer, clock and converter against their formulas."""

import numpy as np
import pytest

from channel_sim.awgn import Awgn
from channel_sim.chain import Chain
from channel_sim.impairments.adc import Adc
from channel_sim.impairments.cfo import Cfo
from channel_sim.impairments.iq_imbalance import IqImbalance
from channel_sim.impairments.phase_noise import PhaseNoise
from channel_sim.impairments.rapp import Rapp
from channel_sim.impairments.sfo import Sfo
from tests.channel_sim.bench import unit_frame
from tests.channel_sim.places import at


def test_rapp_compresses_by_its_formula_and_keeps_phase_and_mean_power() -> None:
    frame = unit_frame(2000)
    amplified = Rapp(backoff_db=3.0, smoothness=2.0).apply(frame, at())
    amplitude, saturation = np.abs(frame), 10 ** (3.0 / 20)
    expected = amplitude / (1 + (amplitude / saturation) ** 4) ** 0.25
    expected *= np.sqrt(np.mean(amplitude**2) / np.mean(expected**2))
    assert np.abs(amplified) == pytest.approx(expected, rel=1e-4)
    assert np.max(np.abs(np.angle(amplified * frame.conj()))) < 1e-5
    assert np.mean(np.abs(amplified) ** 2) == pytest.approx(1.0, rel=1e-5)


def test_rapp_far_from_saturation_does_nothing_and_deep_in_it_leaves_one_amplitude() -> None:
    frame = unit_frame(500)
    assert np.allclose(Rapp(backoff_db=60.0).apply(frame, at()), frame, atol=1e-5)
    limited = np.abs(Rapp(backoff_db=-20.0, smoothness=50.0).apply(frame[np.abs(frame) > 0.3], at()))
    assert np.ptp(limited) < 1e-3


def test_distorted_frame_gets_the_declared_snr_all_the_same() -> None:
    passage = Chain([Rapp(backoff_db=0.0), Awgn(6.0), Adc(bits=4)]).pass_through(unit_frame(1_000_000), at())
    assert passage.snr_db_realised == pytest.approx(6.0, abs=0.05)


def test_cfo_turns_by_its_frequency_and_runs_on_over_frames() -> None:
    ones = np.ones(1000, np.complex64)
    whole = Cfo(offset_hz=2500.0).apply(ones, at(start_s=7.0))
    assert np.allclose(np.angle(whole[1:] * whole[:-1].conj()), 2 * np.pi * 2500e-6, atol=1e-5)
    second = Cfo(offset_hz=2500.0).apply(ones[:600], at(2, start_s=7.0 + 400e-6))
    assert np.allclose(second, whole[400:], atol=1e-5)


def test_phase_noise_has_the_lorentzian_autocorrelation() -> None:
    linewidth_hz, count = 5000.0, 200
    ones = np.ones(count, np.complex64)
    total = np.zeros(count, np.complex128)
    for sequence in range(1, 3001):
        turned = PhaseNoise(linewidth_hz=linewidth_hz).apply(ones, at(sequence))
        total += turned * turned[0].conj()
    expected = np.exp(-np.pi * linewidth_hz * np.arange(count) / 1e6)
    assert np.max(np.abs(total / 3000 - expected)) < 0.06
    assert np.allclose(np.abs(turned), 1.0, atol=1e-5)


def test_frames_begin_at_phases_of_their_own() -> None:
    model, one = PhaseNoise(linewidth_hz=0.0), np.ones(1, np.complex64)
    phases = [np.angle(model.apply(one, at(sequence))[0]) for sequence in range(1, 50)]
    assert np.ptp(phases) > np.pi


@pytest.mark.parametrize(("gain_db", "phase_deg"), [(1.0, 0.0), (0.0, 5.0), (0.5, -3.0)])
def test_iq_imbalance_mirrors_the_spectrum_at_its_image_rejection(gain_db: float, phase_deg: float) -> None:
    wave = np.exp(2j * np.pi * np.arange(1000) * 0.1).astype(np.complex64)
    spectrum = np.fft.fft(IqImbalance(gain_db=gain_db, phase_deg=phase_deg).apply(wave, at())) / 1000
    g, p = 10 ** (gain_db / 20), np.radians(phase_deg)
    rejection = abs(1 + g * np.exp(-1j * p)) ** 2 / abs(1 - g * np.exp(1j * p)) ** 2
    assert abs(spectrum[100]) ** 2 / abs(spectrum[900]) ** 2 == pytest.approx(rejection, rel=1e-3)
    assert np.sum(np.abs(spectrum) ** 2) == pytest.approx(1.0, rel=1e-4)


def test_q_branch_sees_the_carrier_at_its_own_gain_and_phase() -> None:
    model = IqImbalance(gain_db=2.0, phase_deg=10.0)
    of_i, of_q = model.apply(np.array([1.0, 1.0j], np.complex64), at())
    g, p = 10 ** (2.0 / 20), np.radians(10.0)
    assert of_i.imag / of_i.real == pytest.approx(-g * np.sin(p), rel=1e-5)
    assert of_q.imag / of_i.real == pytest.approx(g * np.cos(p), rel=1e-5)
    assert of_q.real == pytest.approx(0.0, abs=1e-6)


def test_balanced_branches_change_nothing() -> None:
    frame = unit_frame(100)
    assert np.allclose(IqImbalance(gain_db=0.0, phase_deg=0.0).apply(frame, at()), frame, atol=1e-6)


@pytest.mark.parametrize("offset_ppm", [-200.0, 50.0, 1000.0])
def test_sfo_stretches_a_wave_by_the_offset(offset_ppm: float) -> None:
    count, frequency = 4000, 0.05
    wave = np.exp(2j * np.pi * frequency * np.arange(count)).astype(np.complex64)
    expected = np.exp(2j * np.pi * frequency * np.arange(count) * (1 + 1e-6 * offset_ppm))
    assert np.max(np.abs(Sfo(offset_ppm=offset_ppm).apply(wave, at()) - expected)[20:-40]) < 0.02


def test_no_sampling_offset_changes_nothing() -> None:
    frame = unit_frame(300)
    assert np.allclose(Sfo(offset_ppm=0.0).apply(frame, at()), frame, atol=1e-6)


@pytest.mark.parametrize("bits", [6, 10, 16])
def test_unclipped_quantisation_noise_is_a_twelfth_of_the_step_squared(bits: int) -> None:
    frame = unit_frame(100_000)
    received = Adc(bits=bits, headroom_db=15.0).apply(frame, at())
    step = 2 * np.sqrt(0.5) * 10 ** (15.0 / 20) / 2**bits
    assert np.mean(np.abs(received - frame) ** 2) == pytest.approx(2 * step**2 / 12, rel=0.03)


def test_adc_has_two_to_the_bits_levels_and_clips_symmetrically() -> None:
    frame = unit_frame(50_000)
    received = Adc(bits=3, headroom_db=3.0).apply(frame, at())
    assert len(np.unique(np.round(received.real, 4))) == 8
    step = 2 * np.sqrt(0.5) * 10 ** (3.0 / 20) / 8
    assert np.max(received.real) == pytest.approx(3.5 * step, rel=1e-3)
    assert np.min(received.imag) == pytest.approx(-3.5 * step, rel=1e-3)


def test_one_bit_keeps_the_signs() -> None:
    frame = unit_frame(1000)
    received = Adc(bits=1).apply(frame, at())
    assert np.array_equal(np.sign(received.real), np.sign(frame.real))
