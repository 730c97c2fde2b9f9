"""What may import what: a service stands on ``protos`` and ``shared`` alone, and these on nothing above them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"transmitter", "receiver", "channel_sim", "shared", "protos", "evaluation", "training", "cli", "tests"}


def imported_by(package: str) -> Iterator[tuple[str, str]]:
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            yield from ((name.partition(".")[0], str(path.relative_to(ROOT))) for name in names)


@pytest.mark.parametrize("package", ["transmitter", "receiver", "channel_sim", "shared"])
def test_a_service_imports_no_other_and_nothing_that_only_measures_or_trains(package: str) -> None:
    forbidden = PACKAGES - {package, "shared", "protos"}
    assert [place for place in imported_by(package) if place[0] in forbidden] == []
