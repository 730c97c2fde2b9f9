"""Fits the edit directions: how W moves per unit of each attribute's score, with the other attributes left alone.

Scores of sampled faces are regressed on W. Among all steps that raise one attribute's predicted score by one and leave
the others' alone, the direction is the one of least cost: its length in the prior's own statistics (Mahalanobis) plus
what it changes of the person, by a linear model of a recognition network's embedding. With cost ``d^T M d`` and
regression weights ``B (512, A)``, the steps are the columns of ``M^-1 B (B^T M^-1 B)^-1``.

Run: ``python -m training.directions --out weights/directions.safetensors``
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from shared.attributes import attribute_names
from shared.degree_predictor import DegreePredictor
from shared.perceptual.mobilefacenet import MobileFaceNet
from shared.prior.face_prior import NUM_STYLES
from shared.prior.mobile_stylegan import MobileStyleGan
from shared.tensors import to_tensor
from training.samples import SampleBank
from transmitter.fields import EditDirections

#: Style vectors (first, last) that each attribute moves: coarse ones carry shape, finer ones texture.
STYLES: dict[str, tuple[int, int]] = {
    "bangs": (0, 8),
    "eyeglasses": (0, 6),
    "beard": (0, 9),
    "smiling": (2, 8),
    "age": (0, 10),
}


def fit_scores(w: NDArray[np.float64], scores: NDArray[np.float64], ridge: float) -> NDArray[np.float64]:
    """Ridge regression of ``scores (N, A)`` on centred ``w (N, 512)`` -> weights ``(512, A)``."""
    gram = w.T @ w + ridge * len(w) * np.diag(np.square(w).mean(0))
    return np.linalg.solve(gram, w.T @ (scores - scores.mean(0))).astype(np.float64)


def cheapest_steps(cost: NDArray[np.float64], weights: NDArray[np.float64]) -> NDArray[np.float64]:
    """``M (512, 512)``, ``(512, A)`` -> steps ``(A, 512)`` with ``steps @ weights`` the identity."""
    moved = np.linalg.solve(cost, weights)
    return np.linalg.solve(weights.T @ moved, moved.T).astype(np.float64)


def main() -> None:
    """Scores the samples, fits, reports how much of the scores W explains, and writes the directions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("weights/directions.safetensors"))
    parser.add_argument("--predictor", type=Path, default=Path("weights/degrees.safetensors"))
    parser.add_argument("--work", type=Path, default=Path("runs/cache"))
    parser.add_argument("--samples", type=int, default=4000)
    parser.add_argument("--ridge", type=float, default=0.02)
    parser.add_argument("--identity", type=float, default=4.0, help="weight of keeping the person")
    parser.add_argument("--reach", type=float, default=12.0, help="largest change of score along one direction")
    args = parser.parse_args()
    prior, predictor, identity = MobileStyleGan.load(), DegreePredictor.load(args.predictor), MobileFaceNet.load()
    bank = SampleBank.open(args.samples, args.work)
    scores = np.concatenate(
        [score(predictor, bank.images[i : i + 128]) for i in range(0, len(bank.images), 128)]
    ).astype(np.float64)
    w = bank.w_plus.mean(1, dtype=np.float64) - prior.mean_w.numpy()
    fitted, held_out = slice(0, len(w) * 9 // 10), slice(len(w) * 9 // 10, None)
    weights = fit_scores(w[fitted], scores[fitted], args.ridge)
    error = scores[held_out] - scores[fitted].mean(0) - w[held_out] @ weights
    explained = 1 - np.square(error).mean(0) / scores[held_out].var(0)
    persons = np.concatenate([embed(identity, bank.images[i : i + 128]) for i in range(0, len(bank.images), 128)])
    person_of = fit_scores(w, persons.astype(np.float64), args.ridge)
    covariance = w.T @ w / len(w)
    person_cost = person_of @ person_of.T
    # Scaled so that between two faces of the prior both terms are equal on average at an identity weight of 1.
    person_cost *= args.identity * len(covariance) / np.trace(covariance @ person_cost)
    steps = cheapest_steps(np.linalg.inv(covariance) + person_cost, weights)
    names = attribute_names()
    table = np.zeros((len(names), NUM_STYLES, w.shape[1]), np.float32)
    for i, name in enumerate(names):
        first, last = STYLES[name]
        table[i, first : last + 1] = steps[i]
    EditDirections(table, np.full(len(names), args.reach, np.float32)).save(args.out)
    print(json.dumps({"explained_variance": dict(zip(names, explained.round(3).tolist(), strict=True))}))


def score(predictor: DegreePredictor, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 ``(B, S, S, 3)`` -> scores ``(B, A)``."""
    with torch.inference_mode():
        scores: NDArray[np.float32] = predictor.scores(to_tensor(images)).numpy()
    return scores


def embed(identity: MobileFaceNet, images: NDArray[np.uint8]) -> NDArray[np.float32]:
    """uint8 ``(B, S, S, 3)`` -> identity embeddings ``(B, 512)``."""
    with torch.inference_mode():
        embeddings: NDArray[np.float32] = identity.embed(to_tensor(images)).numpy()
    return embeddings


if __name__ == "__main__":
    main()
