from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from cli.main import run
from cli.preview import preview, protocol
from shared.pictures import encode_png
from tests.fakes.face import FakeBackend, latent_of

PNG = encode_png(FakeBackend().render(latent_of([0, 1, 2, 3, 4])[None], 128)[0])


@pytest.fixture
def chat(fake_services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):  # noqa: ARG001
    """Runs ``deepsc chat`` with these lines piped in; the services are started as fakes."""

    def chat(*lines: str, options: tuple[str, ...] = ()) -> int:
        photo = tmp_path / "photo.png"
        photo.write_bytes(b"face01234")
        monkeypatch.setattr("sys.stdin", io.StringIO("".join(line + "\n" for line in lines)))
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
