from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from cli.processes import own_environment, services

SERVING = """
import json, os, time
print(json.dumps({"address": f"127.0.0.1:{os.getpid()}"}), flush=True)
time.sleep(60)
"""


def test_settings_exported_for_another_link_do_not_reach_the_demo() -> None:
    exported = {
        "DEEPSC_CHANNEL_LINKS": "lab.yaml",
        "DEEPSC_RECEIVER_PORT": "1",
        "DEEPSC_HOME": "/models",
        "PATH": "/bin",
    }
    assert own_environment(exported) == {"DEEPSC_HOME": "/models", "PATH": "/bin"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_whoever_ends_a_demo_ends_its_services(tmp_path: Path, number: signal.Signals) -> None:
    pids: list[int] = []

    async def demo() -> None:
        async with services({"one": ["-c", SERVING], "two": ["-c", SERVING]}, tmp_path) as addresses:
            pids.extend(int(address.split(":")[1]) for address in addresses.values())
            os.kill(os.getpid(), number)
            await asyncio.sleep(60)

    with pytest.raises(SystemExit) as ended:
        asyncio.run(demo())
    assert ended.value.code == 128 + number
    assert len(pids) == 2
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
