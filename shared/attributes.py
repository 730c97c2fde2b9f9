"""The editable attributes and their six degrees: a registry of data, read from ``attributes.json``.

Adding an attribute is adding an entry there, an edit direction and a template group; no code changes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from pydantic import BaseModel, ConfigDict, model_validator

from shared.errors import InstructionError

MIN_DEGREE = 0
MAX_DEGREE = 5


@cache
def attribute_degrees() -> Mapping[str, tuple[str, ...]]:
    """Every attribute's name with what its degrees 0..5 look like, in registry order."""
    entries: dict[str, list[str]] = json.loads(files("shared").joinpath("attributes.json").read_text("utf-8"))
    return MappingProxyType({name: tuple(words) for name, words in entries.items()})


def attribute_names() -> tuple[str, ...]:
    """The attributes' names in registry order: the order of every degree vector in the project."""
    return tuple(attribute_degrees())


class Edit(BaseModel):
    """One attribute's wish: either a signed change or a target degree, never both.

    Attributes:
        attribute: a name of the registry.
        change: signed number of degrees; slight 1, plain comparative 2, strong 3, 5 to the end.
        target: the degree 0..5 to arrive at.
    """

    model_config = ConfigDict(frozen=True)

    attribute: str
    change: int | None = None
    target: int | None = None

    @model_validator(mode="after")
    def _one_wish_within_range(self) -> Edit:
        if self.attribute not in attribute_degrees():
            raise ValueError(f"unknown attribute {self.attribute!r}; known are {', '.join(attribute_names())}")
        if (self.change is None) == (self.target is None):
            raise ValueError("an edit has either a change or a target")
        if self.change is not None and not (1 <= abs(self.change) <= MAX_DEGREE):
            raise ValueError(f"a change is 1 to {MAX_DEGREE} degrees up or down, not {self.change}")
        if self.target is not None and not (MIN_DEGREE <= self.target <= MAX_DEGREE):
            raise ValueError(f"a target degree is {MIN_DEGREE} to {MAX_DEGREE}, not {self.target}")
        return self

    def resolve(self, degree: float) -> float:
        """The degree to arrive at, starting from ``degree``, kept within 0..5."""
        wanted = float(self.target) if self.target is not None else degree + float(self.change or 0)
        return min(max(wanted, float(MIN_DEGREE)), float(MAX_DEGREE))


def targets(edits: tuple[Edit, ...], degrees: Mapping[str, float]) -> dict[str, float]:
    """Each edited attribute's target degree, from the degrees the face has now.

    Raises:
        InstructionError: if one attribute is named twice with different wishes.
    """
    wanted: dict[str, float] = {}
    for edit in edits:
        goal = edit.resolve(degrees[edit.attribute])
        if wanted.setdefault(edit.attribute, goal) != goal:
            raise InstructionError(f"the instruction asks for two different degrees of {edit.attribute}; name one")
    return wanted
