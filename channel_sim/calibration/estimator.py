"""The receiver's SNR estimator behind this channel: its bias, and its variance against the Cramer-Rao bound."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from channel_sim.awgn import Awgn
from channel_sim.calibration.check import Check
from channel_sim.calibration.signals import place
from channel_sim.chain import Chain
from channel_sim.impairments.rayleigh import Rayleigh
from shared.phy import FrameHeader, FrameKind, build_frame, build_sounding, profile_for
from shared.phy.estimate import estimate_channel

SNRS_DB = (0.0, 5.0, 10.0, 15.0, 20.0)

_DB_PER_NEPER = 10 / math.log(10)

_MOST_BIAS_DB = 0.1

#: What is claimed of the estimator's variance.
MOST_OVER_BOUND = 1.2


@dataclass(frozen=True)
class Estimates:
    """What the estimator said of many frames of one kind.

    Attributes:
        name: of the frames and the channel.
        known: symbols of a frame that the receiver knows.
        snr_db: declared Es/N0.
        bias_db: mean error.
        variance_over_bound: of the estimates in dB, over ``(10 / ln 10)^2 / N`` for N known symbols.
    """

    name: str
    known: int
    snr_db: float
    bias_db: float
    variance_over_bound: float


def estimates(frames: int) -> Iterator[Estimates]:
    """Frames that the transmitter sends at 0 to 20 dB, in AWGN and in Rayleigh block fading.

    A sounding frame is measured on its pilots; a data frame, in the profile that belongs to the SNR, on pilots and
    header, as by the receiver once the header has passed its check.
    """
    for snr_db in SNRS_DB:
        profile = profile_for(snr_db)
        data = build_frame(FrameHeader(1, FrameKind.KEY, 1, 0), np.ones(1, np.complex64), profile).samples[
            : profile.overhead
        ]
        for kind, known in (("sounding", build_sounding().samples), (profile.name, data)):
            for fading, models in (("AWGN", []), ("Rayleigh", [Rayleigh()])):
                chain = Chain([*models, Awgn(snr_db)])
                exact = known.astype(np.complex128)
                found = np.empty(frames)
                for index in range(frames):
                    context = place(index + 1, f"{kind} {snr_db} {fading}")
                    received = chain.pass_through(known, context).samples.astype(np.complex128)
                    estimate = estimate_channel(received, exact)
                    assert estimate is not None
                    found[index] = estimate.link.snr_db
                variance = float(np.var(found, ddof=1)) * known.size / _DB_PER_NEPER**2
                yield Estimates(f"{kind} in {fading}", known.size, snr_db, float(np.mean(found)) - snr_db, variance)


def estimator_checks(found: Iterable[Estimates]) -> Iterator[Check]:
    """Bias within 0.1 dB, variance within 1.2 times the bound."""
    for each in found:
        where = f"at {each.snr_db:g} dB, {each.name} ({each.known} known symbols)"
        yield Check("estimator", f"bias {where}", each.bias_db, 0.0, _MOST_BIAS_DB, "dB")
        yield Check(
            "estimator", f"variance over its bound {where}", each.variance_over_bound, 1.0, MOST_OVER_BOUND - 1, ""
        )
