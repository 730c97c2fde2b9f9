from __future__ import annotations

import pytest

from transmitter.text.bare import bare_reference, is_idle


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("undo", "undo"), ("Undo!", "undo"), ("undo that, please", "undo"), ("undo the last edit", "undo"),
        ("revert my last change", "undo"), ("ctrl+z", "undo"), ("redo", "redo"), ("Redo it.", "redo"),
        ("undo the undo", "redo"), ("reset everything", "reset"), ("undo all", "reset"), ("start over", "reset"),
    ],
)  # fmt: skip
def test_a_bare_command_is_read_by_rule(text, kind):
    reference = bare_reference(text)
    assert reference is not None
    assert (reference.kind, reference.attributes) == (kind, ())


@pytest.mark.parametrize(
    "text", ["undo the beard", "reset the smile", "start smiling", "take back the glasses", "", "re"]
)
def test_a_sentence_that_names_more_is_left_to_the_encoder(text):
    assert bare_reference(text) is None
    assert not is_idle(text)


def test_words_to_a_machine_ask_for_no_edit():
    assert is_idle("stop")
    assert is_idle("Hold on!")
    assert not is_idle("stop smiling")
