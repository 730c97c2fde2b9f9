"""Commands of a word or two, which people expect to be understood every time: no network is asked about them."""

from __future__ import annotations

import re
from typing import Literal

from transmitter.text.parser import Reference

_LAST = r"(the |my |that )?(last|previous) (one|edit|change|step|turn|thing|instruction)"
_BARE: dict[Literal["undo", "redo", "reset"], re.Pattern[str]] = {
    "undo": re.compile(rf"(undo|revert|cancel|take back)( (it|that|this|{_LAST}))?|ctrl[ +-]?z"),
    "redo": re.compile(rf"redo( (it|that|this|{_LAST}))?|undo the undo|ctrl[ +-]?y"),
    "reset": re.compile(r"reset( (it|all|everything))?|(undo|revert) (all|everything)|start (over|again|afresh)"),
}
_IDLE = re.compile(r"stop|wait|hold on|pause|quit|exit")


def bare_reference(text: str) -> Reference | None:
    """What a sentence says of earlier turns if that is all of it: "undo", "redo that", "reset everything"."""
    bare = _bare(text)
    return next((Reference(kind=kind) for kind, pattern in _BARE.items() if pattern.fullmatch(bare)), None)


def is_idle(text: str) -> bool:
    """Whether a sentence is a word to a machine that asks for no edit: "stop", "wait"."""
    return _IDLE.fullmatch(_bare(text)) is not None


def _bare(text: str) -> str:
    return re.sub(r"\bplease\b|[^a-z+ -]", "", text.lower()).strip()
