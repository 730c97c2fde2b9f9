"""Are the model files the ones that were pinned? SHA-256 of what was pulled and of what is committed."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from shared.errors import InvalidInput
from shared.models.catalogue import Catalogue

State = Literal["ok", "missing", "corrupt"]
MANIFEST = "SHA256SUMS"
_CHUNK = 1 << 20


@dataclass(frozen=True)
class FileCheck:
    """What was found of one file: `origin` is the model it belongs to, or the manifest that names it."""

    path: Path
    origin: str
    state: State


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def check_file(path: Path, sha256: str, origin: str) -> FileCheck:
    """Compare one file with its pinned hash."""
    if not path.is_file():
        return FileCheck(path, origin, "missing")
    return FileCheck(path, origin, "ok" if sha256_of(path) == sha256 else "corrupt")


def check_pulled(catalogue: Catalogue, home: Path, *, evaluation: bool = False) -> list[FileCheck]:
    """Check every file of the wanted models under the cache directory `home`."""
    return [
        check_file(file.location(home), file.sha256, model.name)
        for model in catalogue.wanted(evaluation=evaluation)
        for file in model.files
    ]


def check_committed(weights: Path) -> list[FileCheck]:
    """Check the files that `weights/SHA256SUMS` names (`<hash>  <path>` per line, as `sha256sum` writes it).

    A weight file beside the manifest that it does not name is corrupt: nobody said what it should be. Raises
    `InvalidInput` if there is no manifest, and `ValueError` for a line that is not of that form.
    """
    manifest = weights / MANIFEST
    if not manifest.is_file():
        raise InvalidInput(f"{weights} holds no {MANIFEST}; name the folder of the committed weights")
    pinned: dict[Path, str] = {}
    for line in manifest.read_text("utf-8").splitlines():
        sha256, _, name = line.partition("  ")
        if len(sha256) != 64 or not name:
            raise ValueError(f"{manifest} has a line that is not '<sha256>  <path>': {line!r}")
        pinned[weights / name] = sha256
    checks = [check_file(path, sha256, MANIFEST) for path, sha256 in sorted(pinned.items())]
    unnamed = sorted(path for path in weights.rglob("*.safetensors") if path not in pinned)
    return checks + [FileCheck(path, MANIFEST, "corrupt") for path in unnamed]
