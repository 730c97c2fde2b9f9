"""Places in a stream, and how far a sample may be from its law by chance."""

import numpy as np
from numpy.typing import NDArray

from channel_sim.randomness import FrameContext


def at(
    sequence: int = 1, seed: int = 7, stream_id: str = "s", start_s: float = 0.0, rate_hz: float = 1e6
) -> FrameContext:
    return FrameContext(seed, stream_id, sequence, start_s, rate_hz)


def distance_to_law(values: NDArray[np.floating], law: NDArray[np.floating]) -> float:
    """Kolmogorov-Smirnov statistic times sqrt(n), of sorted values' distribution function ``law``.

    Values of the law exceed 1.63 once in a hundred times.
    """
    steps = np.arange(1, values.size + 1) / values.size
    return float(np.max(np.maximum(np.abs(steps - law), np.abs(steps - 1 / values.size - law))) * np.sqrt(values.size))
