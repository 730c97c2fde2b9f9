"""A network as a graph: the same bits at every start, wherever it is kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from shared.graph import Graph
from shared.prior.mobile_stylegan import MobileStyleGan
from transmitter.models import load_predictor
from transmitter.onlooker import LatentReader

FACE = torch.zeros(1, 16, 512)


def reader(cache: Path) -> Graph:
    return Graph("reader", LatentReader(MobileStyleGan.load(), load_predictor()), FACE, cache)


def faces() -> NDArray[np.float32]:
    z = torch.randn(3, 512, generator=torch.Generator().manual_seed(3))
    return MobileStyleGan.load().mapping(z)[:, None].repeat(1, 16, 1).numpy()


def test_the_start_that_translates_a_graph_gives_the_bits_of_every_later_one(tmp_path: Path) -> None:
    first, second = reader(tmp_path), reader(tmp_path)
    for face in faces():
        np.testing.assert_array_equal(first(face[None]), second(face[None]))
    assert [path.name for path in tmp_path.glob("*/graph.xml")] == ["graph.xml"]


def test_a_graph_that_cannot_be_kept_is_served_all_the_same(tmp_path: Path) -> None:
    file = tmp_path / "no folder"
    file.write_text("in the way")
    network = torch.nn.Linear(2, 1)
    values = torch.tensor([[1.0, 2.0]])
    served = Graph("line", network, values, file)(values.numpy())
    assert served == pytest.approx(network(values).detach().numpy(), abs=1e-6)
