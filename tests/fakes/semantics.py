"""Stand-ins for the transmitter's blocks."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from shared.attributes import Edit, attribute_names
from shared.codec.codec import Latent
from shared.errors import FaceError, ImageError
from tests.fakes.face import COUNT, FakeBackend, FakePredictor, latent_of
from transmitter.editor import EditOutcome
from transmitter.inverter import Inversion, InversionProgress, Refinement
from transmitter.text.parser import ParsedInstruction, Reference


class FakeFinder:
    """Takes ``b"face"`` followed by five digits, the degrees; finds no face in ``b"landscape"``."""

    def find(self, photo: bytes, *, largest_face: bool) -> NDArray[np.uint8]:
        """The picture of bars with those degrees, 256 px."""
        if photo == b"landscape":
            raise FaceError("no face was found in the photo; send one in which a face can be seen from the front")
        if photo == b"crowd" and not largest_face:
            raise FaceError("3 faces were found in the photo; crop it to one, or ask for the largest")
        digits = b"01234" if photo == b"crowd" else photo.removeprefix(b"face")
        if len(digits) != COUNT or not digits.isdigit():
            raise ImageError("these bytes are not a picture; send JPEG, PNG or WebP")
        return FakeBackend().render(latent_of([float(chr(digit)) for digit in digits])[None], 256)[0]


class FakeInverter:
    """Reads the bars into a latent, one progress event per step, ``step_seconds`` each."""

    def __init__(self, step_seconds: float = 0.0) -> None:
        self.step_seconds = step_seconds
        self.steps_done = 0

    def invert(
        self, face: NDArray[np.uint8], refinement: Refinement, on_progress: Callable[[InversionProgress], None]
    ) -> Inversion:
        """``(S, S, 3)`` to a latent."""
        on_progress(InversionProgress("encode", 1, 1))
        for step in range(1, refinement.steps + 1):
            time.sleep(self.step_seconds)
            on_progress(InversionProgress("refine", step, refinement.steps, 1 / step))
            self.steps_done = step
        w_plus = latent_of(FakePredictor().degrees(face[None])[0])
        return Inversion(w_plus, 0.1, 0.9, tuple(1 / step for step in range(1, refinement.steps + 1)), 1.0)


class FakeParser:
    """Understands ``ATTRIBUTE +2``, ``ATTRIBUTE -1``, ``ATTRIBUTE =3``, joined by commas; and ``Smile more``.

    A sentence may begin with a reference to earlier turns, ``undo``, ``redo``, ``reset``, ``more``, ``less`` or
    ``same_for``, with ``of ATTRIBUTE`` behind it; and with ``maybe``, which makes it unclear.
    """

    def parse(self, instruction: str) -> ParsedInstruction:
        """The edits."""
        text = instruction.lower().replace("smile more", "smiling +2")
        unclear, text = text.startswith("maybe "), text.removeprefix("maybe ")
        reference, edits = None, []
        for number, wish in enumerate(text.split(",")):
            words = wish.split()
            if number == 0 and words and words[0] in ("undo", "redo", "reset", "more", "less", "same_for"):
                reference = Reference(kind=words[0], attributes=tuple(words[2:]))  # type: ignore[arg-type]
                continue
            if len(words) != 2 or words[0] not in attribute_names():
                message = f"nothing to do was found in it; ask about {', '.join(attribute_names())}"
                return ParsedInstruction(instruction=instruction, understood=False, message=message)
            name, amount = words
            if amount.startswith("="):
                edits.append(Edit(attribute=name, target=int(amount[1:])))
            else:
                edits.append(Edit(attribute=name, change=int(amount)))
        return ParsedInstruction(
            instruction=instruction,
            understood=not unclear and reference is None,
            edits=tuple(edits),
            message="Not sure; confirm it." if unclear else f"Understood: {text}.",
            refusal="unclear" if unclear else "reference" if reference else None,
            reference=reference,
            confidence=0.3 if unclear else 1.0,
        )


class FakeEditor:
    """Writes the targets into the latent, but gets no further than ``reach``."""

    def __init__(self, reach: float = 5.0) -> None:
        self.reach = reach
        self.snrs_db: list[float | None] = []
        self.due: list[dict[str, float]] = []

    def edit(
        self,
        w_plus: Latent,
        targets: Mapping[str, float],
        due: Mapping[str, float] | None = None,
        *,
        snr_db: float | None,
    ) -> EditOutcome:
        """The edited latent."""
        self.snrs_db.append(snr_db)
        self.due.append(dict(due or {}))
        before = dict(zip(attribute_names(), w_plus[0, :COUNT].tolist(), strict=True))
        after = before | {name: min(goal, self.reach) for name, goal in targets.items()}
        reached = all(after[name] == goal for name, goal in targets.items())
        message = "" if reached else f"Went to {self.reach:g}, no further."
        return EditOutcome(latent_of(list(after.values())), before, after, reached, message)
