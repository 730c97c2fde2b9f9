"""What the text encoder's heads can say about a sentence: the label space that training and parsing share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from shared.attributes import MAX_DEGREE, Edit

Action = Literal["untouched", "up", "down", "to", "conflict", "named"]
Kind = Literal["edit", "nothing", "out", "undo", "redo", "reset", "more", "less", "same_for"]

#: What happens to one attribute; "named" is an attribute that a reference points at ("same for the beard").
ACTIONS: tuple[Action, ...] = ("untouched", "up", "down", "to", "conflict", "named")
#: What the whole sentence is.
KINDS: tuple[Kind, ...] = ("edit", "nothing", "out", "undo", "redo", "reset", "more", "less", "same_for")
#: Sizes of a change, in degrees.
AMOUNTS: tuple[int, ...] = tuple(range(1, MAX_DEGREE + 1))
#: Target classes: the degrees 0..5, and one more for "have it, no matter how much of it".
PRESENT = MAX_DEGREE + 1
TARGET_CLASSES = PRESENT + 1
#: The degree that plain presence means ("add glasses"). Age is always there, so it has none.
PRESENT_DEGREE: dict[str, int] = {"bangs": 3, "eyeglasses": 3, "beard": 3, "smiling": 3}


@dataclass(frozen=True)
class Wish:
    """What a sentence says about one attribute.

    Attributes:
        action: what happens to it.
        amount: the size in degrees when ``action`` is up or down.
        target: the target class (0..5 or `PRESENT`) when ``action`` is to.
    """

    action: Action
    amount: int | None = None
    target: int | None = None

    def edit(self, attribute: str) -> Edit | None:
        """The edit this wish stands for, or None when it changes nothing."""
        if self.action == "to" and self.target is not None:
            degree = PRESENT_DEGREE.get(attribute, MAX_DEGREE) if self.target == PRESENT else self.target
            return Edit(attribute=attribute, target=degree)
        if self.action in ("up", "down") and self.amount is not None:
            return Edit(attribute=attribute, change=self.amount if self.action == "up" else -self.amount)
        return None


@dataclass(frozen=True)
class Labelled:
    """A sentence with everything the heads should say about it.

    Attributes:
        text: the sentence.
        kind: what the whole sentence is.
        wishes: per attribute what is said about it; an attribute that is left alone is absent.
        foreign: whether a part of it asks for something that cannot be edited here.
        amount: for "more" and "less", by how many degrees.
    """

    text: str
    kind: Kind
    wishes: dict[str, Wish] = field(default_factory=dict)
    foreign: bool = False
    amount: int | None = None
