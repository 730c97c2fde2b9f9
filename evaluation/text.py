"""How well free-form sentences are understood: ``python -m evaluation.text [--json] [--wrong] [--set test]``.

The sentences were written by hand, "test" and "development" before the grammar that the encoder is trained on, and
"strangers" (a second set to develop against, harder and wilder) before the grammar was widened. "visitors" were written
by strangers, who knew only the tables of docs/text.md; their mistakes were looked at. "sealed" are another stranger's,
of whose mistakes nobody looks at any: they say what a stranger will meet. No rule was written for those of either, and
training leaves out every sentence of all five.
An expectation reads ``smiling+2 eyeglasses=0``: signed changes and target degrees, ``present`` for plain presence,
alternatives after a slash. A direction is right when the attribute goes the way it should: up or down for a change; for
a target, away (0, and for age 0 or 1) or there (all others; age 2 and 3 are in between and count as themselves).
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Literal

import torch

from shared.attributes import Edit
from transmitter.text.labels import PRESENT_DEGREE
from transmitter.text.minilm_parser import MiniLmParser
from transmitter.text.parser import InstructionParser, ParsedInstruction

_ITEM = re.compile(r"(\w+?)(?:([+-]\d)|=(\d|present))")
_REFERENCES = ("undo", "redo", "reset", "more", "less", "same_for")

#: The sets of sentences: two to report on, three to look at while developing.
SETS = ("test", "sealed", "development", "strangers", "visitors")

Direction = Literal["up", "down", "between"]


@dataclass(frozen=True)
class Case:
    """One sentence and what it should be understood as.

    Attributes:
        say: the sentence.
        want: the expectation as it was written.
        tags: the phenomena it shows.
        edits: per attribute the acceptable edits; empty unless the sentence asks for edits.
    """

    say: str
    want: str
    tags: tuple[str, ...]
    edits: dict[str, tuple[Edit, ...]]

    @property
    def asks(self) -> bool:
        """Whether the sentence asks for edits."""
        return bool(self.edits)


def cases(name: str = "test") -> list[Case]:
    """The hand-written sentences of one of `SETS`."""
    rows: list[dict[str, Any]] = json.loads(files("evaluation").joinpath(f"text_{name}.json").read_text("utf-8"))
    return [Case(row["say"], row["want"], tuple(row["tags"]), wanted(row["want"])) for row in rows]


def wanted(want: str) -> dict[str, tuple[Edit, ...]]:
    """The acceptable edits per attribute; empty for an expectation that is no edit ("out", "undo", "nothing")."""
    edits: dict[str, tuple[Edit, ...]] = {}
    for item in want.split():
        accepted = []
        for alternative in item.split("/"):
            match = _ITEM.fullmatch(alternative)
            if match is None:
                return {}
            name, change, target = match.groups()
            degree = PRESENT_DEGREE[name] if target == "present" else int(target or 0)
            accepted.append(Edit(attribute=name, change=int(change)) if change else Edit(attribute=name, target=degree))
        edits[accepted[0].attribute] = tuple(accepted)
    return edits


def direction(edit: Edit) -> Direction:
    """Which way an edit takes its attribute."""
    if edit.change is not None:
        return "up" if edit.change > 0 else "down"
    target = edit.target or 0
    if edit.attribute == "age":
        return "down" if target <= 1 else "up" if target >= 4 else "between"
    return "up" if target else "down"


def directions_right(parsed: ParsedInstruction, edits: dict[str, tuple[Edit, ...]]) -> bool:
    """Whether exactly the wanted attributes are edited, each in an accepted direction."""
    found = {edit.attribute: direction(edit) for edit in parsed.edits} if parsed.understood else {}
    if found.keys() != edits.keys():
        return False
    return all(found[name] in {direction(edit) for edit in accepted} for name, accepted in edits.items())


def is_right(parsed: ParsedInstruction, case: Case) -> bool:
    """Whether the sentence was understood as it should be, degrees aside."""
    if case.asks or case.want == "nothing":
        return directions_right(parsed, case.edits) and parsed.refusal in (None, "nothing")
    if case.want == "out":
        return parsed.refusal == "out_of_scope"
    if case.want == "conflict":
        return parsed.refusal == "contradiction"
    kind, _, name = case.want.partition(":")
    reference = parsed.reference
    return reference is not None and reference.kind == kind and reference.attributes == ((name,) if name else ())


def report(parser: InstructionParser, held: list[Case]) -> dict[str, Any]:
    """Parse every sentence and count.

    Returns:
        Shares (0..1) over the sentences they concern, ``milliseconds`` per sentence, ``per_phenomenon`` and ``wrong``.
    """
    parser.parse(held[0].say)  # the first call allocates
    answers, milliseconds = [], []
    for case in held:
        start = time.perf_counter()
        answers.append(parser.parse(case.say))
        milliseconds.append(1e3 * (time.perf_counter() - start))
    pairs = list(zip(held, answers, strict=True))
    asking = [(case, answer) for case, answer in pairs if case.asks]
    out = [(case, answer) for case, answer in pairs if case.want == "out"]
    told = [
        (accepted, next((edit for edit in answer.edits if edit.attribute == name), None))
        for case, answer in asking
        for name, accepted in case.edits.items()
    ]
    explicit = [(accepted, edit) for accepted, edit in told if accepted[0].target is not None]
    changes = [(accepted, edit) for accepted, edit in told if accepted[0].target is None]
    phenomena: dict[str, list[bool]] = defaultdict(list)
    for case, answer in pairs:
        for tag in case.tags:
            phenomena[tag].append(is_right(answer, case))
    return {
        "sentences": len(held),
        "asking_for_edits": len(asking),
        "exact_attribute_direction_set": _share([is_right(answer, case) for case, answer in asking]),
        "explicit_targets": _share([edit in accepted for accepted, edit in explicit]),
        "changes_to_the_degree": _share([edit in accepted for accepted, edit in changes]),
        "out_of_scope_recall": _share([not answer.understood for _, answer in out]),
        "out_of_scope_recognised": _share([is_right(answer, case) for case, answer in out]),
        "false_refusals": _share([not answer.understood for _, answer in asking]),
        "references": _share([is_right(a, c) for c, a in pairs if c.want.partition(":")[0] in _REFERENCES]),
        "contradictions": _share([is_right(answer, case) for case, answer in pairs if case.want == "conflict"]),
        "nothing_to_do": _share([is_right(answer, case) for case, answer in pairs if case.want == "nothing"]),
        "milliseconds": {
            "median": round(statistics.median(milliseconds), 2),
            "p95": round(statistics.quantiles(milliseconds, n=20)[-1], 2),
        },
        "per_phenomenon": {
            tag: {"sentences": len(rights), "right": _share(rights)} for tag, rights in sorted(phenomena.items())
        },
        "wrong": [
            {"say": case.say, "want": case.want, "message": answer.message, "confidence": round(answer.confidence, 3)}
            for case, answer in pairs
            if not is_right(answer, case)
        ],
    }


def _share(rights: list[bool]) -> float | None:
    return round(sum(rights) / len(rights), 4) if rights else None


def main() -> None:
    """Entry point of ``python -m evaluation.text``."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--set", choices=SETS, default="test")
    parser.add_argument("--wrong", action="store_true", help="list what was misunderstood")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    result = report(MiniLmParser.load(), cases(options.set))
    if not options.wrong:
        del result["wrong"]
    if options.json:
        print(json.dumps(result, ensure_ascii=False))
        return
    for name, value in result.items():
        if name in ("per_phenomenon", "wrong"):
            print(f"{name}:")
            entries = value.items() if isinstance(value, dict) else enumerate(value)
            for key, entry in entries:
                print(f"  {key}: {entry}")
        else:
            print(f"{name}: {value}")


if __name__ == "__main__":
    main()
