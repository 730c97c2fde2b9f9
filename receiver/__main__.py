"""``python -m receiver``: the receiver as a process; ``--help`` lists its flags."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from receiver.assemble import assemble
from receiver.settings import ReceiverSettings
from shared.errors import InvalidInput
from shared.runtime import serve
from shared.settings import load


def main(flags: Sequence[str]) -> int:
    """Serves until SIGTERM; returns the exit status."""
    try:
        settings = load(ReceiverSettings, flags)
    except InvalidInput as error:
        print(error.message, file=sys.stderr)
        return 2
    from receiver.models import load_parts  # heavy: not for --help or a wrong flag

    return serve(settings, partial(assemble, load_parts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
