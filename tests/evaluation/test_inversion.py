from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cli.main import run
from evaluation.inversion import Fit, Row, strange_faces
from shared.pictures import Picture
from shared.prior.mobile_stylegan import default_prior_path


@pytest.fixture
def photo() -> Picture:
    return np.random.default_rng(1).integers(60, 200, (256, 256, 3), dtype=np.uint8)


def test_strange_faces_keep_the_size_and_differ_from_the_photo(photo: Picture) -> None:
    kinds = dict(strange_faces(photo))
    assert {"rotated", "small", "dark", "occluded", "black and white", "painted", "no face at all"} == set(kinds)
    for picture in kinds.values():
        assert picture.shape == photo.shape
        assert picture.dtype == np.uint8
        assert not np.array_equal(picture, photo)


def test_a_row_is_the_mean_of_its_fits() -> None:
    fits = [
        Fit(0.2, 0.5, 20.0, (0.4, 0.0, 0.0, 0.0, 0.0), 0.6, 1.0),
        Fit(0.4, 0.7, 22.0, (0.2, 1.0, 0.0, 0.0, 0.4), 0.2, 3.0),
    ]
    row = Row.of("encoder", 12, fits)
    assert (row.photos, row.steps, row.seconds_median) == (2, 12, 2.0)
    assert row.document()["lpips"] == pytest.approx(0.3)
    assert row.document()["identity_cosine"] == pytest.approx(0.6)
    assert row.degree_off == pytest.approx({"bangs": 0.3, "eyeglasses": 0.5, "beard": 0, "smiling": 0, "age": 0.2})
    assert row.degrees_off == pytest.approx(0.2)


def test_the_curve_is_drawn_with_a_line_for_each_start(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    from evaluation.inversion_curve import draw_curve

    rows = [
        Row.of(start, steps, [Fit(0.5 - 0.01 * steps, 0.5, 20.0, (0.0,) * 5, 0.6, 0.1 + steps)])
        for start in ("encoder", "mean")
        for steps in (0, 10)
    ]
    draw_curve(rows, tmp_path / "both.png")
    draw_curve(rows[:2], tmp_path / "one.png")
    pictures = [np.asarray(Image.open(tmp_path / name).convert("RGB")) for name in ("both.png", "one.png")]
    assert pictures[0].shape == pictures[1].shape
    orange = [int(((picture - np.array([255, 127, 14])) ** 2).sum(2).min()) for picture in pictures]
    assert orange[0] == 0 < orange[1]  # the second line is there, and only where it was asked for


@pytest.mark.skipif(not default_prior_path().exists(), reason="the face prior has not been pulled")
def test_eval_inversion_tabulates_sampled_faces(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["eval", "inversion", "--photos", "2", "--steps", "0,2", "--out", str(tmp_path), "--json"]
    assert run(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    without, refined = document["rows"]
    assert without["photos"] == 2
    assert refined["steps"] == 2
    assert set(refined["degree_off"]) == {"bangs", "eyeglasses", "beard", "smiling", "age"}
    assert document["degrees_by"] in {"judge", "predictor"}
    assert document["strange"]["no face at all"]["confidence"] < refined["confidence"]
    assert (tmp_path / "inversion.png").is_file()
    assert json.loads((tmp_path / "inversion.json").read_text()) == document


def test_a_folder_without_the_archive_is_refused_with_what_it_has_to_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("shared.prior.mobile_stylegan.MobileStyleGan.load", lambda: None)
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "celeba18k.tar").write_text("no archive")
    for name in ("nope", "torn"):
        data = tmp_path / name
        assert run(["eval", "inversion", "--data", str(data), "--out", str(tmp_path / "out")]) == 2
        assert f"{data} holds no readable celeba18k.tar; name a folder that does" in capsys.readouterr().err
