from __future__ import annotations

import json
import subprocess
import sys

import pytest

from cli import main as cli_main
from cli.main import run
from shared.errors import InstructionError, LinkLost


def raising(error: Exception):
    def application():
        def app(*_, **__):
            raise error

        return app

    return application


def test_help_lists_every_command(capsys):
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for command in ("demo", "send", "serve", "parse", "invert", "channel", "models", "eval"):
        assert command in text


@pytest.mark.parametrize(
    ("error", "status"),
    [(InstructionError("say what to change"), 2), (LinkLost("the link is gone"), 1), (RuntimeError("a bug"), 1)],
)
def test_an_error_is_one_sentence_and_its_kind_of_status(monkeypatch, capsys, error, status):
    monkeypatch.setattr(cli_main, "application", raising(error))
    assert run(["demo"]) == status
    written = capsys.readouterr()
    assert written.out == ""
    assert str(error) in written.err
    assert written.err.count("\n") == 1
    assert "Traceback" not in written.err


def test_with_json_an_error_is_one_document(monkeypatch, capsys):
    monkeypatch.setattr(cli_main, "application", raising(InstructionError("say what to change")))
    assert run(["demo", "--json"]) == 2
    written = capsys.readouterr()
    assert json.loads(written.out) == {"error": {"reason": "INSTRUCTION", "message": "say what to change"}}
    assert written.err == ""


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["demo", "--snr-db", "loud"], ["send"], ["demo", "--no-such-flag"], ["demo", "--seed", "-1"]],
)
def test_a_wrong_command_line_is_bad_input(capsys, arguments):
    assert run([*arguments, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["reason"] == "USAGE"


def test_an_interrupt_is_quiet(monkeypatch, capsys):
    monkeypatch.setattr(cli_main, "application", raising(KeyboardInterrupt()))
    assert run(["demo"]) == 130
    assert capsys.readouterr().err == ""


def test_starting_up_imports_nothing_heavy():
    heavy = ("torch", "numpy", "grpc", "rich", "openvino", "transformers", "cv2", "PIL")
    program = f"import sys, cli.main; print([name for name in {heavy!r} if name in sys.modules])"
    imported = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert imported.stdout.strip() == "[]"


def test_an_unknown_service_is_refused_with_those_there_are(capsys):
    assert run(["serve", "teapot"]) == 2
    assert "transmitter, receiver, channel" in capsys.readouterr().err


def test_serve_passes_its_flags_on(capsys):
    assert run(["serve", "channel", "--port", "99999"]) == 2
    assert "--port" in capsys.readouterr().err
