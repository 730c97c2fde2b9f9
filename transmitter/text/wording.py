"""The parser's answers in words: what was understood, and what can be asked instead of what was not."""

from __future__ import annotations

from shared.attributes import Edit, attribute_degrees, attribute_names
from transmitter.text.parser import Reference

_NUMBERS = ("no", "one", "two", "three", "four", "five")
_NO_SUCH_THING = "none"

EXAMPLES = "for example “smile a bit more”, “remove the glasses”, “ten years younger” or “give him stubble”"


def what_can_be_asked() -> str:
    """The attributes and a few examples, as a sentence."""
    *most, last = attribute_names()
    return f"Ask for {', '.join(most)} or {last}, {EXAMPLES}."


def edit_in_words(edit: Edit) -> str:
    """One edit: "smiling up by two degrees", "eyeglasses to thin frame", "no beard"."""
    if edit.target is not None:
        words = attribute_degrees()[edit.attribute][edit.target]
        return f"no {edit.attribute}" if words == _NO_SUCH_THING else f"{edit.attribute} to {words}"
    change = edit.change or 0
    degrees = "degree" if abs(change) == 1 else "degrees"
    return f"{edit.attribute} {'up' if change > 0 else 'down'} by {_NUMBERS[abs(change)]} {degrees}"


def edits_in_words(edits: tuple[Edit, ...]) -> str:
    """All edits, as one line."""
    return "; ".join(edit_in_words(edit) for edit in edits)


def reference_in_words(reference: Reference) -> str:
    """A reference to an earlier turn, as a phrase."""
    of = " of " + " and ".join(reference.attributes) if reference.attributes else ""
    phrases = {
        "undo": f"undo the last turn{of}",
        "redo": "redo what was undone",
        "reset": f"back to the original{of}",
        "more": f"more of the last turn{of}",
        "less": f"less of the last turn{of}",
        "same_for": f"the last turn's change{of}",
    }
    return phrases[reference.kind]
