"""Findings as sentences for people, short enough for the status of a gRPC call."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import ValidationError

_MOST = 10
_LONGEST_VALUE = 120


def sentences(error: ValidationError) -> list[str]:
    """One sentence per bad value: where it stands, what it is, what it should be."""
    return [_sentence(detail["loc"], detail["input"], detail["msg"]) for detail in error.errors()]


def joined(findings: Sequence[str]) -> str:
    """The first ten, and how many more there are."""
    more = [f"and {len(findings) - _MOST} more"] if len(findings) > _MOST else []
    return "; ".join([*findings[:_MOST], *more])


def _sentence(place: tuple[int | str, ...], value: object, message: str) -> str:
    message = message.removeprefix("Value error, ")
    shown = repr(value)
    if len(shown) > _LONGEST_VALUE:
        shown = shown[:_LONGEST_VALUE] + "..."
    return f"{'.'.join(str(part) for part in place)} is {shown}: {message[:1].lower()}{message[1:]}"
