"""Thermal noise against its formula, what composing models guarantees, and where random numbers come from."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channel_sim.awgn import Awgn
from channel_sim.chain import Chain
from channel_sim.channel_model import Stage
from channel_sim.impairments.rayleigh import Rayleigh
from channel_sim.randomness import FrameContext
from shared.phy.cf32 import Samples
from tests.channel_sim.bench import unit_frame
from tests.channel_sim.places import at

CONTEXT = at()


@pytest.mark.parametrize("snr_db", [-20.0, -5.0, 0.0, 6.0, 12.0, 20.0, 60.0])
def test_awgn_realises_the_declared_snr_over_a_million_samples(snr_db: float) -> None:
    passage = Chain([Awgn(snr_db)]).pass_through(unit_frame(1_000_000), CONTEXT)
    assert passage.snr_db_realised == pytest.approx(snr_db, abs=0.05)
    assert passage.gain_db == pytest.approx(0.0, abs=1e-6)


def test_awgn_is_circular_gaussian_and_white() -> None:
    noise = Awgn(0.0).apply(np.zeros(200_000, np.complex64), CONTEXT)
    assert np.var(noise.real) == pytest.approx(0.5, rel=0.02)
    assert np.var(noise.imag) == pytest.approx(0.5, rel=0.02)
    assert abs(np.mean(noise**2)) < 0.01
    assert np.mean(np.abs(noise) ** 4) == pytest.approx(2.0, rel=0.03)
    assert abs(np.vdot(noise[1:], noise[:-1])) / noise.size < 0.01


def test_noise_floor_does_not_follow_the_senders_power() -> None:
    frame = unit_frame(100_000)
    strong = Chain([Awgn(10.0)]).pass_through((2 * frame).astype(np.complex64), CONTEXT)
    assert strong.noise_power == pytest.approx(0.1, rel=0.02)
    assert strong.snr_db_realised == pytest.approx(16.0, abs=0.05)


def test_reported_gain_and_snr_are_those_of_the_fade() -> None:
    frame = unit_frame(100_000)
    h = complex(Rayleigh().apply(np.ones(1, np.complex64), CONTEXT)[0])
    passage = Chain([Rayleigh(), Awgn(15.0)]).pass_through(frame, CONTEXT)
    assert passage.gain == pytest.approx(abs(h) ** 2, rel=1e-4)
    assert passage.snr_db_realised == pytest.approx(15.0 + passage.gain_db, abs=0.05)


def test_models_act_in_physical_order_whatever_the_order_given() -> None:
    forward, backward = Chain([Rayleigh(), Awgn(0.0)]), Chain([Awgn(0.0), Rayleigh()])
    assert [model.stage for model in backward.models] == [Stage.PROPAGATION, Stage.NOISE]
    frame = unit_frame(50)
    assert np.array_equal(forward.pass_through(frame, CONTEXT).samples, backward.pass_through(frame, CONTEXT).samples)


def test_adding_a_model_leaves_the_noise_of_the_others_as_it_was() -> None:
    silence = np.zeros(100, np.complex64)
    alone = Chain([Awgn(3.0)]).pass_through(silence, CONTEXT).samples
    assert np.array_equal(alone, Chain([Rayleigh(), Awgn(3.0)]).pass_through(silence, CONTEXT).samples)


def test_silence_and_single_samples_pass() -> None:
    chain = Chain([Rayleigh(), Awgn(10.0)])
    assert np.isfinite(chain.pass_through(np.zeros(3, np.complex64), CONTEXT).snr_db_realised)
    assert chain.pass_through(np.ones(1, np.complex64), CONTEXT).samples.shape == (1,)


@settings(max_examples=50, deadline=None)
@given(
    seeds=st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)),
    names=st.tuples(st.text(min_size=1), st.text(min_size=1)),
    sequences=st.tuples(st.integers(1, 2**32 - 1), st.integers(1, 2**32 - 1)),
)
def test_seed_stream_and_frame_each_give_other_numbers(
    seeds: tuple[int, int], names: tuple[str, str], sequences: tuple[int, int]
) -> None:
    def draw(seed: int, name: str, sequence: int) -> bytes:
        return bytes(FrameContext(seed, name, sequence).generator("lane").bytes(16))

    places = [(seed, name, sequence) for seed in seeds for name in names for sequence in sequences]
    drawn = {place: draw(*place) for place in places}
    assert len(set(drawn.values())) == len(drawn)
    assert all(draw(*place) == bits for place, bits in drawn.items())


def test_lanes_of_one_frame_and_the_lane_of_the_stream_differ() -> None:
    drawn = [at(1).generator("a"), at(1).generator("b"), at(1).stream_generator("a")]
    assert len({bytes(generator.bytes(16)) for generator in drawn}) == 3
    assert at(1).stream_generator("a").bytes(16) == at(9).stream_generator("a").bytes(16)


def test_a_recorded_seed_still_gives_the_recorded_samples() -> None:
    """A change here breaks the replay of every run that was ever reported."""
    samples: Samples = Chain([Rayleigh(), Awgn(6.0)]).pass_through(np.ones(3, np.complex64), at(5, seed=42)).samples
    assert samples.tolist() == pytest.approx(RECORDED, abs=1e-6)


RECORDED = [
    0.6833081841468811 - 0.0816209614276886j,
    -0.7014179229736328 + 0.04506862163543701j,
    -0.2133609652519226 + 0.25625622272491455j,
]
