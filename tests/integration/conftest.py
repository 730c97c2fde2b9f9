from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest

from cli.processes import free_ports
from tests.fakes.processes import PROGRAMS


class Cluster:
    """The three services as processes on fixed ports, so that each may die and come back at its address."""

    def __init__(self, logs: Path) -> None:
        ports = free_ports(3)
        self.addresses = {name: f"127.0.0.1:{port}" for name, port in zip(PROGRAMS, ports, strict=True)}
        self._targets = {"transmitter": self.addresses["channel"], "channel": self.addresses["receiver"]}
        self._logs = logs
        self.processes: dict[str, asyncio.subprocess.Process] = {}

    async def start(self, name: str, *flags: str, **environment: str) -> None:
        """Starts one service and waits until it serves."""
        target = ("--target", self._targets[name]) if name in self._targets else ()
        port = self.addresses[name].rpartition(":")[2]
        command = [*PROGRAMS[name], "--port", port, *target, *flags]
        with (self._logs / f"{name}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=log, env=os.environ | environment
            )
        self.processes[name] = process
        line = await asyncio.wait_for(process.stdout.readline(), 60)
        assert json.loads(line)["address"] == self.addresses[name]

    async def start_all(self) -> None:
        """Starts all three at once."""
        resolution = ("--resolution", "128")
        await asyncio.gather(
            self.start("receiver", *resolution),
            self.start("channel", "--snr-db", "12", "--seed", "5"),
            self.start("transmitter", *resolution, "--refine-steps", "2"),
        )

    async def kill(self, name: str) -> None:
        """SIGKILL, and gone."""
        self.processes[name].kill()
        await self.processes[name].wait()

    async def ask_to_stop(self, name: str) -> int:
        """SIGTERM; the exit status."""
        self.processes[name].send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.processes[name].wait(), 20)

    async def close(self) -> None:
        """Ends what still runs."""
        for process in self.processes.values():
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    cluster = Cluster(tmp_path)
    try:
        yield cluster
    finally:
        await cluster.close()
