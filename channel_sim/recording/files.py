"""Names of the two files that a SigMF recording is."""

from __future__ import annotations

from pathlib import Path

from sigmf.keys import SIGMF_DATASET_EXT, SIGMF_METADATA_EXT

from shared.errors import InvalidInput

_UNFINISHED = ".part"


def base_of(path: Path) -> Path:
    """The recording's name, whether it was written with one of the endings or without.

    Raises:
        InvalidInput: if it is a folder's alone.
    """
    if path.name in ("", ".."):
        raise InvalidInput(f"{path} names a folder; name the recording in it, such as {path / 'air'}")
    return path.with_suffix("") if path.suffix in (SIGMF_DATASET_EXT, SIGMF_METADATA_EXT) else path


def data_of(base: Path) -> Path:
    """The file of samples."""
    return base.with_name(base.name + SIGMF_DATASET_EXT)


def metadata_of(base: Path) -> Path:
    """The file of JSON."""
    return base.with_name(base.name + SIGMF_METADATA_EXT)


def unfinished(path: Path) -> Path:
    """What a file is called until it is whole."""
    return path.with_name(path.name + _UNFINISHED)
