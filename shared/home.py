"""Where pulled and converted models are kept."""

import os
from pathlib import Path


def deepsc_home() -> Path:
    """Return the cache directory: `DEEPSC_HOME` when it is set and not empty, else `~/.cache/deepsc`.

    The directory is not created here, so that asking for the path never writes.
    """
    configured = os.environ.get("DEEPSC_HOME", "")
    return Path(configured).expanduser() if configured else Path.home() / ".cache" / "deepsc"
