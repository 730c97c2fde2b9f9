"""The price of moves, and the moves that are cheapest by it."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from shared.attributes import attribute_names
from shared.prior.mobile_stylegan import MobileStyleGan
from tests.transmitter.visible import linear_predictor, plain_basis
from training.edit_space import TINT, Matrix, colour_metric, colours, draw_moves, price_of, units_of
from transmitter.latent_predictor import VISIBLE, VisibleSpace

ATTRIBUTES = len(attribute_names())


def grey(brightness: float) -> torch.Tensor:
    return torch.full((1, 3, 16, 16), brightness)


def test_brightness_is_seen_once_and_a_tint_more() -> None:
    seen = (colours(grey(0.5)) - colours(grey(0.2)))[0, :, 0, 0]
    np.testing.assert_allclose(seen, [0.3, 0, 0, 0], atol=1e-6)
    tinted = grey(0.2)
    tinted[:, 2] += 0.1
    seen = (colours(tinted) - colours(grey(0.2)))[0, :, 0, 0]
    blue = 0.114
    np.testing.assert_allclose(seen, [0.1 * blue, *(TINT * 0.1 * np.array([-blue, -blue, 1 - blue]))], atol=1e-6)


def test_what_a_cell_averages_out_is_no_colour() -> None:
    stripes = grey(0.0)
    stripes[..., ::2] = 1.0
    torch.testing.assert_close(colours(stripes), colours(grey(0.5)))


def test_the_metric_foretells_how_colours_change() -> None:
    prior, space = MobileStyleGan.load(), VisibleSpace(plain_basis())
    latent = prior.mean_w.expand(1, 16, 512).numpy()
    metric = colour_metric(prior, space, np.repeat(latent, 48, 0), seed=1)
    assert np.trace(metric) == pytest.approx(1.0)
    generator = np.random.default_rng(2)
    _, axes = np.linalg.eigh(metric)
    seen, random = axes[:, -1], generator.standard_normal(VISIBLE) / VISIBLE**0.5

    def change(du: Matrix) -> float:
        with torch.no_grad():
            moved = prior.preview(torch.from_numpy(latent + 0.05 * space.step(du)))
            return float((colours(moved) - colours(prior.preview(torch.from_numpy(latent)))).square().sum())

    assert change(seen) > 5 * change(random)


def test_units_cost_one() -> None:
    half = np.random.default_rng(3).standard_normal((VISIBLE, VISIBLE)) / VISIBLE**0.5
    price = price_of(plain_basis().importance[:VISIBLE].astype(np.float64), half @ half.T)
    units = units_of(price)
    np.testing.assert_allclose(units.T @ price @ units, np.eye(VISIBLE), atol=1e-8)


def test_moves_take_the_way_that_leaves_colours_alone() -> None:
    slopes = torch.zeros(ATTRIBUTES, VISIBLE)
    slopes[torch.arange(ATTRIBUTES), torch.arange(ATTRIBUTES)] = 1.0
    slopes[torch.arange(ATTRIBUTES), 100 + torch.arange(ATTRIBUTES)] = 1.0
    coloured = np.zeros((VISIBLE, VISIBLE))
    coloured[np.arange(ATTRIBUTES), np.arange(ATTRIBUTES)] = 1 / ATTRIBUTES
    units = units_of(price_of(np.full(VISIBLE, 0.01), coloured))
    moves, edited = draw_moves(linear_predictor(slopes), np.zeros((3, VISIBLE)), units, 20, seed=4)
    steps = np.abs(moves @ units)[np.arange(20)]
    assert (steps[np.arange(20), 100 + edited] > 10 * steps[np.arange(20), edited]).all()
