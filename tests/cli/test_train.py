"""``deepsc train adapters``: a pair for a link of one's own, which the codec then loads."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from cli.main import run
from shared.codec.adapters import Adapters
from shared.codec.catalogue import load_codec
from shared.codec.codec import Latent
from shared.errors import InvalidInput


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


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--latents", "nope.npy"], "nope.npy cannot be read (No such file or directory)"),
        (["--beside", "nope"], "nope cannot be read (No such file or directory); name a file that deepsc"),
        (["--out", "."], ". cannot be written; name another file with --out"),
        (["--out", "file/adapters"], "file cannot be made a folder"),
    ],
)
def test_files_that_cannot_be_used_are_refused_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("shared.prior.mobile_stylegan.MobileStyleGan.load", None)  # whoever gets there fails
    Path("file").touch()
    assert run(["train", "adapters", "--snr-db", "0", *words]) == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.parametrize("name", ["nope", ".", "file", "other"])
def test_a_file_without_adapters_is_refused_with_a_sentence(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("words")
    save_file({"0.weight": np.zeros(3, np.float32)}, tmp_path / "other")
    with pytest.raises(InvalidInput, match="name a file that deepsc train adapters wrote"):
        load_codec("jecc", adapters=tmp_path / name)
