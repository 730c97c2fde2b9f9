"""What every command writes: answers on standard output, everything else on standard error, failures in a sentence."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from shared.errors import DeepscError, InvalidInput

if TYPE_CHECKING:
    from rich.console import Console

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output.")]

BAD_INPUT = 2
"""Exit status of a command that was given something it cannot use."""

FAILED = 1
"""Exit status of a command that could not do what it was asked."""

PIPED_WIDTH = 160
"""Characters to a line of a table that no terminal shows."""


def print_json(document: Any) -> None:
    """Writes one JSON document and a line end to standard output."""
    sys.stdout.write(json.dumps(document, ensure_ascii=False, allow_nan=False) + "\n")
    sys.stdout.flush()


def stderr_console() -> Console:
    """A rich console for progress and tables; rich is imported only where something is drawn."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def stdout_console() -> Console:
    """A rich console for tables that are the answer; in a pipe or a file, wide enough for all of their columns."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)


def fail(message: str, reason: str, status: int, *, as_json: bool) -> int:
    """Writes a failure as a sentence, or under ``--json`` as ``{"error": {"reason", "message"}}``; and returns
    the status.
    """
    if as_json:
        print_json({"error": {"reason": reason, "message": message}})
    else:
        sys.stderr.write(f"deepsc: {message}\n")
    return status


def fail_with(error: DeepscError, *, as_json: bool) -> int:
    """The same for one of our errors; bad input and other failures have different exit statuses."""
    status = BAD_INPUT if isinstance(error, InvalidInput) else FAILED
    return fail(error.message, error.reason, status, as_json=as_json)


def read_file(path: Path) -> bytes:
    """The bytes of a file that the user named.

    Raises:
        InvalidInput: if it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror}); name a file that is there") from error


def output_folder(path: Path) -> Path:
    """``path`` as a folder that is there.

    Raises:
        InvalidInput: if it cannot be made.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be made a folder ({error.strerror}); choose another with --out") from error
    return path
