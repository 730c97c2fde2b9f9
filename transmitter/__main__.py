"""``python -m transmitter``: the transmitter as a process; ``--help`` lists its flags."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial

from shared.errors import InvalidInput
from shared.runtime import serve
from shared.settings import load
from transmitter.assemble import assemble
from transmitter.settings import TransmitterSettings


def main(flags: Sequence[str]) -> int:
    """Serves until SIGTERM; returns the exit status."""
    try:
        settings = load(TransmitterSettings, flags)
    except InvalidInput as error:
        print(error.message, file=sys.stderr)
        return 2
    from transmitter.models import load_parts  # heavy: not for --help or a wrong flag

    return serve(settings, partial(assemble, load_parts))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
