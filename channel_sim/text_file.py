"""Text files that people hand in."""

from __future__ import annotations

from pathlib import Path

from shared.errors import InvalidInput


def read_text(path: Path) -> str:
    """The text of a file.

    Raises:
        InvalidInput: if it cannot be read, or is not text in UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read ({error.strerror}); name a file that is there") from error
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not text in UTF-8") from error
