"""What was freed stays in the process, when that was asked for."""

from __future__ import annotations

import subprocess
import sys

import pytest

MEASURE = """
import sys
import numpy as np
from shared.allocator import keep_freed_memory

def resident() -> int:
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * 4096

if "keep" in sys.argv:
    assert keep_freed_memory()
block = np.ones(64 << 20, np.uint8)
held = resident()
del block
print(held - resident())
"""


def handed_back(*arguments: str) -> int:
    """Bytes that a process gives back to the system when it frees 64 MiB."""
    run = subprocess.run([sys.executable, "-c", MEASURE, *arguments], capture_output=True, text=True, check=True)
    return int(run.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="resident memory is read from /proc")
def test_a_large_block_stays_in_the_process_when_it_is_freed() -> None:
    assert handed_back() > 60 << 20
    assert handed_back("keep") < 4 << 20
