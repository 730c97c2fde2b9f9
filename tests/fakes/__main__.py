"""``python -m tests.fakes transmitter|receiver [FLAGS]``: the real services around the fakes, as processes."""

from __future__ import annotations

import os
import sys
from functools import partial

from receiver.assemble import ReceiverParts
from receiver.assemble import assemble as assemble_receiver
from receiver.settings import ReceiverSettings
from shared.errors import InvalidInput
from shared.runtime import serve
from shared.settings import load
from tests.fakes.codec import PhaseCodec
from tests.fakes.face import FakeBackend, FakePredictor
from tests.fakes.followup import PhaseFollowUps
from tests.fakes.semantics import FakeEditor, FakeFinder, FakeInverter, FakeParser
from transmitter.assemble import assemble as assemble_transmitter
from transmitter.parts import TransmitterParts
from transmitter.settings import TransmitterSettings


def receiver_parts(_: ReceiverSettings) -> ReceiverParts:
    """Fakes of all."""
    seconds = float(os.environ.get("FAKE_RENDER_SECONDS", "0"))
    return ReceiverParts(PhaseCodec(), PhaseFollowUps(), FakeBackend(seconds), FakePredictor())


def transmitter_parts(_: TransmitterSettings) -> TransmitterParts:
    """Fakes of all."""
    return TransmitterParts(
        finder=FakeFinder(),
        inverter=FakeInverter(float(os.environ.get("FAKE_STEP_SECONDS", "0"))),
        parser=FakeParser(),
        predictor=FakePredictor(),
        editor=FakeEditor(),
        codec=PhaseCodec(),
        follow_ups=PhaseFollowUps(),
        backend=FakeBackend(),
    )


def main(service: str, *flags: str) -> int:
    """Serves until SIGTERM."""
    try:
        if service == "receiver":
            return serve(load(ReceiverSettings, flags), partial(assemble_receiver, receiver_parts))
        return serve(load(TransmitterSettings, flags), partial(assemble_transmitter, transmitter_parts))
    except InvalidInput as error:
        print(error.message, file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
