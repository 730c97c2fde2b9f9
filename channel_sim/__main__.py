"""``python -m channel_sim``: the channel proxy as a process; ``--help`` lists its flags."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from channel_sim.service import assemble
from channel_sim.settings import ChannelSettings
from shared.errors import InvalidInput
from shared.runtime import serve
from shared.settings import load


def main(flags: Sequence[str]) -> int:
    """Runs the proxy with flags over ``DEEPSC_CHANNEL_*`` over defaults; returns the exit status."""
    try:
        settings = load(ChannelSettings, flags)
    except InvalidInput as error:
        print(error.message, file=sys.stderr)
        return 2
    return serve(settings, assemble)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
