"""The page of conventions names a test for every formula; this holds it to that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shared.phy import PROFILES, SOUNDING

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
PROOFS = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


@pytest.mark.parametrize(("file", "name"), PROOFS)
def test_named_proof_exists(file: str, name: str) -> None:
    assert re.search(rf"^(async )?def {name}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE)


def test_every_section_with_a_formula_names_a_proof() -> None:
    for section in PAGE.split("\n## ")[1:]:
        title, _, text = section.partition("\n")
        assert "Proof: `tests/" in text, title


def test_table_of_profiles_is_the_codes() -> None:
    for profile in (*PROFILES, SOUNDING):
        cells = f"| {profile.name} | {profile.pilot_count} | {profile.header_count} | {profile.overhead} |"
        assert cells in PAGE
