"""``deepsc parse``: one document per sentence, and one line out for every line in, at once."""

from __future__ import annotations

import io
import json
import os

import pytest

import transmitter.models
from cli.main import run
from cli.parse import document, lines
from transmitter.text.parser import ParsedInstruction, Reference


class Echo:
    """Understands everything but a reference."""

    def parse(self, instruction: str) -> ParsedInstruction:
        if instruction == "a bit more":
            reference = Reference(kind="more", amount=1)
            return ParsedInstruction(
                instruction=instruction, understood=False, message="m", refusal="reference", reference=reference
            )
        return ParsedInstruction(instruction=instruction, understood=True, message="done")


@pytest.fixture(autouse=True)
def echo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transmitter.models, "load_parser", Echo)


def test_every_document_has_the_same_keys_and_says_why_nothing_was_understood(capsys):
    assert run(["parse", "a bit more", "--json"]) == 0
    refused = json.loads(capsys.readouterr().out)
    assert run(["parse", "smile", "--json"]) == 0
    understood = json.loads(capsys.readouterr().out)
    assert refused.keys() == understood.keys()
    assert refused["refusal"] == "reference"
    assert refused["reference"] == {"kind": "more", "amount": 1, "attributes": []}
    assert (understood["refusal"], understood["reference"]) == (None, None)


def test_the_keys_of_the_contract_are_there():
    parsed = ParsedInstruction(instruction="x", understood=True, message="m")
    assert {"instruction", "understood", "edits", "message"} <= document(parsed).keys()


def test_lines_come_one_by_one_while_the_stream_stays_open():
    read, write = os.pipe()
    with os.fdopen(write, "wb", buffering=0) as mouth, os.fdopen(read, encoding="utf-8") as ear:
        heard = lines(ear)
        mouth.write(b"smile more\n")
        assert next(heard) == "smile more"
        mouth.write(b"no beard\r\nand\xff")
        assert next(heard) == "no beard"
        mouth.close()
        assert list(heard) == ["and\ufffd"]


def test_a_dash_answers_every_line(monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO("smile\n\na bit more\n"))
    assert run(["parse", "-"]) == 0
    answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [answer["instruction"] for answer in answers] == ["smile", "", "a bit more"]
