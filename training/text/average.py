"""The mean of several rounds' weights: ``python -m training.text.average FIRST SECOND [...] --shares 1 3 --out FILE``.

Rounds that started from the same weights and saw different sentences lie in one basin of the loss, and their mean
understands more than each of them ("model soups", Wortsman et al., ICML 2022). It costs nothing: one model is served.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor


def average(rounds: Sequence[dict[str, Tensor]], shares: Sequence[float] = ()) -> dict[str, Tensor]:
    """The mean of each tensor, in the first round's precision.

    Args:
        rounds: weights by name.
        shares: how much each round counts, in any unit; none for equal shares.

    Raises:
        ValueError: if the rounds are not of one network, or the shares not one for each, with a sum above 0.
    """
    parts = torch.tensor(shares or [1.0] * len(rounds), dtype=torch.float32)
    if len(parts) != len(rounds) or not (parts >= 0).all() or parts.sum() <= 0:
        raise ValueError(f"give one share for each of {len(rounds)} rounds, none below 0 and not all 0")
    parts /= parts.sum()
    shapes = [{name: tensor.shape for name, tensor in each.items()} for each in rounds]
    if any(each != shapes[0] for each in shapes):
        raise ValueError("the rounds are not of one network: their tensors differ in name or shape")
    return {
        name: torch.tensordot(parts, torch.stack([each[name].float() for each in rounds]), 1).to(tensor.dtype)
        for name, tensor in rounds[0].items()
    }


def main() -> None:
    """Entry point of ``python -m training.text.average``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rounds", type=Path, nargs="+", help="weights that python -m training.text.train wrote")
    parser.add_argument("--shares", type=float, nargs="+", default=[], help="of each round; equal ones unless told")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    save_file(average([load_file(path) for path in options.rounds], options.shares), options.out)


if __name__ == "__main__":
    main()
