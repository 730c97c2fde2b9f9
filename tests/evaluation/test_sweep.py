import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from cli.main import run
from evaluation import conversation, edits
from evaluation.sweep import SweepPoint, read_latents, rounded
from shared.errors import InvalidInput


def test_a_point_where_every_frame_was_erased_is_still_json() -> None:
    point = SweepPoint("linear", -20.0, 64, 96, 4, 4, math.nan, -1.23456, 0.7, 0.0, -19.5)
    document = rounded(point)
    json.dumps(document, allow_nan=False)
    assert document["latent_nmse_db"] is None
    assert document["bound_nmse_db"] == -1.235
    assert document["erased"] == 4


def test_latents_are_read_from_an_array_of_them_and_from_what_an_inversion_wrote(tmp_path: Path) -> None:
    faces = np.random.default_rng(1).standard_normal((3, 16, 512)).astype(np.float32)
    np.save(tmp_path / "faces.npy", faces)
    np.savez(tmp_path / "latent.npz", w_plus=faces[0])
    assert np.array_equal(read_latents(tmp_path / "faces.npy", 2), faces[:2])
    assert np.array_equal(read_latents(tmp_path / "faces.npy"), faces)
    assert np.array_equal(read_latents(tmp_path / "latent.npz", 2), faces[:1])


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("none.npy", r"none\.npy cannot be read \(No such file"),
        (".", "cannot be read"),
        ("empty.npy", "holds no latents"),
        ("words.npz", "holds no latents"),
        ("torn.npz", "holds no latents"),
        ("other.npz", "holds no latents; name a .npy file of them, or the latent.npz"),
        ("flat.npz", r"holds float64 of shape \(512,\); name latents"),
        ("text.npy", r"holds <U1 of shape \(16, 512\)"),
    ],
)
def test_a_file_without_latents_is_refused_with_a_sentence(tmp_path: Path, name: str, sentence: str) -> None:
    (tmp_path / "empty.npy").touch()
    (tmp_path / "words.npz").write_text("no archive")
    (tmp_path / "torn.npz").write_bytes(b"PK\x03\x04 torn")
    np.savez(tmp_path / "other.npz", faces=np.zeros((16, 512)))
    np.savez(tmp_path / "flat.npz", w_plus=np.zeros(512))
    np.save(tmp_path / "text.npy", np.full((16, 512), "x"))
    with pytest.raises(InvalidInput, match=sentence):
        read_latents(tmp_path / name)


@pytest.mark.parametrize(
    ("words", "points"),
    [
        ([], (4, 128, [0, 6, 12])),
        (["--snr-db", "3"], (4, 128, [3])),
        (["--symbols", "64", "--faces", "2"], (2, 64, [0, 6, 12])),
    ],
)
def test_what_is_named_wins_over_quick(words, points, monkeypatch, capsys) -> None:
    class FakeSweep:
        def __init__(self, _prior, latents, *_) -> None:
            self.faces = len(latents)

        def at(self, name, snr_db, k_payload, *_) -> SweepPoint:
            return SweepPoint(name, snr_db, k_payload, k_payload, self.faces, 0, -1.0, -1.0, 0.1, 0.9, snr_db)

    monkeypatch.setattr("evaluation.sweep.Sweep", FakeSweep)
    monkeypatch.setattr("evaluation.sweep.sample_latents", lambda _prior, count, _seed: np.zeros((count, 16, 512)))
    monkeypatch.setattr("shared.prior.mobile_stylegan.MobileStyleGan.load", lambda: None)
    monkeypatch.setattr("cli.judge.load_judge", lambda: None)
    assert run(["sweep", "--quick", "--codec", "linear", "--json", *words]) == 0
    sent = json.loads(capsys.readouterr().out)
    (length,) = {point["k_payload"] for point in sent["points"]}
    assert (sent["faces"], length, [point["snr_db"] for point in sent["points"]]) == points


@pytest.mark.parametrize("option", ["--snr-db", "--symbols"])
def test_quick_does_not_hide_what_is_no_number(option, capsys) -> None:
    assert run(["sweep", "--quick", option, "a,b"]) == 2
    assert f"{option} takes numbers separated by commas" in capsys.readouterr().err


@pytest.mark.parametrize(("main", "words"), [(conversation.main, ["turns", "--latents"]), (edits.main, ["--photos"])])
def test_the_measuring_programs_refuse_it_before_they_load_anything(main, words, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "argv", ["program", *words, "nope.npy"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    assert "error: nope.npy cannot be read" in capsys.readouterr().err
