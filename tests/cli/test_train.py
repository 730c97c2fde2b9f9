"""``deepsc train adapters``: a pair for a link of one's own, which the codec then loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cli.main import run
from shared.codec.adapters import Adapters
from shared.codec.catalogue import load_codec
from shared.codec.codec import Latent


def faces(count: int) -> Latent:
    basis = load_codec("jecc").basis
    coefficients = basis.deviation * np.random.default_rng(1).standard_normal((count, len(basis.deviation)))
    return np.stack([basis.synthesise(row.astype(np.float32)) for row in coefficients])


def test_a_pair_joins_those_there_are_and_changes_what_the_codec_sends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    np.save(tmp_path / "faces.npy", faces(8))
    first, both = str(tmp_path / "first.safetensors"), tmp_path / "both.safetensors"
    common = ["train", "adapters", "--latents", str(tmp_path / "faces.npy"), "--steps", "2", "--json"]
    assert run([*common, "--snr-db", "0", "--out", first]) == 0
    assert json.loads(capsys.readouterr().out)["out"] == first
    assert run([*common, "--snr-db", "12", "--fading", "rayleigh", "--beside", first, "--out", str(both)]) == 0
    assert [float(pair.snr_db) for pair in Adapters.load(both).pairs] == [0.0, 12.0]
    face, plain, adapted = faces(1)[0], load_codec("jecc"), load_codec("jecc", adapters=both)
    assert not np.array_equal(adapted.encode(face, 140, 12.0), plain.encode(face, 140, 12.0))
    np.testing.assert_array_equal(adapted.encode(face, 140, 20.0), plain.encode(face, 140, 20.0))


def test_a_fading_that_is_not_simulated_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["train", "adapters", "--snr-db", "0", "--fading", "rician"]) == 2
    assert "none or rayleigh" in capsys.readouterr().err
