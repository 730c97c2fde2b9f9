"""Recordings open in the field's tools, hold what passed, and give the same run again bit for bit."""

import asyncio
import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sigmf

from channel_sim.client import channel_client
from channel_sim.config import LinkConfig, checked_config
from channel_sim.messages import config_fields, config_message
from channel_sim.randomness import FrameContext
from channel_sim.recording import Place, Recording, RecordingWriter, read_recording, replayed
from channel_sim.recording.session import Bounds, Recorded, record
from shared.errors import InvalidInput, Overloaded
from shared.phy.cf32 import to_bytes
from tests.channel_sim.bench import Bench, bench, unit_frame

EVERYTHING = [
    {"kind": "rapp"},
    {"kind": "tdl", "profile": "D", "delay_spread_ns": 800.0, "doppler_hz": 70.0},
    {"kind": "impulses"},
    {"kind": "cfo"},
    {"kind": "phase_noise"},
    {"kind": "sfo"},
    {"kind": "adc"},
    {"kind": "gilbert_elliott", "to_bad": 0.3},
    {"kind": "duplicate", "probability": 0.3},
    {"kind": "reorder", "probability": 0.3},
]


class Tape:
    """A recording under way beside a test."""

    def __init__(self, parts: Bench, bases: dict[Place, Path], options: dict[str, Any]) -> None:
        self._stop = asyncio.Event()
        self._begun = asyncio.Event()
        self._task = asyncio.create_task(self._run(parts, bases, **options))

    async def _run(self, parts: Bench, bases: dict[Place, Path], **options: Any) -> Recorded:
        bounds = options.pop("bounds", Bounds(1000, 2**20))
        async with channel_client(parts.proxy.address) as client:
            return await record(client, bases, bounds, self._stop, begun=self._begun.set, **options)

    async def begun(self) -> None:
        while not (self._begun.is_set() or self._task.done()):
            await asyncio.sleep(0.01)

    async def ended(self) -> Recorded:
        return await asyncio.wait_for(self._task, 10)

    async def stop(self) -> Recorded:
        # What has passed is on its way: give it the time to come.
        await asyncio.sleep(0.2)
        self._stop.set()
        return await self.ended()


async def taped(parts: Bench, bases: dict[Place, Path], **options: Any) -> Tape:
    tape = Tape(parts, bases, options)
    await tape.begun()
    return tape


def ids(recording: Recording) -> list[str]:
    return [stream[0].stream_id for stream in recording.streams]


async def run_of(tmp_path: Path) -> tuple[Recorded, Recording, Recording, Bench]:
    """Two streams over a link with everything, changed on the way, recorded at both places."""
    bases: dict[Place, Path] = {"sender": tmp_path / "a", "receiver": tmp_path / "b"}
    async with (
        bench(snr_db=6.0, seed=7, allow_overrides=True) as parts,
        channel_client(parts.proxy.address) as client,
    ):
        await client.set(impairments=EVERYTHING, frame_gap_ms=3.0)
        tape = await taped(parts, bases)
        one, two = await parts.sender("one"), await parts.sender("two", override='{"snr_db": 20}')
        for index in range(12):
            if index == 6:
                await client.set(snr_db=0.0, fading="rician")
            await one.exchange(unit_frame(64 + index))
            await two.exchange(unit_frame(33), sequence=3 * index + 1)
        recorded = await tape.stop()
    return recorded, read_recording(bases["sender"]), read_recording(bases["receiver"]), parts


async def test_run_is_replayed_bit_for_bit_from_what_was_sent(tmp_path: Path) -> None:
    recorded, sent, received, parts = await run_of(tmp_path)
    assert (recorded.ended_by, recorded.frames, recorded.skipped) == ("signal", 24, 0)
    for recording in (sent, received):
        assert ids(recording) == ["one", "two"]
        for stream in recording.streams:
            run = list(replayed(recording, stream))
            assert all(each.identical for each in run)
            again = [each.delivered for each in run if each.delivered is not None]
            assert len(again) < 12
            assert again == [to_bytes(samples) for samples in parts.received(stream[0].stream_id)]
    assert any(frame.stale_by for frame in sent.frames)


async def test_frames_carry_the_truth_about_them(tmp_path: Path) -> None:
    _, sent, received, _ = await run_of(tmp_path)
    assert len(sent.configs) == 4
    for frame in sent.frames:
        assert (frame.link, frame.seed, frame.overridden) == ("default", 7, frame.stream_id == "two")
        assert frame.snr_db == (20.0 if frame.overridden else 6.0 if frame.config_version == 2 else 0.0)
        assert (frame.snr_db_realised is None) == (frame.gain_db is None) == frame.lost
        assert sent.configs[frame.config].snr_db == frame.snr_db
    for at_sender, at_receiver in zip(sent.frames, received.frames, strict=True):
        places = {"sample_start", "sample_count"}
        assert at_sender.model_dump(exclude=places) == at_receiver.model_dump(exclude=places)
        assert (at_receiver.sample_count == 0) == at_sender.lost
    assert any(frame.lost for frame in sent.frames)


async def test_recording_is_sigmf_to_the_letter(tmp_path: Path) -> None:
    await run_of(tmp_path)
    file = sigmf.fromfile(tmp_path / "a.sigmf-meta")
    file.validate()
    assert (file.get_global_field("core:datatype"), file.get_global_field("core:sample_rate")) == ("cf32_le", 1e6)
    first = file.get_annotations()[0]
    samples = file.read_samples(first["core:sample_start"], first["core:sample_count"])
    assert np.array_equal(samples, unit_frame(64))
    assert (first["core:label"], first["deepsc:snr_db"]) == ("one 1 lost", 6.0)


async def test_one_link_or_one_stream_can_be_recorded(tmp_path: Path) -> None:
    async with bench() as parts, channel_client(parts.proxy.address) as client:
        await client.populate([config_message("other", LinkConfig())])
        by_link = await taped(parts, {"sender": tmp_path / "link"}, link="other")
        by_stream = await taped(parts, {"sender": tmp_path / "stream"}, stream_id="a")
        for stream_id, link in (("a", "default"), ("b", "other"), ("c", "default")):
            await (await parts.sender(stream_id, link=link)).exchange(unit_frame())
        assert [(await tape.stop()).frames for tape in (by_link, by_stream)] == [1, 1]
        with pytest.raises(Exception, match="no link 'moon'"):
            await (await taped(parts, {"sender": tmp_path / "moon"}, link="moon")).ended()
    assert [ids(read_recording(tmp_path / name)) for name in ("link", "stream")] == [["b"], ["a"]]


@pytest.mark.parametrize(
    ("bounds", "ended_by", "frames"),
    [(Bounds(3, 2**20), "frames", 3), (Bounds(100, 1100), "size", 2), (Bounds(100, 2**20, 0.6), "seconds", 6)],
)
async def test_recording_ends_at_its_bound_and_is_whole(
    bounds: Bounds, ended_by: str, frames: int, tmp_path: Path
) -> None:
    async with bench() as parts:
        tape = await taped(parts, {"receiver": tmp_path / "r"}, bounds=bounds)
        sender = await parts.sender()
        for _ in range(6):
            await sender.exchange(unit_frame())
        recorded = await tape.ended()
    assert (recorded.ended_by, recorded.frames) == (ended_by, frames)
    assert len(read_recording(tmp_path / "r").frames) == frames


async def test_stopping_proxy_ends_a_recording_behind_its_last_frames(tmp_path: Path) -> None:
    async with bench() as parts:
        tape = await taped(parts, {"receiver": tmp_path / "r"})
        parts.receiver.reporting.clear()
        sender = await parts.sender()
        await sender.send(unit_frame())
        await sender.send(unit_frame())
        await asyncio.sleep(0.1)
        stopping = asyncio.create_task(parts.proxy.stop(5.0))
        await asyncio.sleep(0.1)
        parts.receiver.reporting.set()
        assert ((await tape.ended()).ended_by, len(read_recording(tmp_path / "r").frames)) == ("proxy stopped", 2)
        await asyncio.wait_for(stopping, 2)


async def test_existing_recording_is_replaced_only_if_asked(tmp_path: Path) -> None:
    async with bench() as parts:
        sender = await parts.sender()
        for overwrite in (False, True):
            tape = await taped(parts, {"sender": tmp_path / "r"}, overwrite=overwrite)
            await sender.exchange(unit_frame(10))
            await tape.stop()
        with pytest.raises(InvalidInput, match="is there already"):
            await (await taped(parts, {"sender": tmp_path / "r"})).ended()
    assert [frame.sequence for frame in read_recording(tmp_path / "r").frames] == [2]
    assert {path.name for path in tmp_path.iterdir()} == {"r.sigmf-data", "r.sigmf-meta"}


def test_recording_whose_writing_fails_leaves_nothing(tmp_path: Path) -> None:
    def fail_inside() -> None:
        with RecordingWriter(tmp_path / "r", "sender", "numpy"):
            assert {path.name for path in tmp_path.iterdir()} == {"r.sigmf-data.part"}
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_inside()
    assert not list(tmp_path.iterdir())


async def test_full_disk_gets_a_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "r.sigmf-data.part").symlink_to("/dev/full")
    async with bench() as parts:
        tape = await taped(parts, {"sender": tmp_path / "r"})
        await (await parts.sender()).exchange(unit_frame())
        with pytest.raises(InvalidInput, match="No space left on device"):
            await tape.stop()
    assert not list(tmp_path.iterdir())


async def test_no_more_than_four_record_at_once(tmp_path: Path) -> None:
    async with bench() as parts:
        tapes = [await taped(parts, {"sender": tmp_path / f"{index}"}) for index in range(4)]
        with pytest.raises(Overloaded, match="4 recordings"):
            await (await taped(parts, {"sender": tmp_path / "4"})).ended()
        for tape in tapes:
            await tape.stop()


async def test_recorder_that_does_not_read_misses_frames_and_holds_up_nobody() -> None:
    async with bench(max_samples=65_536) as parts, channel_client(parts.proxy.address) as client:
        parts.receiver.max_samples = 65_536
        events = client.record(sent=True, delivered=True)
        assert (await anext(events)).started.generator == f"numpy {np.__version__}"
        sender = await parts.sender()
        for _ in range(60):
            assert (await sender.exchange(unit_frame(65_536))).sequence
        frames = [(await anext(events)).frame for _ in range(30)]
        await sender.exchange(unit_frame(16))
        while frames[-1].sequence != 61:
            frames.append((await anext(events)).frame)
        await events.aclose()
    assert sum(frame.skipped for frame in frames) == 61 - len(frames) > 0
    assert [frame.sequence for frame in frames[:20]] == list(range(1, 21))


async def test_run_can_be_repeated_from_reports_and_the_versions_they_name() -> None:
    """Without any recording: truth, the version's configuration and the frame itself give the receiver's bytes."""
    async with bench(snr_db=6.0, seed=7) as parts, channel_client(parts.proxy.address) as client:
        sender = await parts.sender("s")
        truths = []
        for snr_db in (6.0, 0.0, 12.0):
            await client.set(snr_db=snr_db, impairments=EVERYTHING[:-3])
            truths += [(await sender.exchange(unit_frame(80))).channel for _ in range(2)]
        received = parts.received("s")
        for sequence, (truth, samples) in enumerate(zip(truths, received, strict=True), start=1):
            config = (await client.get(truth.link, truth.config_version)).config
            assert config.snr_db == truth.snr_db
            checked = checked_config(config_fields(config))
            context = FrameContext(truth.seed, "s", sequence, truth.start_s, checked.sample_rate_hz)
            again = checked.chain().pass_through(unit_frame(80), context).samples
            assert sha256(to_bytes(again)).digest() == sha256(to_bytes(samples)).digest()


def broken(tmp_path: Path, change: str) -> Path:
    """A recording of one frame with something wrong."""
    data, metadata = tmp_path / "r.sigmf-data", tmp_path / "r.sigmf-meta"
    document = json.loads(metadata.read_text())
    match change:
        case "truncated":
            data.write_bytes(data.read_bytes()[:-8])
        case "changed":
            data.write_bytes(b"\0" * len(data.read_bytes()))
        case "no data":
            data.unlink()
        case "no metadata":
            metadata.unlink()
        case "empty":
            data.write_bytes(b"")
        case "no json":
            metadata.write_text("{")
        case "another's":
            document["global"] = {name: document["global"][name] for name in ("core:version", "core:datatype")}
            metadata.write_text(json.dumps(document))
        case "beyond":
            document["annotations"][0]["core:sample_count"] = 1000
            metadata.write_text(json.dumps(document))
        case "no config":
            document["global"]["deepsc:configs"] = []
            metadata.write_text(json.dumps(document))
        case "bad config":
            document["global"]["deepsc:configs"][0]["snr_db"] = 1e6
            metadata.write_text(json.dumps(document))
    return tmp_path / "r"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ("truncated", "no whole SigMF recording"),
        ("changed", "no whole SigMF recording"),
        ("no data", "r.sigmf-data is not there"),
        ("no metadata", "r.sigmf-meta is not there"),
        ("empty", "is empty"),
        ("no json", "no whole SigMF recording"),
        ("another's", "not of a recording by 'deepsc channel record'"),
        ("beyond", "ends before the final annotation"),
        ("no config", "refers to what is not in the recording"),
        ("bad config", "snr_db is 1000000.0"),
    ],
)
async def test_broken_recording_gets_a_sentence(change: str, sentence: str, tmp_path: Path) -> None:
    async with bench() as parts:
        tape = await taped(parts, {"sender": tmp_path / "r"})
        await (await parts.sender()).exchange(unit_frame())
        await tape.stop()
    with pytest.raises(InvalidInput, match=sentence):
        read_recording(broken(tmp_path, change))


async def test_changed_channel_is_noticed(tmp_path: Path) -> None:
    async with bench() as parts:
        tape = await taped(parts, {"sender": tmp_path / "r"})
        await (await parts.sender()).exchange(unit_frame())
        await tape.stop()
    metadata = tmp_path / "r.sigmf-meta"
    document = json.loads(metadata.read_text())
    document["annotations"][0]["deepsc:seed"] += 1
    metadata.write_text(json.dumps(document))
    changed = read_recording(tmp_path / "r")
    assert [each.identical for each in replayed(changed, changed.frames)] == [False]


async def test_stream_that_is_opened_anew_is_another_one(tmp_path: Path) -> None:
    async with bench() as parts, channel_client(parts.proxy.address) as client:
        await client.set(impairments=[{"kind": "duplicate", "probability": 1.0}])
        tape = await taped(parts, {"sender": tmp_path / "r"})
        for seed in (1, 2):
            sender = await parts.sender("again")
            for index in range(3):
                await sender.exchange(unit_frame(20, 10 * seed + index))
            await sender.call.done_writing()
            await sender.call.read()
        await tape.stop()
    recording = read_recording(tmp_path / "r")
    assert [[frame.sequence for frame in stream] for stream in recording.streams] == [[1, 2, 3], [1, 2, 3]]
    assert all(each.identical for stream in recording.streams for each in replayed(recording, stream))
