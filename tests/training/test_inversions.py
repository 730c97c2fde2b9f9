from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from training.inversions import Inversions, moved
from transmitter.inverter import Refinement


class CountingInverter:
    """Finds a latent that holds the photo's mean, and counts."""

    def __init__(self) -> None:
        self.inverted = 0

    def find(self, faces: torch.Tensor, refinement: Refinement, *_: object) -> torch.Tensor:
        self.inverted += 1
        return faces.mean((1, 2, 3))[:, None, None].expand(-1, 16, 512) + refinement.steps


def test_a_longer_run_continues_a_shorter_one(tmp_path: Path) -> None:
    photos = np.random.default_rng(0).integers(0, 256, (5, 128, 128, 3), dtype=np.uint8)
    path = tmp_path / "latents.npy"
    Inversions(path, CountingInverter(), Refinement(3)).extend(photos[:2])
    again = CountingInverter()
    Inversions(path, again, Refinement(3)).extend(photos)
    whole = tmp_path / "whole.npy"
    Inversions(whole, CountingInverter(), Refinement(3)).extend(photos)
    assert again.inverted == 3
    np.testing.assert_array_equal(np.load(path), np.load(whole))
    assert np.load(path).shape == (5, 16, 512)


def test_answers_are_moved_as_those_of_other_photos_were() -> None:
    latents, answers = np.split(np.random.default_rng(1).normal(size=(50, 16, 512)).astype(np.float32), [47])
    refined = answers + np.array([1, 10, 100], np.float32)[:, None, None]
    after = moved(latents, answers, refined, seed=4)
    moves = np.round(after - latents, 3)
    assert {*np.unique(moves)} == {1, 10, 100}
    assert (moves == moves[:, :1, :1]).all()  # each as one of them, whole
    np.testing.assert_array_equal(moved(latents, answers, refined, seed=4), after)
