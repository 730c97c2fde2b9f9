"""One conversation: a face, then sentences about it, each of them answered over the link."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterator, MutableMapping
from contextlib import aclosing, contextmanager
from functools import partial

import numpy as np

from protos import link_pb2
from protos.transmitter_pb2 import AttributeEdit, ConverseEvent, FaceReady, Photo, Progress, TurnReport
from shared.attribute_predictor import degrees_of
from shared.attributes import Edit, targets
from shared.codec.codec import Latent
from shared.errors import InstructionError
from shared.phy import ChannelUses
from shared.pictures import SYNTHETIC, SYNTHETIC_EDITED, encode_png
from transmitter.courier import Courier, Delivery
from transmitter.editor import EditOutcome
from transmitter.inverter import Inversion, InversionProgress, Refinement
from transmitter.parts import TransmitterParts
from transmitter.text.parser import ParsedInstruction
from transmitter.workers import Reporting, Workers

MAX_INSTRUCTION = 500
"""Longest sentence taken, in characters."""


class Conversation:
    """The state of one conversation: its face as it is now, and how often it was changed.

    A turn whose frames were all erased changes nothing: the receiver still shows the face before it, and saying the
    sentence again must not do it twice.

    Args:
        parts: the semantic blocks.
        workers: where they run.
        courier: brings latents to the receiver.
        resolution: side in pixels of the pictures in events.
    """

    def __init__(self, parts: TransmitterParts, workers: Workers, courier: Courier, resolution: int) -> None:
        self._parts = parts
        self._workers = workers
        self._courier = courier
        self._resolution = resolution
        self._w_plus: Latent = np.zeros((0, 0), np.float32)
        self._degrees: dict[str, float] = {}
        self._turns = 0

    async def begin(self, photo: Photo, refinement: Refinement) -> AsyncGenerator[ConverseEvent, None]:
        """Aligns and inverts the photo: progress, then the face.

        Raises:
            ImageError: if the photo cannot be used.
        """
        timings: dict[str, float] = {}
        yield ConverseEvent(progress=Progress(stage="align", step=0, steps=1))
        with _timed(timings, "align"):
            find = self._parts.finder.find
            aligned = await self._workers.run(find, photo.data, largest_face=photo.largest_face)
        yield ConverseEvent(progress=Progress(stage="align", step=1, steps=1))
        invert = partial(self._parts.inverter.invert, aligned, refinement)
        inverting: Reporting[InversionProgress, Inversion] = Reporting(self._workers, invert)
        with _timed(timings, "invert"):
            async with aclosing(inverting.steps()) as steps:
                async for step in steps:
                    progress = Progress(stage=step.stage, step=step.step, steps=step.steps, loss=step.loss)
                    yield ConverseEvent(progress=progress)
        inversion = inverting.result
        with _timed(timings, "render"):
            reconstruction_png, degrees = await self._workers.run(self._look_at, inversion.w_plus)
        self._w_plus, self._degrees = inversion.w_plus, degrees
        yield ConverseEvent(
            face=FaceReady(
                aligned_png=await self._workers.run(encode_png, aligned),
                reconstruction_png=reconstruction_png,
                degrees=degrees,
                lpips=inversion.lpips,
                identity_cosine=inversion.identity_cosine,
                timings_ms=timings,
            )
        )

    async def turn(self, instruction: str) -> TurnReport:
        """Follows one sentence: parsed, edited, sent, reported.

        Raises:
            InstructionError: if it asks for nothing that can be done; nothing was sent then.
            LinkLost: if the link is gone.
        """
        timings: dict[str, float] = {}
        delivery = Delivery()
        with _timed(timings, "parse"):
            parsed = await self._workers.run(self._understand, instruction)
            wanted = targets(parsed.edits, self._degrees)
        with _timed(timings, "sound"):
            snr_db = await self._courier.sound(delivery)
        with _timed(timings, "edit"):
            outcome = await self._workers.run(self._parts.editor.edit, self._w_plus, wanted, snr_db=snr_db)
        with _timed(timings, "deliver"):
            await self._courier.deliver(outcome.w_plus, delivery)
        with _timed(timings, "render"):
            intended_png = await self._workers.run(self._draw, outcome.w_plus, SYNTHETIC_EDITED)
        self._turns += 1
        if delivery.decoded:
            self._w_plus, self._degrees = outcome.w_plus, outcome.degrees_after
        return self._report(parsed, outcome, delivery, intended_png, timings)

    def _understand(self, instruction: str) -> ParsedInstruction:
        if not instruction.strip():
            raise InstructionError("the instruction is empty; say what to change, for example 'Smile more'")
        if len(instruction) > MAX_INSTRUCTION:
            raise InstructionError(f"the instruction is longer than {MAX_INSTRUCTION} characters; say it in a sentence")
        parsed = self._parts.parser.parse(instruction)
        if not parsed.understood:
            raise InstructionError(parsed.message)
        return parsed

    def _look_at(self, w_plus: Latent) -> tuple[bytes, dict[str, float]]:
        image = self._parts.backend.render(w_plus[None], self._resolution)[0]
        return encode_png(image, SYNTHETIC), degrees_of(self._parts.predictor, image)

    def _draw(self, w_plus: Latent, mark: str) -> bytes:
        return encode_png(self._parts.backend.render(w_plus[None], self._resolution)[0], mark)

    def _report(
        self,
        parsed: ParsedInstruction,
        outcome: EditOutcome,
        delivery: Delivery,
        intended_png: bytes,
        timings: dict[str, float],
    ) -> TurnReport:
        last = delivery.reports[-1]
        said = [parsed.message, outcome.message]
        if not delivery.decoded:
            said.append(
                f"all {len(delivery.reports)} frames were erased and the receiver still shows the face before, "
                "so say it again when the channel is better"
            )
        return TurnReport(
            turn=self._turns,
            instruction=parsed.instruction,
            edits=[_edit(edit) for edit in parsed.edits],
            message="; ".join(part for part in said if part),
            degrees_before=outcome.degrees_before,
            degrees_after=outcome.degrees_after,
            intended_png=intended_png,
            sequence=last.sequence if delivery.decoded else 0,
            uses=_uses(delivery.uses),
            frames_sent=len(delivery.reports),
            frames_erased=delivery.erased,
            estimate=last.estimate if last.HasField("estimate") else None,
            channel=last.channel if last.HasField("channel") else None,
            timings_ms=timings | {"decode": last.decode_ms},
            expected_nmse_db=delivery.expected_nmse_db,
            received_sha256=[report.received_sha256 for report in delivery.reports],
        )


def _edit(edit: Edit) -> AttributeEdit:
    return AttributeEdit(attribute=edit.attribute, change=edit.change, target=edit.target)


def _uses(uses: ChannelUses) -> link_pb2.ChannelUses:
    return link_pb2.ChannelUses(
        k_payload=uses.k_payload, k_header=uses.k_header, k_pilot=uses.k_pilot, k_total=uses.k_total
    )


@contextmanager
def _timed(timings: MutableMapping[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    timings[name] = 1e3 * (time.perf_counter() - started)
