"""What a sentence means at this point of the conversation: a face to start from, and degrees to arrive at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.attributes import Edit, attribute_names, targets
from shared.codec.codec import Latent
from shared.errors import InstructionError
from transmitter.history import History, Moment, Move
from transmitter.text.parser import ParsedInstruction, Reference
from transmitter.text.wording import edits_in_words, reference_in_words

#: "A bit more" without a number is one degree.
DEFAULT_AMOUNT = 1


@dataclass(frozen=True, eq=False)
class Intent:
    """One turn before it is done.

    Attributes:
        words: what was understood.
        start: the face it starts from.
        targets: degrees to arrive at; empty where the start itself is what is wanted.
        edits: the same as wishes, those that follow from earlier turns included.
        meant: per attribute which way a following "more" goes, 1 up and -1 down.
        move: how it moves through the history.
    """

    words: str
    start: Moment
    targets: Mapping[str, float] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    meant: Mapping[str, int] = field(default_factory=dict)
    move: Move = "step"

    def result(self, w_plus: Latent, degrees: Mapping[str, float]) -> Moment:
        """The moment that the turn makes, once edited; undoing and redoing arrive at one that was there before."""
        if self.move != "step":
            return self.start
        wished = {**self.start.wished, **{name: degrees[name] for name in self.targets}}
        return Moment(w_plus, degrees, self.edits, self.meant, wished)


def resolve(parsed: ParsedInstruction, history: History) -> Intent:
    """Reads a sentence against what was done before.

    Args:
        parsed: a sentence that is understood, or refers to earlier turns, or whose best guess is to be taken.
        history: of the conversation.

    Raises:
        InstructionError: if it refers to a turn that never was, or contradicts itself.
    """
    if parsed.reference is None:
        words = parsed.message if parsed.understood else f"best guess: {edits_in_words(parsed.edits)}"
        return _step(words, history.current, parsed.edits)
    reference = parsed.reference
    if reference.kind in ("undo", "redo", "reset"):
        return _go_back(reference, parsed.edits, history)
    now = history.current
    if reference.kind == "same_for":
        edits, meant = _repeated(reference, now), {}
    else:
        edits = _adjusted(reference, now)
        # A second "less" goes on downwards: what "more" means stays what it was.
        meant = {edit.attribute: now.meant.get(edit.attribute, 1) for edit in edits}
    edits += parsed.edits
    return _step(f"{reference_in_words(reference)}: {edits_in_words(edits)}", now, edits, meant=meant)


def _step(
    words: str,
    start: Moment,
    edits: tuple[Edit, ...],
    back: Mapping[str, float] | None = None,
    meant: Mapping[str, int] | None = None,
) -> Intent:
    """A new turn: ``back`` are degrees that attributes return to, ``meant`` ways that are known already."""
    goal = {**(back or {}), **targets(edits, start.degrees)}
    ways = {name: _way(degree, start.degrees[name]) for name, degree in goal.items()}
    return Intent(words, start, goal, edits, {**ways, **(meant or {})})


def _go_back(reference: Reference, edits: tuple[Edit, ...], history: History) -> Intent:
    """Undo, redo and reset: of the whole face, or of the attributes that were named; and edits on top."""
    goal = {"undo": lambda: history.previous, "redo": lambda: history.undone, "reset": lambda: history.original}
    there = goal[reference.kind]()
    words = "; ".join(filter(None, (reference_in_words(reference), edits_in_words(edits))))
    if reference.attributes:
        return _step(words, history.current, edits, {name: there.degrees[name] for name in reference.attributes})
    if edits or reference.kind == "reset":
        return _step(words, there, edits)
    return Intent(words, there, move="undo" if reference.kind == "undo" else "redo")


def _adjusted(reference: Reference, now: Moment) -> tuple[Edit, ...]:
    """What "more" or "less" comes to, as edits."""
    names = reference.attributes or tuple(name for name in attribute_names() if name in now.meant)
    if not names:
        raise InstructionError("no earlier turn says of what; name what to change, for example 'smile a bit more'")
    amount = (reference.amount or DEFAULT_AMOUNT) * (1 if reference.kind == "more" else -1)
    return tuple(Edit(attribute=name, change=amount * now.meant.get(name, 1)) for name in names)


def _repeated(reference: Reference, now: Moment) -> tuple[Edit, ...]:
    """The last turn's wish again, for the attributes that are named."""
    if not now.edits:
        raise InstructionError("no earlier turn says what to do; say it in full, for example 'a longer beard'")
    if not reference.attributes:
        return now.edits
    wishes = {(edit.change, edit.target) for edit in now.edits}
    if len(wishes) > 1:
        raise InstructionError(
            f"the last turn did several things ({edits_in_words(now.edits)}); say which one is meant "
            f"for {' and '.join(reference.attributes)}"
        )
    ((change, target),) = wishes
    return tuple(Edit(attribute=name, change=change, target=target) for name in reference.attributes)


def _way(goal: float, before: float) -> int:
    """Up or down; a wish that the face already fulfils points to the end of the scale that it is nearer to."""
    if goal == before:
        return 1 if goal > 0 else -1
    return 1 if goal > before else -1
