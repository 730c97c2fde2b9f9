from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from PIL import Image
from PIL.ExifTags import Base

from cli.main import run
from cli.preview import preview, protocol
from shared.pictures import SYNTHETIC, encode_png, recoded
from tests.fakes.face import FakeBackend, latent_of

PNG = encode_png(FakeBackend().render(latent_of([0, 1, 2, 3, 4])[None], 128)[0])


@pytest.fixture
def chat(fake_services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # noqa: ARG001
    """Runs ``deepsc chat`` with these lines piped in; the services are started as fakes."""

    def chat(*lines: str, options: tuple[str, ...] = ()) -> int:
        photo = tmp_path / "photo.png"
        photo.write_bytes(b"face01234")
        piped = io.BytesIO("".join(line + "\n" for line in lines).encode(errors="surrogateescape"))
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(piped, encoding="utf-8", errors="surrogateescape"))
        where = ["--out", str(tmp_path / "out"), "--resolution", "128", "--snr-db", "20"]
        return run(["chat", str(photo), *where, *options])

    return chat


def test_lines_are_sentences_and_commands_of_one_conversation(chat, tmp_path, capsys):
    lines = ["bangs +2", "/undo", "/redo", "maybe age =0", "yes", "/compare", "a sandwich", "/sharper", "/nonsense"]
    assert chat(*lines, f"/save {tmp_path / 'kept.png'}", "/quit", "bangs +5", options=("--json",)) == 0
    said = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    kinds = [next(iter(each)) for each in said]
    turns = ["turn", "turn", "turn", "question", "turn", "comparison", "refusal", "turn", "error", "saved"]
    assert kinds == ["face", *turns]
    turned = [each["turn"] for each in said if "turn" in each]
    assert [turn["kinds"][-1] for turn in turned] == ["key", "delta", "delta", "delta", "refinement"]
    assert [round(turn["degrees_received"]["bangs"]) for turn in turned] == [2, 0, 2, 2, 2]
    assert round(turned[-1]["degrees_received"]["age"]) == 0
    assert (tmp_path / "kept.png").read_bytes() == (tmp_path / "out/received_5.png").read_bytes()


def test_for_people_every_turn_says_what_was_understood_and_spent(chat, capsys):
    assert chat("maybe bangs +2", options=("--yes",)) == 0
    said = capsys.readouterr().out
    assert "best guess: bangs up by two degrees" in said
    assert "channel uses (sounding, key), SNR" in said
    assert "\x1b" not in said


def test_a_byte_that_is_no_text_is_answered_like_any_other_sentence(chat, capsys):
    assert chat("a sandwich\udcff", options=("--json",)) == 0
    refused = json.loads(capsys.readouterr().out.splitlines()[-1])["refusal"]
    assert refused["instruction"] == "a sandwich\ufffd"


def test_a_face_is_saved_as_the_ending_says_or_not_at_all(chat, tmp_path, capsys):
    assert chat("bangs +2", *(f"/save {tmp_path / name}" for name in ("a.JPG", "b.webp", "c.txt", "d"))) == 0
    assert capsys.readouterr().out.count("end it with .png, .jpg, .jpeg, .webp.") == 2
    for name, kind in (("a.JPG", "JPEG"), ("b.webp", "WEBP")):
        with Image.open(tmp_path / name) as image:
            assert image.format == kind
    assert not {"c.txt", "d"} & {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize("kind", ["JPEG", "WEBP"])
def test_a_face_keeps_its_mark_in_every_format(kind):
    png = encode_png(FakeBackend().render(latent_of([0, 1, 2, 3, 4])[None], 128)[0], SYNTHETIC)
    exif = Image.open(io.BytesIO(recoded(png, kind))).getexif()
    assert exif[Base.ImageDescription] == SYNTHETIC


def test_commands_with_words_are_told_to_stand_alone(chat, capsys):
    assert chat("/sharper 3", "/undo now", "/quit please", "/nonsense now", options=("--json",)) == 0
    said = [json.loads(line).get("error") for line in capsys.readouterr().out.splitlines()]
    alone = [f"{word} takes no words" for word in ("/sharper", "/undo", "/quit")]
    assert said == [None, *alone, "unknown command /nonsense"]


@pytest.mark.parametrize(
    ("environment", "way", "begins"),
    [
        ({"TERM": "xterm-kitty"}, "kitty", "\x1b_Ga=T,f=100,"),
        ({"TERM_PROGRAM": "iTerm.app"}, "iterm", "\x1b]1337;File=inline=1;"),
        ({"TERM": "xterm-256color"}, "blocks", "\x1b[38;2;20;20;20;48;2;20;20;20m\u2580"),
    ],
)
def test_a_face_is_shown_as_the_terminal_can(environment, way, begins):
    assert protocol(environment) == way
    assert preview(PNG, way).startswith(begins)
