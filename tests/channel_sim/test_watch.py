"""``deepsc channel watch``: a view of every link, as JSON or as lines, with the latest frames."""

import asyncio
import json
import sys
from typing import Any

from channel_sim.client import channel_client
from cli.channel_watch import sparkline
from protos import channel_pb2
from tests.channel_sim.bench import bench, unit_frame
from tests.channel_sim.test_cli import run


def test_sparkline_spans_its_values_and_leaves_gaps() -> None:
    assert sparkline([0.0, 10.0, 20.0, None]) == "▁▅█·"
    assert sparkline([5.0, 5.1]) == "▄▅"
    assert sparkline([None, None]) == "··"
    assert sparkline([]) == ""


async def watched(address: str, *words: str) -> str:
    command = (sys.executable, "-m", "cli.main", "channel", "watch", "--target", address, *words)
    child = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    output, _ = await child.communicate()
    assert child.returncode == 0
    return output.decode()


async def test_one_look_shows_levels_erasures_and_the_latest_frames() -> None:
    async with bench(snr_db=8.0) as parts, channel_client(parts.proxy.address) as client:
        parts.receiver.misdeeds[2] = "erase"
        sender = await parts.sender()
        truths = [(await sender.exchange(unit_frame(2000))).channel for _ in range(70)]
        await client.set(impairments=[{"kind": "loss", "probability": 1.0}], snr_db=3.0)
        await sender.exchange(unit_frame(2000))
        (link,) = json.loads(await watched(parts.proxy.address, "--once", "--json"))["links"]
        line = await watched(parts.proxy.address, "--once")
    assert (link["link"], link["version"], link["frames"], link["frames_lost"]) == ("default", 2, 71, 1)
    assert (link["frames_erased"], link["streams_open"], link["snr_db"]) == (2, 1, 3.0)
    recent: dict[str, Any] = link["recent"]
    assert recent["snr_db_realised"] == [*(truth.snr_db_realised for truth in truths[-63:]), None]
    assert recent["erased"] == [*[False] * 63, True]
    assert line.startswith("default: SNR 3 dB, realised 8.")
    assert line.rstrip().endswith("·")


async def test_json_is_a_document_a_look_until_the_reader_leaves() -> None:
    async with bench() as parts:
        words = (sys.executable, "-m", "cli.main", "channel", "watch", "--interval", "0.05", "--json", "--target")
        child = await asyncio.create_subprocess_exec(*words, parts.proxy.address, stdout=asyncio.subprocess.PIPE)
        assert child.stdout is not None
        views = [json.loads(await child.stdout.readline()) for _ in range(3)]
        child.terminate()
        await child.wait()
    assert [view["links"][0]["frames"] for view in views] == [0, 0, 0]
    assert views[0]["time"] < views[2]["time"]


async def test_glimpses_are_bounded_and_gone_with_a_reset() -> None:
    async with bench() as parts, channel_client(parts.proxy.address) as client:
        sender = await parts.sender()
        for _ in range(66):
            await sender.exchange(unit_frame())
        assert [each.sequence for each in (await client.stats()).recent] == list(range(3, 67))
        await client.reset()
        assert list((await client.stats()).recent) == list[channel_pb2.FrameGlimpse]()


def test_absent_proxy_is_a_sentence() -> None:
    result = run("watch", "--once", "--target", "127.0.0.1:1", "--json")
    assert (result.status, json.loads(result.stdout)["error"]["reason"]) == (1, "LINK_LOST")
