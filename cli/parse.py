"""``deepsc parse``: what the transmitter would understand, without a photo or a service."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import TextIOWrapper
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from cli.output import AsJson, print_json

if TYPE_CHECKING:
    from transmitter.text.parser import ParsedInstruction


def register(app: typer.Typer) -> None:
    """Adds the command to ``app``."""
    app.command("parse")(parse_command)


def parse_command(
    instruction: Annotated[str, typer.Argument(help="The sentence; - reads one per line from standard input.")],
    as_json: AsJson = False,
) -> None:
    """Say which edits a sentence asks for."""
    from transmitter.models import load_parser

    parser = load_parser()
    if instruction == "-":
        for line in lines(sys.stdin):
            print_json(document(parser.parse(line)))
        return
    parsed = parser.parse(instruction)
    if as_json:
        print_json(document(parsed))
    else:
        typer.echo(parsed.message)


def lines(stream: TextIO) -> Iterator[str]:
    """Every line as soon as it is there, without its end; bytes that are no text become U+FFFD.

    ``readline`` waits for one line, where iterating over the stream may wait for a buffer full of them.
    """
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    for line in iter(stream.readline, ""):
        yield line.rstrip("\r\n")


def document(parsed: ParsedInstruction) -> dict[str, Any]:
    """The contract of the command: the same keys for every sentence."""
    return parsed.model_dump(
        mode="json", include={"instruction", "understood", "edits", "message", "refusal", "reference"}
    )
