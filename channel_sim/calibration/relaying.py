"""The proxy between two processes, timed beside a plain relay in its place and beside nothing at all."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from channel_sim.calibration.signals import white_frame
from protos import link_pb2, link_pb2_grpc
from shared.errors import LinkLost
from shared.phy.cf32 import to_bytes
from shared.transport import connect

_PLAIN = "channel_sim.calibration.plain"

# Frames under way at once: the proxy's default credits.
_WINDOW = 8

_WARM_UP = 20


@dataclass(frozen=True)
class Relaying:
    """Frames of one length over one stream.

    Attributes:
        frame_samples: length of the frames.
        plain: millions of samples per second over the plain relay.
        proxied: the same over the proxy, which adds noise on the way.
        added_ms_median: how much longer a frame and its report take over the proxy, one at a time, than the median of
            those with nothing in between.
        added_ms_p99: the same of the slowest in a hundred.
    """

    frame_samples: int
    plain: float
    proxied: float
    added_ms_median: float
    added_ms_p99: float

    @property
    def ratio(self) -> float:
        """The proxy's throughput over the plain relay's."""
        return self.proxied / self.plain

    def document(self) -> dict[str, float]:
        """For JSON."""
        numbers = {
            "plain_million_samples_per_second": self.plain,
            "proxied_million_samples_per_second": self.proxied,
            "ratio": self.ratio,
            "added_ms_median": self.added_ms_median,
            "added_ms_p99": self.added_ms_p99,
        }
        return {"frame_samples": self.frame_samples, **{name: round(value, 3) for name, value in numbers.items()}}


async def relaying(lengths: tuple[int, ...], seconds: float, rounds: int = 3) -> list[Relaying]:
    """Times three processes: this one sends, one relays, one answers.

    Relays take turns, so that both meet the same load from elsewhere, and the best round of each counts.

    Args:
        lengths: of the frames, in samples.
        seconds: that one round of one relay may take.
        rounds: how often each is timed.
    """
    async with AsyncExitStack() as stack:
        sink = await stack.enter_async_context(_process(_PLAIN, "sink"))
        plain = await stack.enter_async_context(_process(_PLAIN, "relay", sink))
        proxy = await stack.enter_async_context(_process("channel_sim", "--port", "0", "--target", sink))
        results = []
        for length in lengths:
            rates: dict[str, list[float]] = {plain: [], proxy: []}
            trips: dict[str, list[float]] = {sink: [], proxy: []}
            for _ in range(rounds):
                for address, found in rates.items():
                    found.append(await _rate(address, length, seconds))
                for address, took in trips.items():
                    took.extend(await _round_trips(address, length, seconds / 2))
            direct_s = float(np.median(trips[sink]))
            added_ms = [1e3 * (float(np.percentile(trips[proxy], share)) - direct_s) for share in (50, 99)]
            results.append(Relaying(length, max(rates[plain]), max(rates[proxy]), *added_ms))
        return results


async def _rate(address: str, length: int, seconds: float) -> float:
    """Millions of samples per second with as many frames under way as there are credits."""
    async with _stream(address) as call:
        frames = _frames(length)
        for _ in range(_WINDOW):
            await call.write(next(frames))
        for _ in range(_WARM_UP):
            await call.read()
            await call.write(next(frames))
        done, began = 0, time.perf_counter()
        while not done or time.perf_counter() - began < seconds:
            await call.read()
            await call.write(next(frames))
            done += 1
        return 1e-6 * done * length / (time.perf_counter() - began)


async def _round_trips(address: str, length: int, seconds: float) -> list[float]:
    """Seconds from writing a frame to its report, one frame at a time."""
    async with _stream(address) as call:
        frames = _frames(length)
        took: list[float] = []
        until = time.perf_counter() + seconds
        # However slow the machine, some trips are timed.
        while len(took) < 2 * _WARM_UP or time.perf_counter() < until:
            began = time.perf_counter()
            await call.write(next(frames))
            await call.read()
            took.append(time.perf_counter() - began)
        return took[_WARM_UP:]


def _frames(length: int) -> Any:
    """Requests with rising numbers and equal samples."""
    samples = to_bytes(white_frame(length))
    sequence = 0
    while True:
        sequence += 1
        frame = link_pb2.Frame(sequence=sequence, sample_count=length, samples=samples)
        yield link_pb2.TransmitRequest(frame=frame)


@asynccontextmanager
async def _stream(address: str) -> AsyncIterator[Any]:
    """An open stream; over at the end of the block."""
    async with connect(address) as channel:
        call: Any = link_pb2_grpc.LinkStub(channel).Transmit(wait_for_ready=True)
        await call.write(link_pb2.TransmitRequest(open=link_pb2.StreamOpen(stream_id="bench")))
        await call.read()
        try:
            yield call
        finally:
            call.cancel()


@asynccontextmanager
async def _process(module: str, *words: str) -> AsyncIterator[str]:
    """Runs ``python -m module``, which announces its address, for the length of the block.

    Raises:
        LinkLost: if it ends instead.
    """
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *words), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert child.stdout is not None
        line = await child.stdout.readline()
        if not line:
            raise LinkLost(f"{module} did not start; 'python -m {module}' says why")
        yield json.loads(line)["address"]
    finally:
        if child.returncode is None:
            child.terminate()
        await child.wait()
