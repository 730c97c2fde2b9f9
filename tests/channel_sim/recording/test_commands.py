"""``deepsc channel record`` and ``replay`` as programs: signals, killed neighbours, a receiver fed again."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from shared.phy.cf32 import to_bytes
from tests.channel_sim.bench import Bench, bench, unit_frame
from tests.channel_sim.test_cli import run

PIPE = asyncio.subprocess.PIPE


@asynccontextmanager
async def recording(parts: Bench, *words: str) -> AsyncIterator[Any]:
    """``deepsc channel record`` from the moment that it records."""
    command = (sys.executable, "-m", "cli.main", "channel", "record", *words, "--target", parts.proxy.address)
    child = await asyncio.create_subprocess_exec(*command, "--json", stdout=PIPE, stderr=PIPE)
    assert child.stderr is not None
    line = b""
    while b"recording what passes" not in line:
        line = await asyncio.wait_for(child.stderr.readline(), 30)
        assert line, "it ended before it began"
    try:
        yield child
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()


async def replay(*words: str) -> tuple[int, dict[str, Any]]:
    command = (sys.executable, "-m", "cli.main", "channel", "replay", *words, "--json")
    child = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    output, _ = await child.communicate()
    assert child.returncode is not None
    return child.returncode, json.loads(output)


async def sent(parts: Bench, stream_id: str, frames: int) -> None:
    sender = await parts.sender(stream_id)
    for index in range(frames):
        await sender.exchange(unit_frame(50, seed=index))
    await sender.call.done_writing()
    await sender.call.read()


async def test_sigterm_finishes_a_recording_that_a_fresh_receiver_can_be_fed_with(tmp_path: Path) -> None:
    name = str(tmp_path / "run")
    async with bench(snr_db=3.0, fading="rayleigh", seed=7) as parts:
        async with recording(parts, name, "--at", "both") as child:
            await sent(parts, "a", 5)
            await sent(parts, "b", 3)
            await asyncio.sleep(0.2)
            child.send_signal(signal.SIGTERM)
            output, _ = await asyncio.wait_for(child.communicate(), 10)
        assert child.returncode == 0
        document = json.loads(output)
        assert (document["ended_by"], document["frames"], document["skipped"]) == ("signal", 8, 0)
        received = {stream_id: [to_bytes(each) for each in parts.received(stream_id)] for stream_id in "ab"}
    for base in document["recordings"]:
        async with bench() as fresh:
            status, report = await replay(base, "--target", fresh.receiver_service.address)
            again = {stream_id: [to_bytes(each) for each in fresh.received(stream_id)] for stream_id in "ab"}
        assert (status, report["identical"], report["differing"]) == (0, 8, [])
        assert [(each["stream_id"], each["decoded"]) for each in report["streams"]] == [("a", 5), ("b", 3)]
        assert again == received


async def test_frames_as_sent_can_be_passed_over_another_channel(tmp_path: Path) -> None:
    name = str(tmp_path / "run.sigmf-meta")
    async with bench(snr_db=20.0) as parts, recording(parts, name, "--frames", "4") as child:
        await sent(parts, "a", 4)
        await asyncio.wait_for(child.communicate(), 10)
    async with bench(snr_db=-5.0, seed=3) as other:
        status, report = await replay(name, "--target", other.proxy.address, "--as-sent")
        await sent(other, "direct", 0)
        assert (status, report["streams"][0]["decoded"]) == (0, 4)
        assert [frame.sequence for frame in other.receiver.frames["a"]] == [1, 2, 3, 4]
    assert "identical" not in report


async def test_killed_recorder_leaves_nothing_that_looks_like_a_recording(tmp_path: Path) -> None:
    async with bench() as parts, recording(parts, str(tmp_path / "run")) as child:
        await sent(parts, "a", 3)
        child.kill()
        await child.wait()
        assert {path.name for path in tmp_path.iterdir()} == {"run.sigmf-data.part"}
        await sent(parts, "b", 3)
    result = run("replay", str(tmp_path / "run"))
    assert (result.status, "run.sigmf-meta is not there" in result.stderr) == (2, True)


async def test_recording_outlives_a_proxy_that_is_cut_off_and_says_so(tmp_path: Path) -> None:
    async with bench(drain_seconds=0.0) as parts, recording(parts, str(tmp_path / "run")) as child:
        await sent(parts, "a", 3)
        await asyncio.sleep(0.2)
        await parts.proxy.stop(0.0)
        output, _ = await asyncio.wait_for(child.communicate(), 10)
    assert json.loads(output)["ended_by"] in ("proxy lost", "proxy stopped")
    assert child.returncode == (1 if json.loads(output)["ended_by"] == "proxy lost" else 0)
    assert run("replay", str(tmp_path / "run")).stdout.endswith("bit for bit as they were: 3\n")


async def test_replay_fails_where_a_frame_differs(tmp_path: Path) -> None:
    name = tmp_path / "run"
    async with bench() as parts, recording(parts, str(name), "--frames", "2") as child:
        await sent(parts, "a", 2)
        await asyncio.wait_for(child.communicate(), 10)
    metadata = name.with_name("run.sigmf-meta")
    document = json.loads(metadata.read_text())
    document["annotations"][1]["deepsc:start_s"] = 0.0
    document["annotations"][1]["deepsc:seed"] = 99
    metadata.write_text(json.dumps(document))
    status, report = await replay(str(name))
    assert (status, report["identical"], report["differing"]) == (1, 1, [{"stream_id": "a", "sequence": 2}])


def test_what_makes_no_sense_gets_a_sentence(tmp_path: Path) -> None:
    for words, sentence in (
        (("record", str(tmp_path / "x"), "--at", "home", "--target", "127.0.0.1:1"), "sender, receiver or both"),
        (("record", str(tmp_path / "x"), "--target", "127.0.0.1:1"), "the channel at 127.0.0.1:1 went away"),
        (("replay", str(tmp_path / "x")), "is not there"),
        (("record", "."), ". names a folder; name the recording in it, such as air"),
        (("replay", ".."), ".. names a folder"),
    ):
        result = run(*words)
        assert result.status in (1, 2)
        assert sentence in result.stderr
    assert not list(tmp_path.iterdir())
