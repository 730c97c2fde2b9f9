"""Samples on the wire: ``cf32_le``, complex64 little-endian, I and Q interleaved (``docs/conventions.md``).

SigMF and GNU Radio call the same layout ``cf32_le``. The channel proxy imports this too: numpy is all it needs.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from shared.errors import SampleError

Samples = NDArray[np.complex64]
"""Complex baseband samples, one per channel use, of shape ``(n,)``."""

#: Four bytes of I and four of Q.
BYTES_PER_SAMPLE: Final = 8

#: The longest frame that is taken unless a service says otherwise: about a hundred times a usual one, half a mebibyte.
MAX_SAMPLES: Final = 65_536

_WIRE: Final = np.dtype("<c8")


def to_bytes(samples: Samples) -> bytes:
    """Lays ``(n,)`` samples out as ``8 n`` bytes.

    Raises:
        SampleError: if the samples are not one row, or not all finite.
    """
    check_samples(samples)
    return samples.astype(_WIRE, copy=False).tobytes()


def from_bytes(data: bytes, count: int, max_samples: int = MAX_SAMPLES) -> Samples:
    """Reads ``count`` samples, shape ``(count,)``, a copy that may be written to.

    Raises:
        SampleError: if the count is outside 1..``max_samples``, the bytes are not ``8 * count``, or a sample is NaN or
            infinite.
    """
    if not 1 <= count <= max_samples:
        raise SampleError(f"A frame holds 1 to {max_samples} samples, and this one declares {count}.")
    if len(data) != BYTES_PER_SAMPLE * count:
        raise SampleError(
            f"{count} samples are {BYTES_PER_SAMPLE * count} bytes of cf32_le, and this frame carries {len(data)}: "
            "send interleaved little-endian float32 I and Q, and their true count."
        )
    samples = np.frombuffer(data, dtype=_WIRE).astype(np.complex64)
    check_samples(samples)
    return samples


def check_samples(samples: NDArray[np.complexfloating]) -> None:
    """Raises ``SampleError`` unless ``samples`` is one non-empty row of finite numbers."""
    if samples.ndim != 1 or samples.size == 0:
        raise SampleError(f"A frame is one row of at least one sample, not an array of shape {samples.shape}.")
    bad = np.flatnonzero(~np.isfinite(samples))
    if bad.size:
        raise SampleError(f"Sample {bad[0]} is NaN or infinite: every sample of a frame has to be a finite number.")
