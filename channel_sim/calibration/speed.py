"""How many samples a second pass through a link's models, on one core and inside the process."""

from __future__ import annotations

import time
from typing import Any

from channel_sim.calibration.signals import place, white_frame
from channel_sim.config import checked_config
from channel_sim.impairments import IMPAIRMENTS, SampleImpairment


def throughput(samples: int) -> dict[str, float]:
    """Millions of complex samples per second of processor time: AWGN alone, and beside each model with its defaults."""
    frame = white_frame(samples)
    rates: dict[str, float] = {}
    for kind in ("awgn", *(kind for kind, cls in IMPAIRMENTS.items() if issubclass(cls, SampleImpairment))):
        impairments: list[dict[str, Any]] = [] if kind == "awgn" else [{"kind": kind}]
        chain = checked_config({"impairments": impairments}).chain()
        chain.pass_through(frame, place(1))
        took_s = []
        for index in range(3):
            began = time.thread_time()
            chain.pass_through(frame, place(index + 2))
            took_s.append(time.thread_time() - began)
        rates[kind] = samples / min(took_s) / 1e6
    return rates
