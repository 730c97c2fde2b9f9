"""Declared against realised: noise floor, mean gain and interference of every model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from channel_sim.awgn import Awgn
from channel_sim.calibration.check import SIGMAS, Check
from channel_sim.calibration.signals import place, white_frame
from channel_sim.chain import Chain
from channel_sim.channel_model import Stage
from channel_sim.impairments import IMPAIRMENTS, SampleImpairment
from channel_sim.impairments.impulses import Impulses
from channel_sim.impairments.tone import Tone
from channel_sim.power import to_db

_TOLERANCE_DB = 0.05


def thermal_noise(samples: int) -> Iterator[Check]:
    """AWGN alone, over the whole range of SNR."""
    frame = white_frame(samples)
    for index, snr_db in enumerate((-20.0, -5.0, 0.0, 6.0, 12.0, 20.0, 40.0)):
        passage = Chain([Awgn(snr_db)]).pass_through(frame, place(index + 1))
        yield Check("snr", f"awgn at {snr_db:g} dB", passage.snr_db_realised, snr_db, _TOLERANCE_DB, "dB")


def every_model(samples: int, frames: int) -> Iterator[Check]:
    """Each model beside noise at 6 dB: the noise is as declared, and the model's mean gain is 1.

    Fading draws one gain per frame, so its mean is taken over many frames; that of the others is exact in one.
    """
    snr_db = 6.0
    for kind, cls in IMPAIRMENTS.items():
        model = cls()
        if not isinstance(model, SampleImpairment):
            continue
        fades = model.stage is Stage.PROPAGATION
        count = frames if fades else 1
        frame = white_frame(samples // count)
        chain = Chain([model, Awgn(snr_db)])
        passages = [chain.pass_through(frame, place(index + 1)) for index in range(count)]
        floor = float(np.mean([passage.noise_power for passage in passages]))
        yield Check("snr", f"noise beside {kind}", -to_db(floor), snr_db, _TOLERANCE_DB, "dB")
        if fades:
            gain = float(np.mean([passage.gain for passage in passages]))
            tolerance_db = to_db(1.0 + SIGMAS / np.sqrt(count))
            yield Check("gain", f"mean of {kind} over {count} frames", to_db(gain), 0.0, tolerance_db, "dB")


def interference(samples: int) -> Iterator[Check]:
    """Signal over interference as the parameters declare it."""
    frame = white_frame(samples)
    for model, declared_db in (
        (Impulses(probability=0.05, power_db=13.0), -13.0 - to_db(0.05)),
        (Tone(frequency_hz=12_345.0, power_db=-10.0), 10.0),
    ):
        sir_db = Chain([model]).pass_through(frame, place(1)).sir_db_realised
        assert sir_db is not None
        # A sum of hits of exponential power: relative deviation sqrt(2 / hits).
        tolerance_db = to_db(1 + SIGMAS * np.sqrt(2 / (0.05 * samples))) if isinstance(model, Impulses) else 0.01
        yield Check("snr", f"signal over {model.kind}", sir_db, declared_db, max(tolerance_db, 0.01), "dB")
