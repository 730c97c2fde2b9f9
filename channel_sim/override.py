"""Fields that one call puts over its link's configuration, sent along as the call's metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from channel_sim.config import LinkConfig
from channel_sim.links import Setting
from shared.errors import InvalidInput


class Override:
    """What one call changes for itself; the other fields follow the link, also while it is changed.

    Args:
        fields: of :class:`~channel_sim.config.LinkConfig`, plain values, and ``fading`` and ``preset`` as shorthands;
            none of them leaves every setting as it is.
    """

    def __init__(self, fields: Mapping[str, Any]) -> None:
        self._fields = fields
        self._latest: tuple[Setting, Setting] | None = None

    def over(self, setting: Setting) -> Setting:
        """The setting as this call sees it.

        Raises:
            InvalidInput: one sentence per bad value.
        """
        if not self._fields:
            return setting
        if self._latest is None or self._latest[0] is not setting:
            config = setting.config.overlaid(self._fields)
            self._latest = setting, Setting(setting.version, config, config.chain(), overridden=True)
        return self._latest[1]


def override_from(text: str) -> Override:
    """Reads a JSON object of fields, checked as far as that is possible without the link.

    Raises:
        InvalidInput: if it is no such object; one sentence per bad value.
    """
    try:
        fields = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"an override is a JSON object of a link's fields, not {text[:120]!r} ({error})") from error
    if not isinstance(fields, dict) or not fields:
        raise InvalidInput(f"an override is a JSON object of at least one of a link's fields, not {text[:120]!r}")
    LinkConfig().overlaid(fields)
    return Override(fields)
