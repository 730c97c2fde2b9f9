from __future__ import annotations

from contextlib import ExitStack

import pytest

from cli.client import Turn, dialogue
from cli.processes import free_ports
from protos.transmitter_pb2 import Photo
from tests.fakes.processes import served

pytestmark = pytest.mark.usefixtures("fake_services")


async def test_a_receiver_that_is_started_anew_is_watched_again() -> None:
    (port,) = free_ports(1)
    flags = ("--port", str(port), "--resolution", "128")
    photo = Photo(data=b"face01234", keep_open=True, resolution=128)
    with ExitStack() as first, served("transmitter", "--target", f"127.0.0.1:{port}") as transmitter:
        receiver = first.enter_context(served("receiver", *flags))
        async with dialogue(transmitter, receiver, photo) as talking:
            await talking.begin(photo, lambda _: None)
            assert isinstance(await talking.say("bangs +1"), Turn)
            first.close()
            with served("receiver", *flags):
                turn = await talking.say("bangs +1")
                assert isinstance(turn, Turn)
                assert turn.received is not None
                assert turn.received.degrees["bangs"] == pytest.approx(2, abs=0.2)
                await talking.end()
