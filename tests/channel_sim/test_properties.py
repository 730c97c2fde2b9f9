"""Laws for any configuration, seed, stream and way of sending: repeatability, independence, time that runs on."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channel_sim.config import LinkConfig, checked_config
from channel_sim.impairments import IMPAIRMENTS, SampleImpairment
from channel_sim.links import NamedLink
from channel_sim.override import Override
from channel_sim.stream import Carried, ChannelStream
from protos import link_pb2
from shared.errors import InvalidInput
from shared.phy.cf32 import Samples, to_bytes
from tests.channel_sim.bench import unit_frame
from tests.channel_sim.places import at

kinds = st.lists(st.sampled_from(sorted(IMPAIRMENTS)), max_size=5, unique=True)
lengths = st.lists(st.integers(1, 90), min_size=1, max_size=5)
seeds = st.integers(0, 2**63 - 1)

# What does not draw per frame and needs no earlier samples: it does not matter to these where a signal is cut.
RUNNING_ON: list[dict[str, Any]] = [
    {"kind": "cfo", "offset_hz": 1234.5},
    {"kind": "tone", "frequency_hz": 4321.0},
    {"kind": "rayleigh", "doppler_hz": 400.0},
    {"kind": "rician", "doppler_hz": 400.0},
]


def carried(config: LinkConfig, frames: list[Samples], stream_id: str = "s") -> list[Carried]:
    """Frames over a link of their own, each admitted when it comes and carried at once."""
    stream = ChannelStream(NamedLink("default", config), stream_id, Override({}), strict=True)
    return [stream.admit(message(frame, index + 1), 10_000).carry() for index, frame in enumerate(frames)]


def message(samples: Samples, sequence: int) -> link_pb2.Frame:
    return link_pb2.Frame(sequence=sequence, sample_count=samples.size, samples=to_bytes(samples))


def outcome(each: Carried) -> tuple[bytes | None, bytes]:
    return None if each.frame is None else each.frame.samples, each.truth.SerializeToString(deterministic=True)


@settings(max_examples=60, deadline=None)
@given(kinds=kinds, seed=seeds, counts=lengths, order=st.randoms(use_true_random=False))
def test_output_does_not_depend_on_when_frames_are_carried(
    kinds: list[str], seed: int, counts: list[int], order: Any
) -> None:
    """Frames are admitted in order; the mathematics may then run in any order, in any thread, together or alone."""
    config = checked_config({"seed": seed, "impairments": [{"kind": kind} for kind in kinds]})
    frames = [unit_frame(count, seed=index) for index, count in enumerate(counts)]
    one_by_one = [outcome(each) for each in carried(config, frames)]
    stream = ChannelStream(NamedLink("default", config), "s", Override({}), strict=True)
    admitted = [stream.admit(message(frame, index + 1), 10_000) for index, frame in enumerate(frames)]
    places = list(range(len(frames)))
    order.shuffle(places)
    later = {place: outcome(admitted[place].carry()) for place in places}
    assert [later[place] for place in range(len(frames))] == one_by_one


@settings(max_examples=40, deadline=None)
@given(kinds=kinds, pair=st.lists(seeds, min_size=2, max_size=2, unique=True))
def test_seeds_and_streams_differ_and_equal_ones_repeat(kinds: list[str], pair: list[int]) -> None:
    configs = [checked_config({"seed": seed, "impairments": [{"kind": kind} for kind in kinds]}) for seed in pair]
    frames = [unit_frame(40, seed=index) for index in range(3)]
    first, other = (carried(config, frames) for config in configs)
    assert [outcome(each) for each in first] == [outcome(each) for each in carried(configs[0], frames)]
    for changed in (other, carried(configs[0], frames, "t")):
        pairs = zip(first, changed, strict=True)
        assert not any(
            a.frame is not None and b.frame is not None and a.frame.samples == b.frame.samples for a, b in pairs
        )


@settings(max_examples=40, deadline=None)
@given(parameters=st.sampled_from(RUNNING_ON), counts=lengths, seed=seeds)
def test_processes_with_memory_run_on_wherever_a_signal_is_cut(
    parameters: dict[str, Any], counts: list[int], seed: int
) -> None:
    rate_hz = 1e4
    model = checked_config({"impairments": [parameters]}).impairments[0]
    assert isinstance(model, SampleImpairment)
    signal = unit_frame(sum(counts))
    whole = model.apply(signal, at(1, seed=seed, rate_hz=rate_hz))
    ends = np.cumsum(counts)
    pieces = [
        model.apply(
            signal[end - count : end], at(index + 1, seed=seed, start_s=(end - count) / rate_hz, rate_hz=rate_hz)
        )
        for index, (end, count) in enumerate(zip(ends.tolist(), counts, strict=True))
    ]
    assert np.concatenate(pieces) == pytest.approx(whole, abs=2e-4)


@pytest.mark.parametrize("kind", sorted(IMPAIRMENTS))
def test_value_below_its_bound_is_named(kind: str) -> None:
    for name, field in IMPAIRMENTS[kind].model_fields.items():
        if field.annotation not in (int, float):
            continue
        (lowest,) = [constraint.ge for constraint in field.metadata if hasattr(constraint, "ge")]
        with pytest.raises(InvalidInput, match=rf"{name} is"):
            checked_config({"impairments": [{"kind": kind, name: lowest - 1}]})


@pytest.mark.parametrize(
    ("field", "bad"),
    [
        ("snr_db", -41), ("snr_db", 101), ("snr_db", "loud"), ("snr_db", None),
        ("seed", -1), ("seed", 2**63), ("seed", 0.5),
        ("sample_rate_hz", 0), ("sample_rate_hz", 1e11), ("frame_gap_ms", -1), ("frame_gap_ms", float("inf")),
        ("impairments", "cfo"), ("impairments", [{"kind": "rain"}]), ("impairments", [{}]),
        ("impairments", [{"kind": "cfo"}] * 33), ("snr_trace", {"frames": [2], "snr_db": [0]}), ("volume", 11),
    ],
)  # fmt: skip
def test_every_bad_field_of_a_link_gets_a_sentence_with_its_name(field: str, bad: Any) -> None:
    with pytest.raises(InvalidInput, match=rf"{field}.* is "):
        checked_config({field: bad})
