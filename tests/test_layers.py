"""What may import what, and what has to stand in one place for it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import errors

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ["transmitter", "receiver", "channel_sim"]
PACKAGES = {"transmitter", "receiver", "channel_sim", "shared", "protos", "evaluation", "training", "cli", "tests"}


def nodes_of(package: str) -> Iterator[tuple[str, ast.AST]]:
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            yield str(path.relative_to(ROOT)), node


def imported_by(package: str) -> Iterator[tuple[str, str]]:
    for place, node in nodes_of(package):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from ((name.partition(".")[0], place) for name in names)


@pytest.mark.parametrize("package", [*SERVICES, "shared"])
def test_a_service_imports_no_other_and_nothing_that_only_measures_or_trains(package: str) -> None:
    forbidden = PACKAGES - {package, "shared", "protos"}
    assert [place for place in imported_by(package) if place[0] in forbidden] == []


def test_every_error_that_may_pass_through_another_service_stands_in_the_one_tree() -> None:
    tree = {name for name, value in vars(errors).items() if isinstance(value, type) and issubclass(value, Exception)}
    classes = [node for service in SERVICES for _, node in nodes_of(service) if isinstance(node, ast.ClassDef)]
    assert [each.name for each in classes if {ast.unparse(base) for base in each.bases} & tree] == []
