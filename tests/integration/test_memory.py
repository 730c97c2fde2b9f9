"""Conversations that are opened and abandoned leave memory where it was: real processes of fakes, over gRPC.

``python -m tests.integration.test_memory COUNT`` prints each service's resident memory as it goes.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from protos.transmitter_pb2 import ConverseRequest, Instruction, Photo
from protos.transmitter_pb2_grpc import TransmitterStub
from shared.transport import connect
from tests.integration.conftest import Cluster

TOGETHER = 8


def resident_mib(cluster: Cluster) -> dict[str, float]:
    """Resident memory of every service."""
    pages = {name: Path(f"/proc/{each.pid}/statm").read_text().split()[1] for name, each in cluster.processes.items()}
    return {name: int(count) * 4096 / 2**20 for name, count in pages.items()}


async def abandon(stub: TransmitterStub, number: int) -> None:
    """Opens a conversation and goes away: at once, after the face, or after a turn."""
    call = stub.Converse()
    await call.write(ConverseRequest(photo=Photo(data=b"face01234", refine_steps=0, resolution=128)))
    if number % 3 == 1:
        while (await call.read()).WhichOneof("kind") != "face":
            pass
    elif number % 3 == 2:
        await call.write(ConverseRequest(instruction=Instruction(text="bangs +1")))
        while (await call.read()).WhichOneof("kind") != "turn":
            pass
    else:
        await call.read()
    call.cancel()


async def run(count: int, every: int, tell: Callable[[int, dict[str, float]], None]) -> None:
    """Abandons ``count`` conversations, and tells the services' memory every so many."""
    with tempfile.TemporaryDirectory() as logs:
        cluster = Cluster(Path(logs))
        try:
            await asyncio.gather(
                cluster.start("receiver", "--resolution", "128"),
                cluster.start("channel", "--snr-db", "12"),
                cluster.start("transmitter", "--resolution", "128", "--max-conversations", "64"),
            )
            async with connect(cluster.addresses["transmitter"]) as channel:
                stub = TransmitterStub(channel)
                for first in range(0, count, TOGETHER):
                    if first % every == 0:
                        tell(first, resident_mib(cluster))
                    await asyncio.gather(*(abandon(stub, first + number) for number in range(TOGETHER)))
            tell(count, resident_mib(cluster))
        finally:
            await cluster.close()


@pytest.mark.slow
@pytest.mark.timeout(1800)
async def test_ten_thousand_abandoned_conversations_leave_memory_where_it_was():
    told: list[dict[str, float]] = []
    await run(10_000, 2_000, lambda _, memory: told.append(memory))
    settled, last = told[1], told[-1]
    for name, mib in last.items():
        assert mib < settled[name] + 16, told


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1]), max(int(sys.argv[1]) // 5, TOGETHER), lambda *row: print(*row, flush=True)))
