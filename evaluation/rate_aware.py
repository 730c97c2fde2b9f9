"""What an inversion for a link buys: photos inverted for themselves and for a link, sent, compared with the photo.

Run: ``python -m evaluation.rate_aware [--data DIR] [--photos N] [--steps N] [--for-snr-db X] [--snr-db X,Y,...]``.

Both inversions of a photo begin with the same encoder passes, make as many gradient steps, and cross the same noise.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch

from channel_sim.randomness import FrameContext
from evaluation.inversion import SIDE, faces_for
from evaluation.link import Air, deliver
from shared.codec.catalogue import load_codec
from shared.codec.codec import Latent, SemanticCodec
from shared.perceptual.face_metrics import FaceMetrics
from shared.phy import profile_for
from shared.pictures import Picture
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_pictures
from transmitter.inverter import NO_LINK, USUAL_SNR_DB, Inverter, Refinement, ignore_progress
from transmitter.models import load_inverter
from transmitter.receptions import Receptions
from transmitter.symbols import MAX_USES, SymbolBudget

Likeness = tuple[float, float]
"""LPIPS and identity cosine."""

NOTHING: Likeness = (1.0, 0.0)
"""Of a frame that was lost."""


@dataclass(frozen=True)
class Row:
    """Means over photos and noise at one SNR.

    Attributes:
        snr_db: Es/N0, AWGN.
        k_payload: payload symbols.
        lpips: what arrived against the photo, of inversions for themselves.
        lpips_for_link: the same of inversions for the link.
        lpips_gain_error: standard error of their difference, photo by photo.
        identity_cosine: SFace, of inversions for themselves.
        identity_cosine_for_link: the same of inversions for the link.
        identity_gain_error: standard error of their difference.
    """

    snr_db: float
    k_payload: int
    lpips: float
    lpips_for_link: float
    lpips_gain_error: float
    identity_cosine: float
    identity_cosine_for_link: float
    identity_gain_error: float

    @classmethod
    def of(cls, snr_db: float, k_payload: int, for_itself: Sequence[Likeness], for_link: Sequence[Likeness]) -> Row:
        """The row that summarises as many photos of both kinds."""
        one, other = np.array(for_itself), np.array(for_link)
        before, after = one.mean(0), other.mean(0)
        error = (other - one).std(0, ddof=1) / len(one) ** 0.5 if len(one) > 1 else np.full(2, np.nan)
        lpips = float(before[0]), float(after[0]), float(error[0])
        return cls(snr_db, k_payload, *lpips, float(before[1]), float(after[1]), float(error[1]))


def compare(
    faces: Sequence[Picture],
    inverter: Inverter,
    codec: SemanticCodec,
    likeness: Callable[[Latent, Picture], Likeness],
    steps: int,
    for_snr_db: float,
    snrs_db: Sequence[float],
    draws: int,
) -> list[Row]:
    """A row for each SNR.

    Args:
        faces: aligned photos.
        inverter: of the codec's links.
        codec: of the link.
        likeness: of a received latent to the photo.
        steps: gradient steps of each inversion.
        for_snr_db: Es/N0 that those for a link are made for.
        snrs_db: Es/N0 that both meet.
        draws: noises for each photo.
    """
    budget = SymbolBudget(MAX_USES)

    def arrived(face: Picture, w_plus: Latent, snr_db: float, number: int) -> Likeness:
        k_payload = budget.payload(snr_db, profile_for(snr_db), 0)
        frames = [FrameContext(seed=seed, stream_id=f"photo-{number}", sequence=1) for seed in range(draws)]
        received = [deliver(w_plus, codec, k_payload, Air.of(snr_db, "none", frame)).w_plus for frame in frames]
        lpips, identity = np.mean([NOTHING if latent is None else likeness(latent, face) for latent in received], 0)
        return float(lpips), float(identity)

    kinds = [
        [inverter.invert(face, Refinement(steps, for_snr_db=meant), ignore_progress).w_plus for face in faces]
        for meant in (NO_LINK, for_snr_db)
    ]
    rows = []
    for snr_db in snrs_db:
        results = [
            [arrived(face, w_plus, snr_db, at) for at, (face, w_plus) in enumerate(zip(faces, kind, strict=True))]
            for kind in kinds
        ]
        rows.append(Row.of(snr_db, budget.payload(snr_db, profile_for(snr_db), 0), *results))
    return rows


def main() -> None:
    """Entry point of ``python -m evaluation.rate_aware``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with the CelebA archive; sampled faces without it")
    parser.add_argument("--photos", type=int, default=12)
    parser.add_argument("--steps", type=int, default=12, help="gradient steps of each inversion")
    parser.add_argument("--for-snr-db", type=float, default=USUAL_SNR_DB, help="link of those for a link")
    parser.add_argument("--snr-db", default="-5,0,6,12,20", help="Es/N0 in dB, separated by commas")
    parser.add_argument("--draws", type=int, default=4, help="noises for each photo")
    parser.add_argument("--seed", type=int, default=0, help="of the choice of photos")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    options = parser.parse_args()
    prior, codec, metrics = MobileStyleGan.load(), load_codec(), FaceMetrics()
    inverter = load_inverter(prior, Receptions(codec, SymbolBudget(MAX_USES)))

    def likeness(w_plus: Latent, face: Picture) -> Likeness:
        with torch.inference_mode():
            shown = to_pictures(prior.averaged(torch.from_numpy(w_plus)[None], SIDE))[0]
        return metrics.lpips(shown, face), metrics.identity_cosine(shown, face)

    faces = faces_for(prior, options.data, options.photos, options.seed)
    snrs_db = [float(value) for value in options.snr_db.split(",")]
    rows = compare(faces, inverter, codec, likeness, options.steps, options.for_snr_db, snrs_db, options.draws)
    documents = [{name: round(value, 4) for name, value in asdict(row).items()} for row in rows]
    if options.json:
        print(json.dumps({"photos": len(faces), "steps": options.steps, "rows": documents}))
        return
    for document in documents:
        print("  ".join(f"{name} {value}" for name, value in document.items()))


if __name__ == "__main__":
    main()
