"""The seam between a sentence and the edits it asks for."""

from __future__ import annotations

from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict

from shared.attributes import Edit

#: Why a sentence was not understood; None where it was.
Refusal = Literal["unreadable", "out_of_scope", "contradiction", "nothing", "reference", "unclear"]


class Reference(BaseModel):
    """A wish that only makes sense after an earlier turn.

    Attributes:
        kind: what to do with the earlier turn or turns.
        amount: for "more" and "less", by how many degrees; None otherwise.
        attributes: the attributes it names ("same for the beard"); empty when it means what the last turn did.
    """

    model_config = ConfigDict(frozen=True)

    kind: Literal["undo", "redo", "reset", "more", "less", "same_for"]
    amount: int | None = None
    attributes: tuple[str, ...] = ()


class ParsedInstruction(BaseModel):
    """What was understood of one sentence.

    Attributes:
        instruction: the sentence as it came.
        understood: whether there is something to do.
        edits: the wishes, at most one per attribute, in registry order. With ``refusal="unclear"`` they are the best
            guess, to be confirmed; with ``refusal="reference"`` they come on top of the reference.
        message: in words, what was understood, or why nothing was and what can be asked.
        refusal: why ``understood`` is False.
        reference: what the sentence says about earlier turns.
        confidence: the least sure of the decisions behind this answer, 0 to 1.
    """

    model_config = ConfigDict(frozen=True)

    instruction: str
    understood: bool
    edits: tuple[Edit, ...] = ()
    message: str
    refusal: Refusal | None = None
    reference: Reference | None = None
    confidence: float = 1.0


class InstructionParser(Protocol):
    """Reads one sentence; never raises for what people say, only answers ``understood=False``."""

    def parse(self, instruction: str) -> ParsedInstruction:
        """What ``instruction`` asks for."""
        ...
