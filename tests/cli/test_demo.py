from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from cli.main import run

CONTRACT = {
    "instruction", "edits", "degrees_before", "degrees_after", "degrees_received", "resolution", "n",
    "k_payload", "k_header", "k_pilot", "k_total", "rho", "rho_payload", "snr_db_channel", "snr_db_estimated",
    "frames_sent", "frames_erased", "lpips_received_vs_intended", "identity_cosine", "timings_ms",
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("fake_services")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"face01234")
    return path


def demo(photo: Path, out: Path, *arguments: str) -> int:
    return run(["demo", "--image", str(photo), "--out", str(out), "--resolution", "128", *arguments])


def without_timings(value):
    if isinstance(value, dict):
        return {name: without_timings(each) for name, each in value.items() if name != "timings_ms"}
    return [without_timings(each) for each in value] if isinstance(value, list) else value


def test_the_demo_prints_its_report_and_leaves_its_pictures(photo, tmp_path, capsys):
    out = tmp_path / "out"
    instructions = ["--instruction", "smile more", "--instruction", "bangs +3"]
    assert demo(photo, out, "--json", "--snr-db", "20", "--seed", "7", *instructions) == 0
    report = json.loads(capsys.readouterr().out)
    assert report == json.loads((out / "report.json").read_text("utf-8"))
    assert [turn["instruction"] for turn in report["turns"]] == ["smile more", "bangs +3"]
    for turn in report["turns"]:
        assert set(turn) >= CONTRACT
        assert turn["n"] == 3 * 128 * 128
        assert turn["k_total"] == turn["k_payload"] + turn["k_header"] + turn["k_pilot"] <= 512
        assert turn["rho"] == turn["k_total"] / turn["n"]
        assert turn["snr_db_channel"] == 20
        assert turn["snr_db_estimated"] == pytest.approx(20, abs=3)
        # A change in 55 symbols of the fake code has an error of about 0.1 a degree here.
        assert turn["degrees_received"] == pytest.approx(turn["degrees_after"], abs=0.5)
        assert turn["frames_sent"] == len(turn["received_sha256"])
    assert report["turns"][1]["degrees_before"] == report["turns"][0]["degrees_after"]
    names = {path.name for path in out.iterdir()}
    assert names >= {"received_1.png", "received_2.png", "received.png", "side_by_side.png", "report.json"}
    assert (out / "received.png").read_bytes() == (out / "received_2.png").read_bytes()
    with Image.open(out / "received.png") as received:
        assert received.size == (128, 128)
        assert received.info["Description"] == "synthetic, edited"


def test_the_same_seed_gives_the_same_samples_and_report(photo, tmp_path, capsys):
    reports = []
    for name, seed in (("a", "7"), ("b", "7"), ("c", "8")):
        arguments = ["--json", "--fading", "rayleigh", "--seed", seed, "--instruction", "age =5"]
        assert demo(photo, tmp_path / name, *arguments) == 0
        reports.append(without_timings(json.loads(capsys.readouterr().out)))
    assert reports[0] == reports[1]
    assert reports[0]["turns"][0]["received_sha256"] != reports[2]["turns"][0]["received_sha256"]
    assert (tmp_path / "a/received.png").read_bytes() == (tmp_path / "b/received.png").read_bytes()


def test_for_people_the_demo_says_what_happened(photo, tmp_path, capsys):
    assert demo(photo, tmp_path / "out", "--symbols", "120", "--seed", "1", "--instruction", "smile more") == 0
    said = capsys.readouterr().out
    assert "smile more" in said
    assert "channel uses" in said
    assert str(tmp_path / "out") in said
    assert not set(tmp_path.glob("out/received_2.png"))


def test_a_photo_that_is_not_there_is_said_before_anything_starts(tmp_path, capsys):
    assert run(["demo", "--image", str(tmp_path / "none.jpg"), "--json"]) == 2
    assert "none.jpg" in json.loads(capsys.readouterr().out)["error"]["message"]


@pytest.mark.parametrize(
    ("arguments", "says"), [(["--resolution", "300"], "128, 256"), (["--fading", "quantum"], "rayleigh")]
)
def test_an_option_out_of_range_is_bad_input_with_a_sentence(photo, tmp_path, capsys, arguments, says):
    assert run(["demo", "--image", str(photo), "--out", str(tmp_path), *arguments]) == 2
    written = capsys.readouterr()
    assert says in written.err
    assert written.err.count("\n") == 1
