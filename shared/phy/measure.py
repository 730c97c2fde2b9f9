"""Measures the framing over a channel drawn here: ``python -m shared.phy.measure [--quick] [--seed N]`` prints JSON.

Per profile, declared SNR and fading: header error rate, wrong profiles, wrong headers accepted, and the bias and
variance of the SNR estimates beside their Cramer-Rao bounds. Last, how often pure noise is taken for a frame.
``--profile robust --snr-db -5.5 --frames 20000`` measures one point as finely as is wanted.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator, Sequence
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from shared.phy.cf32 import Samples
from shared.phy.estimate import LinkEstimate
from shared.phy.frame import Frame, build_frame, build_sounding
from shared.phy.header import BASE_MODULUS, BASE_SNR_MODULUS, LIST_LENGTH, FrameHeader, FrameKind
from shared.phy.profiles import PROFILES, SOUNDING, Profile
from shared.phy.receive import DataFrame, Erasure, receive_frame

Fading = Literal["none", "rayleigh"]

#: Declared SNRs, from below what the robust profile is for up to clean.
SNRS_DB: Final = (-8.0, -5.0, 0.0, 6.0, 12.0, 20.0)

#: Frames a row, with ``--quick`` and without.
QUICK_FRAMES: Final = 150
FULL_FRAMES: Final = 5000

#: Long enough for every profile, so that the receiver has all of them to choose from.
FRAME_SAMPLES: Final = 512

_DB_PER_NEPER: Final = 10 / math.log(10)
_FEWEST_FOR_A_VARIANCE: Final = 20


def channel(samples: Samples, snr_db: float, fading: Fading, generator: np.random.Generator) -> tuple[Samples, complex]:
    """Block fading with E|h|^2 = 1, or only a random phase, and noise of variance ``N0 = 10^(-snr_db / 10)``.

    Returns:
        the received samples, and ``h``.
    """
    gain = complex(_gaussian(1, generator)[0]) if fading == "rayleigh" else np.exp(2j * np.pi * generator.random())
    noise = math.sqrt(10 ** (-snr_db / 10)) * _gaussian(samples.size, generator)
    return (gain * samples + noise).astype(np.complex64), gain


def random_header(generator: np.random.Generator) -> FrameHeader:
    """A header drawn uniformly."""
    codec_id, kind, number = (int(generator.integers(end)) for end in (8, len(FrameKind), 256))
    return FrameHeader(
        codec_id=codec_id,
        kind=FrameKind(kind),
        sequence=number,
        design_snr_db=int(generator.integers(-10, 22)),
        base=number % BASE_MODULUS if kind else 0,
        base_snr_db=number % BASE_SNR_MODULUS if kind else 0,
    )


def measure_profile(
    profile: Profile, snr_db: float, fading: Fading, frames: int, generator: np.random.Generator
) -> dict[str, object]:
    """One row of the report: ``frames`` frames of one profile at one declared SNR."""
    erased, wrong_profile, wrong_header = 0, 0, 0
    errors, instantaneous_errors, erased_errors = [], [], []  # of the estimates, as natural logarithms
    for _ in range(frames):
        header, frame = _draw(profile, generator)
        received, gain = channel(frame.samples, snr_db, fading, generator)
        result = receive_frame(received, header.sequence if header else 0)
        wrong_profile += result.uses != frame.uses
        if result.estimate is not None:
            error = (result.estimate.snr_db - snr_db) / _DB_PER_NEPER
            if isinstance(result, Erasure):
                erased_errors.append(error)
            else:
                errors.append(error)
                instantaneous_errors.append(_instantaneous_error(result.estimate, snr_db, gain))
        erased += isinstance(result, Erasure)
        wrong_header += isinstance(result, DataFrame) and result.header != header
    bound = 1 / profile.overhead
    instantaneous_bound = bound * (1 + 2 / 10 ** (snr_db / 10))
    return {
        "profile": profile.name,
        "snr_db": snr_db,
        "fading": fading,
        "frames": frames,
        "header_error_rate": (erased + wrong_header) / frames,
        "header_error_rate_below": _upper_limit(erased + wrong_header, frames),
        "wrong_profile_rate": wrong_profile / frames,
        "wrong_headers_accepted": wrong_header,
        "snr_bias_db": _mean_db(errors + erased_errors),
        "snr_bias_db_when_erased": _mean_db(erased_errors),
        "snr_deviation_db": _deviation_db(errors),
        "snr_variance_over_bound": _variance(errors, bound),
        "instantaneous_bias_db": _mean_db(instantaneous_errors),
        # Under fading the bound differs from frame to frame.
        "instantaneous_variance_over_bound": _variance(
            instantaneous_errors if fading == "none" else [], instantaneous_bound
        ),
    }


def measure_false_acceptance(frames: int, generator: np.random.Generator) -> dict[str, object]:
    """How many frames of nothing but noise are taken for data."""
    noise = (_gaussian(FRAME_SAMPLES, generator).astype(np.complex64) for _ in range(frames))
    accepted = sum(not isinstance(receive_frame(samples), Erasure) for samples in noise)
    return {
        "frames": frames,
        "accepted": accepted,
        "rate_below": _upper_limit(accepted, frames),
        "expected": LIST_LENGTH * 0.75 / 2**18,
    }


def rows(
    frames: int, generator: np.random.Generator, profiles: Sequence[Profile], snrs_db: Sequence[float]
) -> Iterator[dict[str, object]]:
    """Every profile at its own lowest SNR and over the grid, without and with fading."""
    for profile in profiles:
        for snr_db in snrs_db or sorted({*SNRS_DB, max(profile.min_snr_db, SNRS_DB[0])}):
            yield measure_profile(profile, snr_db, "none", frames, generator)
            yield measure_profile(profile, snr_db, "rayleigh", frames, generator)


def main() -> None:
    """Prints the report as one JSON document."""
    parser = argparse.ArgumentParser(prog="python -m shared.phy.measure", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few frames a row: seconds, not minutes")
    parser.add_argument("--seed", type=int, default=1, help="seed of every random draw")
    parser.add_argument("--frames", type=int, metavar="N", help=f"frames a row, {FULL_FRAMES} unless told")
    names = {profile.name: profile for profile in (*PROFILES, SOUNDING)}
    parser.add_argument("--profile", choices=names, help="this one only")
    parser.add_argument("--snr-db", type=float, nargs="+", metavar="X", default=[], help="these SNRs only")
    arguments = parser.parse_args()
    frames = arguments.frames or (QUICK_FRAMES if arguments.quick else FULL_FRAMES)
    profiles = [names[arguments.profile]] if arguments.profile else list(names.values())
    generator = np.random.default_rng(arguments.seed)
    report = {
        "seed": arguments.seed,
        "profiles": {
            profile.name: {"k_pilot": profile.pilot_count, "k_header": profile.header_count}
            for profile in (*PROFILES, SOUNDING)
        },
        "rows": list(rows(frames, generator, profiles, arguments.snr_db)),
        "noise_only": measure_false_acceptance(10 * frames, generator),
    }
    print(json.dumps(report, indent=2))


def _draw(profile: Profile, generator: np.random.Generator) -> tuple[FrameHeader | None, Frame]:
    if profile is SOUNDING:
        return None, build_sounding()
    header = random_header(generator)
    payload = _gaussian(FRAME_SAMPLES - profile.overhead, generator)
    return header, build_frame(header, payload, profile)


def _gaussian(count: int, generator: np.random.Generator) -> NDArray[np.complex128]:
    """Circular complex Gaussian samples of unit variance."""
    return generator.normal(scale=math.sqrt(0.5), size=(count, 2)).view(np.complex128)[:, 0]


def _instantaneous_error(estimate: LinkEstimate, snr_db: float, gain: complex) -> float:
    return (estimate.snr_db_instantaneous - snr_db) / _DB_PER_NEPER - 2 * math.log(abs(gain))


def _mean_db(errors: list[float]) -> float | None:
    return _DB_PER_NEPER * float(np.mean(errors)) if errors else None


def _deviation_db(errors: list[float]) -> float | None:
    """Standard deviation; None where too few frames were left to tell."""
    variance = _variance(errors, 1.0)
    return None if variance is None else _DB_PER_NEPER * math.sqrt(variance)


def _variance(errors: list[float], unit: float) -> float | None:
    """Variance in units of the bound; None where too few frames were left to tell."""
    return float(np.var(errors, ddof=1)) / unit if len(errors) >= _FEWEST_FOR_A_VARIANCE else None


def _upper_limit(events: int, trials: int) -> float:
    """Wilson's upper 95 % limit of a rate."""
    z = 1.96
    centre = events + z**2 / 2
    return (centre + z * math.sqrt(events * (1 - events / trials) + z**2 / 4)) / (trials + z**2)


if __name__ == "__main__":
    main()
