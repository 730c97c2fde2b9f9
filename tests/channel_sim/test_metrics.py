"""Metrics as Prometheus reads them: off unless a port is given, by link, and true."""

import asyncio
import socket
import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from channel_sim.client import channel_client
from channel_sim.config import LinkConfig
from channel_sim.messages import config_message
from channel_sim.metrics import Metrics, exposed
from shared.errors import InvalidInput
from tests.channel_sim.bench import bench, unit_frame


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


def scraped(port: int) -> dict[tuple[str, str, str], float]:
    """Value by metric, link and bucket."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
        text = answer.read().decode()
    return {
        (sample.name.removeprefix("deepsc_channel_"), sample.labels.get("link", ""), sample.labels.get("le", "")): (
            sample.value
        )
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_frames_losses_erasures_and_levels_are_counted_by_link() -> None:
    port = free_port()
    async with bench(snr_db=5.0, metrics_port=port) as parts, channel_client(parts.proxy.address) as client:
        await client.populate(
            [config_message("lossy", LinkConfig().changed(impairments=[{"kind": "loss", "probability": 1.0}]))]
        )
        parts.receiver.misdeeds[2] = "erase"
        sender, lossy = await parts.sender("s"), await parts.sender("t", link="lossy")
        for _ in range(4):
            await sender.exchange(unit_frame(1000))
            await lossy.exchange(unit_frame(1000))
        values = await asyncio.to_thread(scraped, port)
        sender.call.cancel()
        await asyncio.sleep(0.1)
        later = await asyncio.to_thread(scraped, port)
    for (name, link), expected in {
        ("frames_total", "default"): 4,
        ("frames_lost_total", "default"): 0,
        ("frames_erased_total", "default"): 1,
        ("samples_total", "default"): 4000,
        ("streams_open", "default"): 1,
        ("snr_db_declared", "default"): 5.0,
        ("snr_db_realised_count", "default"): 4,
        ("gain_db_count", "default"): 4,
        ("added_seconds_count", "default"): 4,
        ("frames_total", "lossy"): 4,
        ("frames_lost_total", "lossy"): 4,
        ("frames_erased_total", "lossy"): 4,
    }.items():
        assert values.get((name, link, ""), 0) == expected, (name, link)
    assert values["snr_db_realised_bucket", "default", "6.0"] - values["snr_db_realised_bucket", "default", "4.0"] == 4
    assert 0 < values["added_seconds_sum", "default", ""] < 1
    assert later["streams_open", "default", ""] == 0


async def test_delay_that_was_asked_for_is_no_added_latency() -> None:
    port = free_port()
    async with bench(metrics_port=port) as parts, channel_client(parts.proxy.address) as client:
        await client.set(impairments=[{"kind": "delay", "delay_ms": 300.0}])
        await (await parts.sender()).exchange(unit_frame())
        values = await asyncio.to_thread(scraped, port)
    assert values["added_seconds_sum", "default", ""] < 0.2


async def test_port_that_is_taken_gets_a_sentence() -> None:
    with exposed(Metrics(), "127.0.0.1", 0) as port, pytest.raises(InvalidInput, match=f"{port} .*METRICS_PORT"):
        async with bench(metrics_port=port):
            pass
