"""The receiver's SNR estimator behind this channel: its bias, and its variance against the Cramer-Rao bound."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from channel_sim.awgn import Awgn
from channel_sim.calibration.check import SIGMAS, Check
from channel_sim.calibration.signals import place
from channel_sim.chain import Chain
from channel_sim.impairments.rayleigh import Rayleigh
from shared.phy.estimate import estimate_channel

_PILOTS = 256


def snr_estimates(frames: int) -> Iterator[Check]:
    """Bias below 0.1 dB and variance within 1.2 times the bound of ``(10 / ln 10)^2 / N`` for N known symbols."""
    pilots = np.exp(0.5j * np.pi * np.arange(_PILOTS)).astype(np.complex64)
    bound_db2 = (10 / math.log(10)) ** 2 / _PILOTS
    for snr_db in (0.0, 10.0, 20.0):
        for name, models in (("AWGN", []), ("Rayleigh", [Rayleigh()])):
            stream = int(snr_db) + len(models)
            chain = Chain([*models, Awgn(snr_db)])
            estimates = []
            for index in range(frames):
                received = chain.pass_through(pilots, place(index + 1, stream)).samples
                estimate = estimate_channel(received.astype(np.complex128), pilots.astype(np.complex128))
                assert estimate is not None
                estimates.append(estimate.link.snr_db)
            where = f"at {snr_db:g} dB in {name}"
            chance_db = SIGMAS * math.sqrt(bound_db2 / frames)
            yield Check("estimator", f"bias {where}", float(np.mean(estimates)), snr_db, 0.1 + chance_db, "dB")
            ratio = float(np.var(estimates, ddof=1)) / bound_db2
            chance = SIGMAS * math.sqrt(2 / frames)
            yield Check("estimator", f"variance over its bound {where}", ratio, 1.0, 0.2 + chance, "")
