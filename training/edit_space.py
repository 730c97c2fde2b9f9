"""Finds the few directions that edits move faces in: ``python -m training.edit_space``.

At many faces the cheapest move for a wanted degree is worked out in all visible coordinates, in the fields of the
latent predictor. Moves of one attribute are alike, so a few principal directions hold most of all of them. Price of a
move ``du``: ``sum_i (1 + SEEN l_i) du_i^2``, how unlikely it is (``u`` is white) and how much of it is seen.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from shared.attributes import attribute_names
from shared.weights import WEIGHTS, committed
from training.latent_degrees import Probes, load_space
from transmitter.edit import REACH
from transmitter.fields import EditDirections, Vector, cheapest_move
from transmitter.latent_predictor import VISIBLE, LatentPredictor

SEEN = 0.1
"""Weight of what is seen, relative to the mean over the `STRONGEST` coordinates."""

STRONGEST = 64

CHANGES = (1.5, 3.0)
"""Least and most that a drawn edit asks for, in units of about a degree."""


def draw_moves(
    predictor: LatentPredictor, faces: NDArray[np.float64], price: Vector, count: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """``count`` edits of one attribute each: moves ``(count, VISIBLE)`` in units of their price, and the attributes.

    Args:
        predictor: its slopes are the fields.
        faces: visible coordinates to start from, ``(N, VISIBLE)``.
        price: of a unit move of each coordinate, ``(VISIBLE,)``.
        count: how many.
        seed: of faces and edits.
    """
    generator = np.random.default_rng(seed)
    unit, attributes = 1 / np.sqrt(price), len(attribute_names())
    moves, edited = [], []
    for _ in range(count):
        face, attribute = faces[generator.integers(len(faces))], generator.integers(attributes)

        def fields(move: Vector, face: NDArray[np.float64] = face) -> tuple[Vector, Vector]:
            scores, slopes = predictor.slopes(torch.from_numpy((face + unit * move).astype(np.float32))[None])
            return scores[0].numpy().astype(np.float64), slopes[0].numpy().astype(np.float64) * unit

        asked = fields(np.zeros(VISIBLE))[0]
        asked[attribute] += generator.choice([-1, 1]) * generator.uniform(*CHANGES)
        moves.append(cheapest_move(fields, asked, np.ones(attributes), VISIBLE, REACH))
        edited.append(attribute)
    return np.stack(moves), np.array(edited)


def main() -> None:
    """Draws moves, reports how much of them the first directions hold, and writes these."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--probes", type=Path, default=Path("runs/latent_degrees"), help="faces of the latent predictor"
    )
    parser.add_argument("--out", type=Path, default=WEIGHTS / "edit_space.safetensors")
    parser.add_argument("--moves", type=int, default=1000)
    parser.add_argument("--directions", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    space = load_space()
    predictor = LatentPredictor.load(committed("latent_degrees.safetensors"))
    faces = Probes.load(args.probes, space).u.numpy().astype(np.float64)
    price = 1 + SEEN * space.importance / space.importance[:STRONGEST].mean()
    moves, edited = draw_moves(predictor, faces, price, args.moves, args.seed)
    lengths = np.linalg.norm(moves, axis=1)
    _, values, axes = np.linalg.svd(moves / lengths[:, None], full_matrices=False)
    held = np.cumsum(np.square(values)) / np.square(values).sum()
    chosen = axes[: args.directions]
    reach = np.quantile(np.abs(moves @ chosen.T), 0.99, axis=0)
    steps = np.stack([space.step(axis / np.sqrt(price)) for axis in chosen])
    EditDirections(steps, reach.astype(np.float32)).save(args.out)
    medians = {name: round(float(np.median(lengths[edited == i])), 2) for i, name in enumerate(attribute_names())}
    report = {"held": {str(n): round(float(held[n - 1]), 3) for n in (5, 8, 10, 12, 16, 24)}, "median_length": medians}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
