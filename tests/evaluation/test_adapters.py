"""The ablation of adapters, on faces so few that every way of training learns them in a few steps."""

from __future__ import annotations

import pytest
import torch

from evaluation.adapters import Ablation, Row
from shared.codec.joint import JointCodec
from shared.codec.networks import JointNetworks
from shared.codec.sizes import COEFFICIENTS
from tests.codec.conftest import face_like_basis, face_like_perceptual_basis
from training.adapters import Schedule

K = 140


@pytest.fixture(scope="module")
def rows() -> dict[tuple[str, float | None], Row]:
    codec = JointCodec(face_like_perceptual_basis(face_like_basis()), JointNetworks(), 3)
    white = torch.randn(4, COEFFICIENTS, generator=torch.Generator().manual_seed(1))
    ablation = Ablation(codec, white, white, [6.0], [6.0, 18.0], fading=False, k=(K, K), frames=200)
    schedules = [Schedule(40, 32, 5e-3, seed) for seed in (1, 2)]
    return {(row.trained, row.for_snr_db): row for row in ablation.rows(schedules, lambda *_: None)}


def test_adapters_help_where_they_were_trained_and_change_nothing_elsewhere(
    rows: dict[tuple[str, float | None], Row],
) -> None:
    row = rows["adapters", 6.0]
    assert row.errors["6"] < 1 - row.spread["6"]
    assert (row.errors["18"], row.spread["18"]) == (1.0, 0.0)


def test_adapters_are_light(rows: dict[tuple[str, float | None], Row]) -> None:
    assert rows["adapters", 6.0].parameters < 0.05 * rows["full", 6.0].parameters


def test_whole_networks_change_the_codec_elsewhere_too(rows: dict[tuple[str, float | None], Row]) -> None:
    assert rows["full", 6.0].errors["6"] < 1
    assert rows["full", 6.0].errors["18"] != 1
    assert rows["conditioned", None].errors["18"] < 1
