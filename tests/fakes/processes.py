"""Services as child processes for tests that only talk to them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

PROGRAMS = {
    "transmitter": ("-m", "tests.fakes", "transmitter"),
    "channel": ("-m", "channel_sim"),
    "receiver": ("-m", "tests.fakes", "receiver"),
}
"""The real services around the fakes; the channel needs no fakes."""


@contextmanager
def served(service: str, *flags: str) -> Iterator[str]:
    """One service on a free port for the block; its address."""
    command = [sys.executable, *PROGRAMS[service], "--port", "0", *flags]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["address"]
    finally:
        process.terminate()
        process.communicate()


@contextmanager
def whole_link() -> Iterator[dict[str, str]]:
    """All three for the block; their addresses by name."""
    with ExitStack() as stack:
        receiver = stack.enter_context(served("receiver", "--resolution", "128"))
        channel = stack.enter_context(served("channel", "--target", receiver, "--snr-db", "12", "--seed", "5"))
        flags = ("--target", channel, "--resolution", "128", "--refine-steps", "2")
        transmitter = stack.enter_context(served("transmitter", *flags))
        yield {"receiver": receiver, "channel": channel, "transmitter": transmitter}
