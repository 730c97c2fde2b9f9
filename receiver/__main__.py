"""``python -m receiver``: the receiver as a process."""

from __future__ import annotations

import sys

from receiver.assemble import assemble
from receiver.settings import ReceiverSettings
from shared.errors import DeepscError
from shared.runtime import serve
from shared.settings import load


def main(flags: list[str]) -> int:
    """Serves until SIGTERM; returns the exit status."""
    try:
        settings = load(ReceiverSettings, flags)
    except DeepscError as error:
        print(error.message, file=sys.stderr)
        return 2
    return serve(settings, assemble)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
