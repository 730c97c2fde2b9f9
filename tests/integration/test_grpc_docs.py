"""The calls in docs/grpc.md, made the way grpcurl makes them: with what reflection tells and nothing else."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.fakes.processes import whole_link

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/grpc.md").read_text("utf-8")
PORTS = {"50051": "transmitter", "50052": "channel", "50053": "receiver"}


class Reflected:
    """What a client knows of a service that it has never heard of."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._channel = channel
        self._database = ProtoReflectionDescriptorDatabase(channel)
        self._pool = DescriptorPool(self._database)

    @property
    def services(self) -> set[str]:
        return set(self._database.get_services())

    def method(self, path: str):
        service, _, name = path.partition("/")
        return self._pool.FindServiceByName(service).methods_by_name[name]

    def converse(self, path: str, requests: list[dict]) -> list[dict]:
        method = self.method(path)
        request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
        call = self._channel.stream_stream(
            f"/{path}", request_serializer=request.SerializeToString, response_deserializer=response.FromString
        )
        sent = [json_format.ParseDict(document, request()) for document in requests]
        return [json_format.MessageToDict(event) for event in call(iter(sent), timeout=20)]


@pytest.fixture(scope="module")
def addresses() -> Iterator[dict[str, str]]:
    with whole_link() as addresses:
        yield addresses


def test_every_documented_call_exists_and_takes_the_documented_json(addresses):
    commands = re.findall(r"grpcurl -plaintext(.*?) 127\.0\.0\.1:(\d+) ([\w.]+/\w+)", PAGE)
    assert len(commands) >= 5

    def check(options: str, address: str, path: str) -> None:
        with grpc.insecure_channel(address) as channel:
            method = Reflected(channel).method(path)
            data = re.search(r"-d '(.*?)'", options)
            if data:
                json_format.ParseDict(json.loads(data[1]), GetMessageClass(method.input_type)())

    for options, port, path in commands:
        check(options, addresses[PORTS[port]], path)


def test_every_documented_service_is_listed_by_reflection(addresses):
    def services(address: str) -> set[str]:
        with grpc.insecure_channel(address) as channel:
            return Reflected(channel).services

    for row in re.findall(r"^\| (`deepsc.*?) \| `127\.0\.0\.1:(\d+)`", PAGE, re.MULTILINE):
        names = set(re.findall(r"`(.*?)`", row[0]))
        listed = services(addresses[PORTS[row[1]]])
        assert names | {"grpc.health.v1.Health"} <= listed


def test_a_conversation_needs_nothing_but_json_and_reflection(addresses):
    template = re.search(r"jq -n --rawfile photo me\.b64 '(.*?)'", PAGE)
    assert template
    photo, instruction = re.split(r", (?=\{instruction)", template[1])
    as_json = [re.sub(r"(\w+):", r'"\1":', text) for text in (photo, instruction)]
    encoded = base64.b64encode(b"face01234").decode()
    requests = [json.loads(text.replace("$photo", f'"{encoded}"')) for text in as_json]

    with grpc.insecure_channel(addresses["transmitter"]) as channel:
        events = Reflected(channel).converse("deepsc.v1.Transmitter/Converse", requests)
    assert "opened" in events[0]
    assert events[-1]["turn"]["edits"] == [{"attribute": "smiling", "change": 2}]
    assert base64.b64decode(events[-1]["turn"]["intendedPng"]).startswith(b"\x89PNG")


def test_the_example_client_receives_a_face_per_sentence(addresses, tmp_path):
    program = ROOT / "docs/examples/client.py"
    source = program.read_text("utf-8")
    assert len(source.splitlines()) <= 40
    assert set(re.findall(r"^from (\w+)", source, re.MULTILINE)) <= {"pathlib", "protos"}
    (tmp_path / "me.jpg").write_bytes(b"face01234")

    def run(*sentences: str) -> tuple[int, str, str]:
        command = [sys.executable, str(program), addresses["transmitter"], addresses["receiver"], "me.jpg", *sentences]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
        return done.returncode, done.stdout, done.stderr

    status, out, err = run("bangs +2", "age =0")
    assert (status, err) == (0, "")
    assert (tmp_path / "received_1.png").exists()
    assert (tmp_path / "received_2.png").exists()
    assert "channel uses" in out
    status, _, err = run("a sandwich")
    assert status == 1
    assert err.startswith("INVALID_ARGUMENT: ")
    assert "Traceback" not in err
