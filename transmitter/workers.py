"""Where the mathematics runs: a few threads beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from concurrent.futures import Executor
from typing import Generic, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")
Step = TypeVar("Step")


class Cancelled(Exception):
    """Raised inside a worker's progress callback when nobody waits for its result any more."""


class Workers:
    """Runs synchronous functions off the event loop.

    Each conversation has at most one of them under way, so the bound on conversations bounds the queue too.
    """

    def __init__(self, executor: Executor) -> None:
        self._executor = executor

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """The function's result; what it raises is raised here."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, lambda: function(*args, **kwargs))


class Reporting(Generic[Step, T]):
    """A function that tells how far it is, as an asynchronous iteration over its steps; then :attr:`result` is there.

    Leaving the iteration early stops the function at its next step::

        work = Reporting(workers, lambda tell: inverter.invert(face, 40, tell))
        async for step in work.steps():
            ...
        inversion = work.result
    """

    result: T

    def __init__(self, workers: Workers, function: Callable[[Callable[[Step], None]], T]) -> None:
        self._workers = workers
        self._function = function

    async def steps(self) -> AsyncGenerator[Step, None]:
        """The steps, as they are told.

        Raises:
            Exception: what the function raised.
        """
        loop = asyncio.get_running_loop()
        told: asyncio.Queue[Step | None] = asyncio.Queue()
        unwanted = threading.Event()

        def tell(step: Step) -> None:
            if unwanted.is_set():
                raise Cancelled
            loop.call_soon_threadsafe(told.put_nowait, step)

        work = asyncio.create_task(self._workers.run(self._function, tell))
        work.add_done_callback(lambda _: told.put_nowait(None))
        try:
            while (step := await told.get()) is not None:
                yield step
            self.result = work.result()
        finally:
            unwanted.set()
            work.cancel()
