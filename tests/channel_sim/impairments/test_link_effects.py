"""Losses and delays of whole frames, as processes and through a running proxy."""

import asyncio
import time
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channel_sim.chain import Chain
from channel_sim.client import channel_client
from channel_sim.impairments.delay import Delay
from channel_sim.impairments.duplicate import Duplicate
from channel_sim.impairments.gilbert_elliott import GilbertElliott
from channel_sim.impairments.loss import Loss
from channel_sim.impairments.reorder import Reorder
from protos import link_pb2
from receiver.frames import ErasedFrame, read_frame
from shared.phy import FrameHeader, FrameKind, build_frame, profile_for
from tests.channel_sim.bench import bench, unit_frame
from tests.channel_sim.places import at
from tests.fakes.codec import PhaseCodec
from tests.fakes.face import latent_of
from tests.fakes.followup import PhaseFollowUps

probabilities = st.floats(0.02, 1.0)


def test_loss_loses_the_declared_share() -> None:
    lost = [Loss(probability=0.2).fate(at(sequence)).lost for sequence in range(1, 5001)]
    assert np.mean(lost) == pytest.approx(0.2, abs=0.025)


def test_gilbert_elliott_loses_in_bursts_of_the_declared_length_and_share() -> None:
    model = GilbertElliott(to_bad=0.05, to_good=0.25)
    lost = [model.fate(at(sequence)).lost for sequence in range(1, 20_001)]
    bursts = [len(list(run)) for bad, run in groupby(lost) if bad]
    assert np.mean(lost) == pytest.approx(0.05 / 0.30, rel=0.1)
    assert np.mean(bursts) == pytest.approx(4.0, rel=0.1)


@settings(max_examples=60, deadline=None)
@given(to_bad=probabilities, to_good=probabilities, last=st.integers(1, 700))
def test_state_of_a_frame_is_that_of_the_chain_walked_from_its_beginning(
    to_bad: float, to_good: float, last: int
) -> None:
    model = GilbertElliott(to_bad=to_bad, to_good=to_good)
    context = at(last)
    u = np.concatenate([context.stream_generator(model.kind, block).random(256) for block in range(last // 256 + 1)])
    bad = bool(context.stream_generator(f"{model.kind} start").random() < to_bad / (to_bad + to_good))
    for each in u[: last + 1]:
        bad = bool(each < 1 - to_good) if bad else bool(each < to_bad)
    assert model.fate(context).lost == bad


def test_delays_and_losses_of_several_effects_add_up() -> None:
    chain = Chain([], [Delay(delay_ms=10.0), Delay(delay_ms=5.0, jitter_ms=2.0), Loss(probability=1.0)])
    fate = chain.fate(at())
    assert fate.lost
    assert 15.0 <= fate.delay_ms <= 17.0


async def test_lost_frame_is_reported_erased_in_its_turn_and_never_reaches_the_receiver() -> None:
    async with bench(seed=3) as parts, channel_client(parts.proxy.address) as client:
        await client.set(impairments=[{"kind": "loss", "probability": 0.5}])
        sender = await parts.sender()
        reports = []
        for _ in range(20):
            await sender.send(unit_frame())
            await sender.send(unit_frame())
            reports += [await sender.report(), await sender.report()]
        stats = await client.stats()
        arrived = {frame.sequence for frame in parts.receiver.frames["s"]}
    assert [report.sequence for report in reports] == list(range(1, 41))
    lost = {report.sequence for report in reports if report.channel.lost}
    assert 5 < len(lost) < 35
    assert arrived == set(range(1, 41)) - lost
    assert (stats.frames, stats.frames_lost, stats.frames_erased) == (40, len(lost), len(lost))
    for report in reports:
        assert (report.outcome == link_pb2.FRAME_OUTCOME_ERASED) == report.channel.lost
        assert bool(report.message) == report.channel.lost


async def test_delayed_frames_arrive_late_in_order_and_side_by_side() -> None:
    async with bench() as parts, channel_client(parts.proxy.address) as client:
        await client.set(impairments=[{"kind": "delay", "delay_ms": 400.0, "jitter_ms": 100.0}])
        sender = await parts.sender()
        began = time.monotonic()
        for _ in range(4):
            await sender.send(unit_frame())
        reports = [await sender.report() for _ in range(4)]
        took_s = time.monotonic() - began
    assert [report.sequence for report in reports] == [1, 2, 3, 4]
    assert all(400.0 <= report.channel.delay_ms <= 500.0 for report in reports)
    assert 0.4 <= took_s < 4 * 0.4


def test_duplicates_and_late_frames_come_at_the_declared_rate_and_depth() -> None:
    twice = [Duplicate(probability=0.2).fate(at(sequence)).stale_by for sequence in range(1, 5001)]
    late = [Reorder(probability=0.4, depth=4).fate(at(sequence)).stale_by for sequence in range(1, 5001)]
    assert set(twice) == {0, 1}
    assert np.mean(twice) == pytest.approx(0.2, abs=0.025)
    assert [np.mean(np.equal(late, places)) for places in range(1, 5)] == pytest.approx([0.1] * 4, abs=0.02)


async def test_stale_samples_arrive_in_a_frames_place_and_the_truth_says_which() -> None:
    frames = [unit_frame(20 + index, seed=index) for index in range(30)]
    async with bench(snr_db=60.0) as parts, channel_client(parts.proxy.address) as client:
        await client.set(impairments=[{"kind": "reorder", "probability": 0.5, "depth": 3}, {"kind": "duplicate"}])
        sender = await parts.sender()
        reports = [await sender.exchange(frame) for frame in frames]
        received = parts.received()
    assert [report.sequence for report in reports] == list(range(1, 31))
    ages = [report.channel.stale_by for report in reports]
    assert set(ages) == {0, 1, 2, 3}
    for index, (age, samples) in enumerate(zip(ages, received, strict=True)):
        assert samples == pytest.approx(frames[index - age], abs=0.02)


async def test_receiver_never_decodes_a_frame_in_the_place_of_another() -> None:
    """P1 and P2 over a link that repeats and reorders: what is stale is erased, and everything else is decoded."""
    codec, generator = PhaseCodec(), np.random.default_rng(1)
    async with bench(snr_db=20.0) as parts, channel_client(parts.proxy.address) as client:
        await client.set(
            impairments=[{"kind": "reorder", "probability": 0.3}, {"kind": "duplicate", "probability": 0.3}]
        )
        sender = await parts.sender()
        reports = []
        for sequence in range(1, 41):
            header = FrameHeader(codec.codec_id, FrameKind.KEY, sequence, 12)
            payload = codec.encode(latent_of(generator.uniform(0, 5, 5)), 50, 12.0)
            reports.append(await sender.exchange(build_frame(header, payload, profile_for(12.0)).samples))
        received = parts.received()
    follow_ups = PhaseFollowUps()
    outcomes = [read_frame(samples, index + 1, codec, follow_ups, None) for index, samples in enumerate(received)]
    stale = [report.channel.stale_by > 0 for report in reports]
    assert 5 < sum(stale) < 35
    assert [isinstance(outcome, ErasedFrame) for outcome in outcomes] == stale


async def test_drain_waits_for_delayed_frames() -> None:
    async with bench() as parts, channel_client(parts.proxy.address) as client:
        await client.set(impairments=[{"kind": "delay", "delay_ms": 200.0}])
        sender = await parts.sender()
        await sender.send(unit_frame())
        await asyncio.sleep(0.05)
        stopping = asyncio.create_task(parts.proxy.stop(2.0))
        assert (await sender.report()).sequence == 1
        await stopping
