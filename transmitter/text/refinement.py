"""The one wish that is about the picture as it arrives and not about the face: send more of it."""

from __future__ import annotations

import re

_SHARPER = re.compile(
    r"(please |can you |could you |now )*"
    r"((make |get )?(it |that |this |the (face|picture|image) )?(a bit |a little |even |much )?"
    r"(sharper|clearer|crisper|more detailed|less noisy)|sharpen( it| that| this)?|refine( it| that| this)?|"
    r"(improve|raise|better) (the )?(picture |image )?quality|(more|finer) details?|better quality)"
    r"( please| now)*"
)


def asks_for_refinement(instruction: str) -> bool:
    """Whether the whole sentence asks for a better copy of the same face: "sharper", "make it a bit clearer".

    A rule and not the language model's: what can be edited is the model's field, and this edits nothing.
    """
    words = " ".join(re.findall(r"[a-z]+", instruction.lower()))
    return _SHARPER.fullmatch(words) is not None
