import hashlib
from pathlib import Path

import pytest

from shared.errors import InvalidInput
from shared.models.verify import check_committed, check_pulled
from tests.models.packages import catalogue_of, make_wheel


def manifest(weights: Path, **contents: bytes) -> None:
    lines = [f"{hashlib.sha256(content).hexdigest()}  {name}.safetensors\n" for name, content in contents.items()]
    (weights / "SHA256SUMS").write_text("".join(lines), "utf-8")


def test_pulled_files_are_ok_missing_or_corrupt(tmp_path: Path) -> None:
    packages = [(make_wheel(tmp_path, name, b"weights"), b"weights") for name in ("alpha", "beta", "gamma")]
    (tmp_path / "alpha.bin").write_bytes(b"weights")
    (tmp_path / "beta.bin").write_bytes(b"Weights")
    states = {check.origin: check.state for check in check_pulled(catalogue_of(*packages), tmp_path)}
    assert states == {"alpha": "ok", "beta": "corrupt", "gamma": "missing"}


def test_committed_files_are_checked_against_the_manifest(tmp_path: Path) -> None:
    manifest(tmp_path, good=b"1", changed=b"2", lost=b"3")
    (tmp_path / "good.safetensors").write_bytes(b"1")
    (tmp_path / "changed.safetensors").write_bytes(b"other")
    (tmp_path / "unnamed.safetensors").write_bytes(b"4")
    states = {check.path.stem: check.state for check in check_committed(tmp_path)}
    assert states == {"good": "ok", "changed": "corrupt", "lost": "missing", "unnamed": "corrupt"}


def test_a_folder_without_a_manifest_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="SHA256SUMS"):
        check_committed(tmp_path)


def test_manifest_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "SHA256SUMS").write_text("hello\n", "utf-8")
    with pytest.raises(ValueError, match="hello"):
        check_committed(tmp_path)
