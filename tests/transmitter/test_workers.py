from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing

import pytest

from transmitter.workers import Cancelled, Reporting, Workers


@pytest.fixture
def workers():
    with ThreadPoolExecutor(1) as executor:
        yield Workers(executor)


async def test_steps_come_in_order_and_the_result_after_them(workers):
    def count(tell):
        for number in range(5):
            tell(number)
        return "done"

    work = Reporting(workers, count)
    assert [step async for step in work.steps()] == [0, 1, 2, 3, 4]
    assert work.result == "done"


async def test_what_the_function_raises_is_raised_after_its_steps(workers):
    def fail(tell):
        tell(1)
        raise ValueError("no")

    steps = aiter(Reporting(workers, fail).steps())
    assert await anext(steps) == 1
    with pytest.raises(ValueError, match="no"):
        await anext(steps)


async def test_leaving_early_stops_the_function_at_its_next_step(workers):
    ended = threading.Event()
    told = []

    def endless(tell):
        try:
            while True:
                told.append(len(told))
                tell(told[-1])
        except Cancelled:
            ended.set()
            raise

    async with aclosing(Reporting(workers, endless).steps()) as steps:
        assert await anext(steps) == 0
    assert await asyncio.to_thread(ended.wait, 5)
