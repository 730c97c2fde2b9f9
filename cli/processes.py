"""Services as child processes, for as long as a block lasts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress
from pathlib import Path

from shared.errors import DeepscError, InvalidInput, LinkLost

#: Seconds for a service to load its models and announce itself; minutes are normal on a cold disk.
START_SECONDS = 180.0

#: Seconds for a service to drain after SIGTERM before it is killed.
STOP_SECONDS = 15.0


#: Exit status of a service that could not use its settings.
BAD_SETTINGS = 2


class ServiceFailed(DeepscError):
    """A service that was started ended before it was ready."""

    status = "UNAVAILABLE"
    reason = "SERVICE_FAILED"


@asynccontextmanager
async def services(commands: Mapping[str, Sequence[str]], logs: Path) -> AsyncIterator[dict[str, str]]:
    """Runs one process per command and yields their addresses ``host:port`` once all are serving.

    They load their models at the same time; when the block ends they are asked to stop, in the order given. SIGTERM and
    SIGHUP end the block and then this process, so that no service is left behind.

    Args:
        commands: arguments after the Python interpreter, by the service's name.
        logs: folder for ``NAME.log``, what each wrote to standard error.

    Raises:
        InvalidInput: with the words of one that could not use its settings.
        ServiceFailed: with the last words of one that ended for another reason.
        LinkLost: if one is not ready in time.
    """
    async with AsyncExitStack() as stack:
        stack.enter_context(_ended_by(signal.SIGTERM, signal.SIGHUP))
        started = {}
        for name, command in reversed(list(commands.items())):
            started[name] = await stack.enter_async_context(_process(command, logs / f"{name}.log"))
        found = await asyncio.gather(*(_address(name, started[name], logs / f"{name}.log") for name in commands))
        yield dict(zip(commands, found, strict=True))


def free_ports(count: int) -> list[int]:
    """Ports of the loopback interface that nobody listens on at this moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [int(each.getsockname()[1]) for each in sockets]


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """``environment`` without the settings of services, which somebody may have exported for a link of their own."""
    foreign = ("DEEPSC_TRANSMITTER_", "DEEPSC_CHANNEL_", "DEEPSC_RECEIVER_")
    return {name: value for name, value in environment.items() if not name.startswith(foreign)}


@contextmanager
def _ended_by(*signals: signal.Signals) -> Iterator[None]:
    """Cancels the task whose block this is at one of these signals, and ends the process as the signal would have."""
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None
    received: list[signal.Signals] = []

    def end(number: signal.Signals) -> None:
        received.append(number)
        task.cancel()

    for number in signals:
        loop.add_signal_handler(number, end, number)
    try:
        yield
    except asyncio.CancelledError:
        if received:
            raise SystemExit(128 + received[0]) from None
        raise
    finally:
        for number in signals:
            loop.remove_signal_handler(number)


@asynccontextmanager
async def _process(command: Sequence[str], log: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    with log.open("wb") as stderr:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
            env=own_environment(os.environ) | {"PYTHONUNBUFFERED": "1"},
        )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _address(name: str, process: asyncio.subprocess.Process, log: Path) -> str:
    assert process.stdout is not None
    try:
        line = await asyncio.wait_for(process.stdout.readline(), START_SECONDS)
    except TimeoutError as error:
        raise LinkLost(f"the {name} was not ready within {START_SECONDS:g} s; its log is {log}") from error
    if not line:
        status = await process.wait()
        failure = InvalidInput if status == BAD_SETTINGS else ServiceFailed
        raise failure(f"the {name} could not start: {_last_words(log)}")
    return str(json.loads(line)["address"])


def _last_words(log: Path) -> str:
    """The message of the last log line, or the line itself; a service's log is JSON unless it died before that."""
    lines = [line for line in log.read_text("utf-8", errors="replace").splitlines() if line.strip()]
    last = lines[-1] if lines else "it said nothing"
    try:
        entry = json.loads(last)
    except ValueError:
        return last
    return str(entry.get("message") or entry.get("event") or last)
