"""The memory of one conversation: its face after every turn, and the ways back and forth between them."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.attributes import Edit
from shared.codec.codec import Latent
from shared.errors import InstructionError

Move = Literal["step", "undo", "redo"]
"""How a turn moves through the history: on to something new, back, or forth again."""


@dataclass(frozen=True, eq=False)
class Moment:
    """The face at one point of the conversation.

    Attributes:
        w_plus: its latent, shape ``(16, 512)``.
        degrees: every attribute's degree 0..5.
        edits: what was asked of the face before to make it this one; empty for the photo's own face.
        meant: for each attribute that was asked to move, which way "more" of it goes: 1 up, -1 down.
        wished: what each of them came to when it was; later turns are to leave it there.
    """

    w_plus: Latent
    degrees: Mapping[str, float]
    edits: tuple[Edit, ...] = ()
    meant: Mapping[str, int] = field(default_factory=dict)
    wished: Mapping[str, float] = field(default_factory=dict)


class History:
    """Where a conversation has been. A new turn forgets what was undone, as in every editor.

    Args:
        original: the photo's face.
        limit: turns that can be undone; older ones are forgotten, the original never.
    """

    def __init__(self, original: Moment, limit: int) -> None:
        self.original = original
        self.current = original
        self._past: deque[Moment] = deque(maxlen=limit)
        self._undone: list[Moment] = []

    def __len__(self) -> int:
        """Moments kept besides the original and the current one."""
        return len(self._past) + len(self._undone)

    def due(self, moment: Moment) -> dict[str, float]:
        """The degrees that a face should have where nobody asks for others: those wished for, else the photo's.

        Edits move what nobody named a little, each time; counted from there it does not add up.
        """
        return {**self.original.degrees, **moment.wished}

    @property
    def previous(self) -> Moment:
        """The face before the last turn.

        Raises:
            InstructionError: if there is none, or it was forgotten.
        """
        if not self._past:
            forgotten = " that is still remembered" if self.current is not self.original else ""
            raise InstructionError(f"there is no earlier turn{forgotten} to undo; say what to change")
        return self._past[-1]

    @property
    def undone(self) -> Moment:
        """The face that the last undo left.

        Raises:
            InstructionError: if nothing was undone since the last new turn.
        """
        if not self._undone:
            raise InstructionError("nothing was undone that could be done again; say what to change")
        return self._undone[-1]

    def arrive(self, move: Move, moment: Moment) -> None:
        """The turn was received, and ``moment`` is the current face."""
        if move == "undo":
            self._undone.append(self.current)
            self._past.pop()
        else:
            self._past.append(self.current)
            if move == "redo":
                self._undone.pop()
            else:
                self._undone.clear()
        self.current = moment
