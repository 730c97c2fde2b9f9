"""Streams through a real proxy over loopback: passed on in order, bounded, validated, and ended with a typed status."""

import asyncio
from typing import Any

import grpc.aio
import numpy as np
import pytest

from channel_sim.client import channel_client
from channel_sim.config import LinkConfig
from channel_sim.randomness import FrameContext
from protos import channel_pb2, link_pb2
from shared.errors import InvalidInput, LinkLost, Overloaded, PeerFault, SampleError, UnknownLink
from shared.phy.cf32 import Samples
from tests.channel_sim.bench import Sender, bench, received_of, unit_frame

DECODED, ERASED = link_pb2.FRAME_OUTCOME_DECODED, link_pb2.FRAME_OUTCOME_ERASED


async def test_frames_arrive_noisy_in_order_and_reports_come_back_with_the_truth() -> None:
    async with bench(snr_db=10.0) as parts:
        sender = await parts.sender()
        frames = [unit_frame(4000, seed) for seed in (1, 2, 3)]
        reports = [await sender.exchange(frame) for frame in frames]
        await sender.call.done_writing()
        assert await sender.call.read() is grpc.aio.EOF
    assert [report.sequence for report in reports] == [1, 2, 3]
    for report, sent, received in zip(reports, frames, parts.received(), strict=True):
        noise = received - sent
        realised = -10 * np.log10(np.mean(np.abs(noise) ** 2))
        assert (report.outcome, report.channel.link, report.channel.config_version) == (DECODED, "default", 1)
        assert (report.channel.snr_db, report.channel.gain_db, report.channel.lost) == (10.0, 0.0, False)
        assert report.channel.snr_db_realised == pytest.approx(realised, abs=0.01)
        assert report.channel.snr_db_realised == pytest.approx(10.0, abs=0.3)


async def test_gain_of_a_faded_frame_is_reported_as_it_was() -> None:
    async with bench(snr_db=60.0, fading="rayleigh") as parts:
        sender = await parts.sender()
        reports = [await sender.exchange(unit_frame(500)) for _ in range(5)]
    h = [complex(np.vdot(unit_frame(500), received)) / 500 for received in parts.received()]
    assert [report.channel.gain_db for report in reports] == pytest.approx(
        [20 * np.log10(abs(each)) for each in h], abs=0.05
    )
    assert np.ptp(np.angle(h)) > 0.5


async def test_same_seed_gives_bit_identical_samples_in_a_fresh_proxy() -> None:
    frames = [unit_frame(100, seed) for seed in range(4)]
    once, again, other = [await received_of(frames, snr_db=3.0, fading="rayleigh", seed=seed) for seed in (7, 7, 8)]
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert not any(np.array_equal(a, b) for a, b in zip(once, other, strict=True))


async def test_other_streams_and_timing_change_no_sample() -> None:
    frames = [unit_frame(100, seed) for seed in range(6)]
    alone = {name: await received_of(frames, name, snr_db=3.0, fading="rayleigh", seed=7) for name in ("a", "b", "c")}
    async with bench(snr_db=3.0, fading="rayleigh", seed=7) as parts:

        async def stream(name: str, ahead: int, pause: float) -> None:
            sender = await parts.sender(name)
            for index, frame in enumerate(frames):
                await sender.send(frame)
                await asyncio.sleep(pause)
                if index >= ahead:
                    await sender.report()

        await asyncio.gather(stream("a", 0, 0.003), stream("b", 3, 0.0), stream("c", 1, 0.001))
        await asyncio.sleep(0.1)
        for name, expected in alone.items():
            assert all(np.array_equal(a, b) for a, b in zip(expected, parts.received(name), strict=True))
    assert not np.array_equal(alone["a"][0], alone["b"][0])


async def test_frame_of_any_length_comes_out_as_the_chain_alone_makes_it() -> None:
    config = LinkConfig(snr_db=4.0, seed=11).with_fading("tdl")
    async with bench(snr_db=4.0, seed=11, fading="tdl") as parts:
        parts.receiver.max_samples = 65_536
        sender = await parts.sender("long")
        frames = [unit_frame(count) for count in (1, 300, 20_000, 65_536)]
        for frame in frames:
            await sender.exchange(frame)
        received = parts.received("long")
    before = 0
    for index, (frame, got) in enumerate(zip(frames, received, strict=True)):
        context = FrameContext(11, "long", index + 1, before / 1e6)
        assert np.array_equal(config.chain().pass_through(frame, context).samples, got)
        before += frame.size


async def test_strict_mode_strips_diagnostics_and_the_other_passes_them() -> None:
    for strict, expected in ((True, {}), (False, {"note": "hello"})):
        async with bench(strict=strict) as parts:
            sender = await parts.sender()
            await sender.exchange(unit_frame(), diagnostics={"note": "hello"})
            assert dict(parts.receiver.frames["s"][0].diagnostics) == expected


async def test_receiver_sees_a_frame_and_nothing_of_the_channel() -> None:
    async with bench() as parts:
        sender = await parts.sender()
        await sender.exchange(unit_frame())
        fields = {field.name for field, _ in parts.receiver.frames["s"][0].ListFields()}
    assert fields == {"sequence", "sample_count", "samples"}


async def test_smaller_bound_of_proxy_and_receiver_is_granted() -> None:
    async with bench(credits=3, max_samples=8192) as parts:
        accepted = await Sender(parts.channel, "s").open()
    assert (accepted.credits, accepted.max_samples) == (3, 4096)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"sample_count": 65}, "65 samples"),
        ({"samples": b"\0" * 511}, "511"),
        ({"sample_count": 0, "samples": b""}, "1 to 4096"),
        ({"sample_count": 5000, "samples": b"\0" * 40000}, "4096"),
        ({"samples": np.full(64, np.nan, np.complex64).tobytes()}, "NaN"),
        ({"samples": np.full(64, np.inf, np.complex64).tobytes()}, "infinite"),
        ({"samples": np.full(64, 1e30, np.complex64).tobytes()}, "mean power 1"),
        ({"sequence": 1}, "frame 1 came after frame 1"),
        ({"sequence": 0}, "frame 0 came after frame 1"),
    ],
)
async def test_bad_frame_ends_the_stream_with_a_sentence_after_the_good_ones_reports(
    fields: dict[str, Any], sentence: str
) -> None:
    async with bench() as parts:
        sender = await parts.sender()
        await sender.send(unit_frame())
        bad: dict[str, Any] = {"sequence": 2, "sample_count": 64, "samples": unit_frame().tobytes(), **fields}
        await sender.call.write(link_pb2.TransmitRequest(frame=link_pb2.Frame(**bad)))
        assert (await sender.report()).sequence == 1
        with pytest.raises(SampleError, match=sentence):
            await sender.report()
        assert await sender.call.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert (await (await parts.sender("next")).exchange(unit_frame())).outcome == DECODED


async def test_stream_must_be_opened_once_and_with_a_name() -> None:
    async with bench() as parts:
        unopened = Sender(parts.channel, "s")
        await unopened.send(unit_frame())
        with pytest.raises(InvalidInput, match="first request"):
            await unopened.report()
        for name in ("", "x" * 129):
            with pytest.raises(InvalidInput, match="1 to 128 characters"):
                await Sender(parts.channel, name).open()
        twice = await parts.sender()
        await twice.call.write(link_pb2.TransmitRequest(open=link_pb2.StreamOpen(stream_id="s")))
        with pytest.raises(InvalidInput, match="opened once"):
            await twice.report()


async def test_call_that_is_never_opened_counts_as_a_stream_and_ends_soon() -> None:
    async with bench(connect_seconds=0.5, max_streams=1) as parts:
        silent = Sender(parts.channel, "s")
        await silent.call.wait_for_connection()
        ending = asyncio.create_task(silent.report())
        await asyncio.sleep(0.2)
        with pytest.raises(Overloaded):
            await Sender(parts.channel, "other").open()
        with pytest.raises(InvalidInput, match="first request"):
            await asyncio.wait_for(ending, 10)
        await parts.sender("other")


async def test_unknown_link_is_not_found_and_names_those_there_are() -> None:
    async with bench() as parts:
        with pytest.raises(UnknownLink, match="no link 'moon'; there are default"):
            await Sender(parts.channel, "s", link="moon").open()


async def test_sender_beyond_its_credits_is_refused() -> None:
    async with bench(credits=2) as parts:
        parts.receiver.reporting.clear()
        sender = await parts.sender()
        for _ in range(3):
            await sender.send(unit_frame())
        await asyncio.sleep(0.1)
        parts.receiver.reporting.set()
        assert [(await sender.report()).sequence for _ in range(2)] == [1, 2]
        with pytest.raises(Overloaded, match="frame 3 is one more than the 2"):
            await sender.report()


async def test_no_more_than_the_credits_is_held_when_the_receiver_stops_reading() -> None:
    async with bench(credits=4) as parts:
        parts.receiver.reading.clear()
        sender = await parts.sender()
        for _ in range(4):
            await sender.send(unit_frame(4000))
        assert (await sender.report()).sequence == 1
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(asyncio.create_task(sender.report())), 0.2)
        assert len(parts.receiver.frames["s"]) == 1
        parts.receiver.reading.set()
        await asyncio.sleep(0.1)
        assert len(parts.receiver.frames["s"]) == 4


async def test_no_stream_beyond_the_most_is_taken_and_an_ended_one_makes_room() -> None:
    async with bench(max_streams=1) as parts:
        first = await parts.sender("first")
        with pytest.raises(Overloaded, match="1 streams are open"):
            await Sender(parts.channel, "second").open()
        first.call.cancel()
        await asyncio.sleep(0.1)
        await parts.sender("second")


async def test_cancelled_sender_frees_the_receiver_too() -> None:
    async with bench() as parts:
        sender = await parts.sender()
        await sender.exchange(unit_frame())
        assert parts.receiver.streams_open == 1
        sender.call.cancel()
        await asyncio.sleep(0.2)
        assert parts.receiver.streams_open == 0


@pytest.mark.parametrize(
    ("misdeed", "error", "sentence"),
    [
        ("refuse", SampleError, "^the receiver does not like this frame$"),
        ("misnumber", PeerFault, "reported frame 102 where 2 was due"),
        ("hang up", LinkLost, "before it reported frame 2"),
    ],
)
async def test_what_the_receiver_says_ends_the_stream_typed(
    misdeed: str, error: type[Exception], sentence: str
) -> None:
    async with bench() as parts:
        parts.receiver.misdeeds[2] = misdeed
        sender = await parts.sender()
        assert (await sender.exchange(unit_frame())).sequence == 1
        with pytest.raises(error, match=sentence):
            await sender.exchange(unit_frame())


async def test_receiver_going_away_while_nothing_is_sent_ends_the_stream_at_once() -> None:
    async with bench() as parts:
        sender = await parts.sender()
        await sender.exchange(unit_frame())
        await parts.receiver_service.stop(0.0)
        with pytest.raises(LinkLost, match=r"the receiver at 127.0.0.1:\d+ went away"):
            await asyncio.wait_for(sender.report(), 2.0)


async def test_receiver_that_is_not_there_is_a_lost_link_with_a_sentence() -> None:
    async with bench(target="127.0.0.1:1", connect_seconds=0.2) as parts:
        with pytest.raises(LinkLost, match=r"did not accept the stream within 0\.2 s; is it running"):
            await Sender(parts.channel, "s").open()


async def test_drain_reports_what_was_taken_and_then_ends_the_stream_with_unavailable() -> None:
    async with bench() as parts:
        parts.receiver.reporting.clear()
        sender = await parts.sender()
        await sender.send(unit_frame())
        await sender.send(unit_frame())
        await asyncio.sleep(0.1)
        stopping = asyncio.create_task(parts.proxy.stop(2.0))
        await asyncio.sleep(0.1)
        await sender.send(unit_frame())
        await asyncio.sleep(0.1)
        parts.receiver.reporting.set()
        assert [(await sender.report()).sequence for _ in range(2)] == [1, 2]
        with pytest.raises(LinkLost, match="the channel is stopping"):
            await sender.report()
        await asyncio.wait_for(stopping, 1.0)
        assert [frame.sequence for frame in parts.receiver.frames["s"]] == [1, 2]


async def test_stats_count_frames_samples_and_erasures() -> None:
    async with bench(snr_db=5.0) as parts:
        parts.receiver.misdeeds[2] = "erase"
        sender = await parts.sender()
        reports = [await sender.exchange(unit_frame(4000)) for _ in range(5)]
        stats = await parts.control.GetStats(channel_pb2.GetStatsRequest())
        await sender.call.done_writing()
        assert await sender.call.read() is grpc.aio.EOF
        assert (await parts.control.GetStats(channel_pb2.GetStatsRequest())).streams_open == 0
    assert (stats.streams, stats.streams_open, stats.frames, stats.samples) == (1, 1, 5, 20_000)
    assert (stats.frames_erased, stats.frames_lost) == (1, 0)
    noise = [10 ** (-report.channel.snr_db_realised / 10) for report in reports]
    assert stats.snr_db_realised == pytest.approx(-10 * np.log10(np.mean(noise)), abs=1e-3)
    assert stats.gain_db == pytest.approx(0.0, abs=1e-4)


async def test_streams_own_time_counts_samples_and_gaps() -> None:
    async with bench(snr_db=100.0) as parts, channel_client(parts.proxy.address) as client:
        await client.set(sample_rate_hz=1e5, frame_gap_ms=4.0, impairments=[{"kind": "cfo", "offset_hz": 100.0}])
        sender = await parts.sender()
        for _ in range(3):
            await sender.exchange(np.ones(100, np.complex64))
        starts = [samples[0] for samples in parts.received()]
    # A frame takes 1 ms and the gap 4 ms: half a turn at 100 Hz.
    assert np.allclose(starts, [1, -1, 1], atol=1e-3)


async def test_a_hundred_streams_do_not_mix() -> None:
    async with bench(snr_db=30.0, seed=3) as parts:

        async def stream(index: int) -> Samples:
            frame = unit_frame(256, seed=index)
            sender = await parts.sender(f"s{index}")
            assert [(await sender.exchange(frame)).sequence for _ in range(3)] == [1, 2, 3]
            return frame

        sent = await asyncio.gather(*(stream(index) for index in range(100)))
        for index, frame in enumerate(sent):
            for received in parts.received(f"s{index}"):
                assert np.mean(np.abs(received - frame) ** 2) < 2e-3
