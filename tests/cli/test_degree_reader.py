"""Which network reads the degrees of a report, and what is said where it is the link's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cli.eval_inversion import degree_reader
from cli.output import stderr_console
from evaluation.judge import DegreeJudge
from shared.errors import WeightsMissing
from shared.home import deepsc_home


def test_the_judge_reads_where_its_trunk_was_pulled(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        DegreeJudge.load()
    except WeightsMissing as missing:
        pytest.skip(missing.message)
    name, reader = degree_reader(stderr_console())
    assert name == "judge"
    assert isinstance(reader, DegreeJudge)
    assert capsys.readouterr().err == ""


def test_without_the_trunk_the_predictor_reads_and_a_sentence_on_stderr_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in deepsc_home().iterdir():
        if not file.name.startswith("mobilenet"):
            (tmp_path / file.name).symlink_to(file)
    monkeypatch.setenv("DEEPSC_HOME", str(tmp_path))
    name, reader = degree_reader(stderr_console())
    assert name == "predictor"
    assert np.isfinite(reader.degrees(np.full((1, 128, 128, 3), 128, np.uint8))).all()
    written = capsys.readouterr()
    said = " ".join(written.err.split())  # it is wrapped to the terminal
    assert "own predictor" in said
    assert "models pull --evaluation" in said
    assert written.out == ""
