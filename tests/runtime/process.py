"""A service as a process of its own, for tests that kill it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def process(module: str, *flags: str, env: dict[str, str] | None = None) -> AsyncIterator[tuple[Any, str]]:
    """Runs ``python -m module flags`` for the length of the block.

    Yields the child with the address that it announced, which is empty if it ended without.
    """
    words = (sys.executable, "-m", module, *flags)
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*words, stdout=pipe, stderr=pipe, env={**os.environ, **(env or {})})
    try:
        assert child.stdout is not None
        line = await asyncio.wait_for(child.stdout.readline(), 60)
        yield child, json.loads(line)["address"] if line else ""
    finally:
        if child.returncode is None:
            child.kill()
        await child.communicate()
