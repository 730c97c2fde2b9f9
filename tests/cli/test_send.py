from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import run
from tests.fakes.processes import served

pytestmark = pytest.mark.usefixtures("fake_services")


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    """A receiver and a transmitter that talks to it without a channel between."""
    with (
        served("receiver") as receiver,
        served("transmitter", "--target", receiver, "--refine-steps", "1") as transmitter,
    ):
        yield {"receiver": receiver, "transmitter": transmitter}


@pytest.fixture
def send(addresses, tmp_path):
    """Runs ``deepsc send`` with these bytes as the photo."""

    def send(photo: bytes, *arguments: str, receiver: bool = True) -> int:
        path = tmp_path / "photo.png"
        path.write_bytes(photo)
        watch = ["--receiver", addresses["receiver"]] if receiver else []
        to = ["--transmitter", addresses["transmitter"], "--out", str(tmp_path / "out"), "--resolution", "128"]
        return run(["send", str(path), *arguments, *to, *watch])

    return send


def test_each_instruction_is_a_turn_of_one_conversation(send, tmp_path, capsys):
    assert send(b"face01234", "bangs +1", "bangs +1", "--json", "--symbols", "80") == 0
    report = json.loads(capsys.readouterr().out)
    assert [turn["degrees_after"]["bangs"] for turn in report["turns"]] == [1, 2]
    assert {turn["k_payload"] for turn in report["turns"]} == {80}
    assert report["turns"][0]["snr_db_channel"] is None
    assert (tmp_path / "out/received_2.png").exists()


def test_without_a_receiver_to_watch_the_report_says_what_is_unknown(send, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/received.png").write_bytes(b"of an earlier run")
    assert send(b"face01234", "bangs +1", "--json", receiver=False) == 0
    turn = json.loads(capsys.readouterr().out)["turns"][0]
    assert turn["degrees_received"] is turn["lpips_received_vs_intended"] is turn["identity_cosine"] is None
    assert not (tmp_path / "out/received.png").exists()


@pytest.mark.parametrize(
    ("content", "instruction", "says"),
    [
        (b"landscape", "smile more", "no face"),
        (b"crowd", "smile more", "largest"),
        (b"junk", "smile more", "not a picture"),
        (b"", "smile more", "not a picture"),
        (b"face01234", "make me a sandwich", "nothing to do"),
        (b"face01234", " ", "empty"),
    ],
)
def test_what_cannot_be_used_is_one_sentence_and_status_2(send, capsys, content, instruction, says):
    assert send(content, instruction) == 2
    written = capsys.readouterr()
    assert says in written.err
    assert written.err.count("\n") == 1
    assert written.out == ""


def test_the_largest_of_several_faces_is_taken_if_asked_for(send):
    assert send(b"crowd", "smile more", "--largest-face") == 0


def test_a_turn_that_is_refused_keeps_the_pictures_of_those_before(send, tmp_path, capsys):
    assert send(b"face01234", "bangs +1", "make me a sandwich", "--json") == 2
    assert json.loads(capsys.readouterr().out)["error"]["reason"] == "INSTRUCTION"
    assert (tmp_path / "out/received_1.png").exists()
    assert len(json.loads((tmp_path / "out/report.json").read_text())["turns"]) == 1


def test_who_is_refused_at_once_keeps_what_an_earlier_run_left(send, tmp_path):
    assert send(b"face01234", "bangs +1", "bangs +1") == 0
    kept = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.is_file()}
    assert {"report.json", "side_by_side.png", "received.png", "received_2.png"} <= kept.keys()
    assert send(b"face01234", "make me a sandwich") == 2
    assert {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir() if path.is_file()} == kept


@pytest.mark.parametrize("option", ["--transmitter", "--receiver"])
def test_a_service_that_is_not_there_is_status_1_and_says_where_it_was_looked_for(addresses, tmp_path, capsys, option):
    photo: Path = tmp_path / "photo.png"
    photo.write_bytes(b"face01234")
    elsewhere = dict(addresses) | {option.removeprefix("--"): "127.0.0.1:1"}
    options = [word for name, address in elsewhere.items() for word in (f"--{name}", address)]
    assert run(["send", str(photo), "bangs +1", "--out", str(tmp_path), *options]) == 1
    assert "127.0.0.1:1" in capsys.readouterr().err
