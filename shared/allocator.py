"""Large blocks of memory, asked for again and again: kept in the process instead of handed back to the system."""

from __future__ import annotations

import ctypes
import sys

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of malloc.h
_KEPT_BYTES = 1 << 30


def keep_freed_memory() -> bool:
    """Makes glibc's malloc keep up to a gigabyte of what was freed; whether it was asked to.

    Feature maps of 256 px are above the size that it asks the system for, one by one, and each comes back as pages that
    have to be cleared first: that takes as long as the arithmetic. With another C library nothing happens. The process
    stays as large as it was at its peak.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(bool(mallopt(option, _KEPT_BYTES)) for option in (_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD))
