"""Latents of photos, as the transmitter finds them: ``python -m training.inversions --data DIR --split train``.

The statistics of the codec and the sweeps over real faces want many. A longer run continues a shorter one. Gradient
steps take most of the time, so that many photos can be had by the encoder alone (``--steps 0``) and be moved from its
answer as a few others were by their steps (``--moved-as``): how faces differ is learned from many, what steps add from
few.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from shared.codec.catalogue import load_codec
from shared.pictures import Picture
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_tensor
from training.celeba import iter_faces, load_faces
from transmitter.inversion_loss import SIDE
from transmitter.invert import StyleGanInverter
from transmitter.inverter import USUAL_SNR_DB, Refinement, ignore_progress
from transmitter.models import load_inverter
from transmitter.receptions import Receptions
from transmitter.symbols import MAX_USES, SymbolBudget

REPORT = 64
"""Photos after which the file is written."""


class Inversions:
    """A growing file of inversions.

    Args:
        path: the file, float32 ``(n, 16, 512)``; what it holds already is kept.
        inverter: finds the latents.
        refinement: of each.
    """

    def __init__(self, path: Path, inverter: StyleGanInverter, refinement: Refinement) -> None:
        self._path, self._inverter, self._refinement = path, inverter, refinement
        self.latents: list[NDArray[np.float32]] = list(np.load(path)) if path.exists() else []

    def extend(self, photos: Sequence[Picture]) -> None:
        """Inverts photos ``(N, S, S, 3)`` from where the file ends."""
        for photo in photos[len(self.latents) :]:
            found = self._inverter.find(to_tensor(photo[None]), self._refinement, ignore_progress, [])
            self.latents.append(found[0].numpy())
            if len(self.latents) % REPORT == 0:
                self._save()
        self._save()

    def _save(self) -> None:
        part = self._path.with_suffix(".part.npy")
        np.save(part, np.stack(self.latents))
        part.replace(self._path)
        print(json.dumps({"inverted": len(self.latents)}), flush=True)


def moved(
    latents: NDArray[np.float32], answers: NDArray[np.float32], refined: NDArray[np.float32], seed: int
) -> NDArray[np.float32]:
    """Encoder's answers ``(n, 16, 512)``, each moved as one of other photos, drawn.

    Args:
        latents: to be moved.
        answers: the encoder's to the others, ``(N, 16, 512)``.
        refined: what steps made of these.
        seed: of the drawing.
    """
    drawn = np.random.default_rng(seed).integers(len(answers), size=len(latents))
    return latents + (refined - answers)[drawn]


def main() -> None:
    """Entry point of ``python -m training.inversions``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--split", choices=["train", "val"], default="train")
    parser.add_argument("--photos", type=int, default=80)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--for-snr-db", type=float, default=USUAL_SNR_DB, help="link they are inverted for; inf: none")
    parser.add_argument(
        "--moved-as",
        type=Path,
        nargs=2,
        action="append",
        metavar=("ANSWERS", "REFINED"),
        help="latents of other photos before their steps and after; more than once for more kinds of them",
    )
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--seed", type=int, default=6)
    args = parser.parse_args()
    count = len(load_faces(args.data, args.split, args.work).names)
    order = np.random.default_rng(args.seed).permutation(count)[: args.photos].tolist()
    photos = dict(zip(sorted(order), iter_faces(args.data, args.split, SIDE, set(order)), strict=True))
    args.out.parent.mkdir(parents=True, exist_ok=True)
    found = args.out.with_suffix(".answers.npy") if args.moved_as else args.out
    inverter = load_inverter(MobileStyleGan.load(), Receptions(load_codec(), SymbolBudget(MAX_USES)))
    inversions = Inversions(found, inverter, Refinement(args.steps, for_snr_db=args.for_snr_db))
    inversions.extend([photos[place][1] for place in order])
    if args.moved_as:
        answers, refined = (
            np.concatenate([np.load(path) for path in kind]) for kind in zip(*args.moved_as, strict=True)
        )
        np.save(args.out, moved(np.stack(inversions.latents), answers, refined, args.seed))


if __name__ == "__main__":
    main()
