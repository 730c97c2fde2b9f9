"""The seam between a sentence and the edits it asks for."""

from __future__ import annotations

from typing import Protocol

from pydantic import BaseModel, ConfigDict

from shared.attributes import Edit


class ParsedInstruction(BaseModel):
    """What was understood of one sentence.

    Attributes:
        instruction: the sentence as it came.
        understood: whether there is something to do.
        edits: the wishes, at most one per attribute, in registry order.
        message: in words, what was understood, or why nothing was and what can be asked.
    """

    model_config = ConfigDict(frozen=True)

    instruction: str
    understood: bool
    edits: tuple[Edit, ...] = ()
    message: str


class InstructionParser(Protocol):
    """Reads one sentence; never raises for what people say, only answers ``understood=False``."""

    def parse(self, instruction: str) -> ParsedInstruction:
        """What ``instruction`` asks for."""
        ...
