"""Finds the few directions that edits move faces in: ``python -m training.edit_space``.

At many faces the cheapest move for a wanted degree is worked out in all visible coordinates, in the fields of the
latent predictor. Moves of one attribute are alike, so a few principal directions hold most of all of them. The price of
a move ``du`` is how unlikely it is (``u`` is white), how much of it is seen, and how much it changes the colours:

    du^T (I + SEEN diag(l) + COLOUR M) du

``l`` being importances and ``M`` the mean metric of `colours` over faces, both in their own scale. LPIPS and identity,
of which ``l`` is made, hardly mind a wall or a skin of another tint.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from shared.attributes import attribute_names
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.weights import WEIGHTS, committed
from training.latent_degrees import load_latents, load_space
from training.perceptual_basis import Matrix
from transmitter.edit import REACH
from transmitter.fields import EditDirections, Vector, cheapest_move, mean_slopes, places
from transmitter.latent_predictor import VISIBLE, LatentPredictor, VisibleSpace

SEEN = 0.1
"""Price of what is seen, relative to the mean over the `STRONGEST` coordinates."""

COLOUR = 3.0
"""Price of colours that change, relative to as many coordinates that share the whole of that."""

STRONGEST = 64

CELL = 8
"""Side in pixels of the squares of a preview whose mean colours are compared."""

LUMA = (0.299, 0.587, 0.114)
"""Weights of red, green and blue in brightness (ITU-R BT.601)."""

TINT = 5.0
"""How much more a difference from grey counts than the same in brightness, which edits may not do without: a beard is
dark."""

SPREAD = 0.4
"""Deviation, in each coordinate, of the places over which the predictor's slopes are averaged."""

PLACES = 16
"""How many these are."""

CHANGES = (1.5, 3.0)
"""Least and most that a drawn edit asks for, in units of about a degree."""


def colours(render: Tensor) -> Tensor:
    """What ``(B, 3, S, S)`` are compared by: brightness and, `TINT` times, colours beside it, of cells."""
    cells = functional.avg_pool2d(render, CELL)
    brightness = torch.einsum("bchw,c->bhw", cells, cells.new_tensor(LUMA))[:, None]
    return torch.cat([brightness, TINT * (cells - brightness)], 1)


def colour_metric(prior: MobileStyleGan, space: VisibleSpace, latents: NDArray[np.float32], seed: int) -> Matrix:
    """``E[J^T J]`` with ``J`` from visible coordinates to `colours`, at latents ``(N, 16, 512)``: trace 1.

    One probe of each (Hutchinson), as in `training/seen.py`.
    """
    generator, probes = torch.Generator().manual_seed(seed), []
    for latent in latents:
        at = torch.from_numpy(latent[None]).requires_grad_()
        view = colours(prior.preview(at))
        (gradient,) = torch.autograd.grad((torch.randn(view.shape, generator=generator) * view).sum(), at)
        probes.append(space.gradient(gradient.numpy())[0].astype(np.float64))
    rows = np.stack(probes)
    metric: Matrix = rows.T @ rows / np.square(rows).sum()
    return metric


def price_of(importance: Vector, metric: Matrix) -> Matrix:
    """The price of moves as a quadratic form ``(VISIBLE, VISIBLE)``."""
    price: Matrix = np.diag(1 + SEEN * importance / importance[:STRONGEST].mean()) + COLOUR * STRONGEST * metric
    return price


def units_of(price: Matrix) -> Matrix:
    """Columns ``(VISIBLE, VISIBLE)`` whose moves cost the sum of their squares: the price's inverse root."""
    values, vectors = np.linalg.eigh(price)
    units: Matrix = vectors / np.sqrt(values) @ vectors.T
    return units


def draw_moves(
    predictor: LatentPredictor, faces: NDArray[np.float64], units: Matrix, count: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """``count`` edits of one attribute each: moves ``(count, D)`` in units of price, and the attributes ``(count,)``.

    Fields are means over places about the face, as in `transmitter.fields`.

    Args:
        predictor: its slopes are the fields.
        faces: visible coordinates to start from, ``(N, VISIBLE)``.
        units: moves of price 1 that may be combined, as columns ``(VISIBLE, D)``.
        count: how many.
        seed: of faces and edits.
    """
    generator = np.random.default_rng(seed)
    attributes, moves, edited = len(attribute_names()), [], []
    around = places(SPREAD, PLACES, VISIBLE, generator)
    for _ in range(count):
        face, attribute = faces[generator.integers(len(faces))], generator.integers(attributes)

        def fields(move: Vector, face: NDArray[np.float64] = face) -> tuple[Vector, Vector]:
            scores, slopes = mean_slopes(predictor, face + units @ move + around)
            return scores, slopes @ units

        asked = fields(np.zeros(units.shape[1]))[0]
        asked[attribute] += generator.choice([-1, 1]) * generator.uniform(*CHANGES)
        moves.append(cheapest_move(fields, asked, np.ones(attributes), units.shape[1], REACH))
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
    parser.add_argument("--coloured", type=int, default=400, help="faces at which colours are probed")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    space = load_space()
    predictor = LatentPredictor.load(committed("latent_degrees.safetensors"))
    latents = load_latents(args.probes)
    chosen = np.random.default_rng(args.seed).permutation(len(latents))[: args.coloured]
    metric = colour_metric(MobileStyleGan.load(), space, latents[chosen], args.seed)
    units = units_of(price_of(space.importance, metric))
    faces = space.analyse(latents).astype(np.float64)
    moves, edited = draw_moves(predictor, faces, units, args.moves, args.seed)
    lengths = np.linalg.norm(moves, axis=1)
    _, values, axes = np.linalg.svd(moves / lengths[:, None], full_matrices=False)
    held = np.cumsum(np.square(values)) / np.square(values).sum()
    few = units @ axes[: args.directions].T
    within, _ = draw_moves(predictor, faces, few, args.moves, args.seed)  # longer, as they may not turn aside
    reach = np.quantile(np.abs(within), 0.99, axis=0)
    EditDirections(np.stack([space.step(unit) for unit in few.T]), reach.astype(np.float32)).save(args.out)
    medians = {name: round(float(np.median(lengths[edited == i])), 2) for i, name in enumerate(attribute_names())}
    report = {"held": {str(n): round(float(held[n - 1]), 3) for n in (5, 8, 10, 12, 16, 24)}, "median_length": medians}
    print(json.dumps(report))


if __name__ == "__main__":
    main()
