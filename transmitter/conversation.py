"""One conversation: a face, then sentences about it, each of them answered over the link."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterator, MutableMapping
from contextlib import aclosing, contextmanager
from dataclasses import replace
from functools import partial

from protos.transmitter_pb2 import (
    Command,
    Comparison,
    ConverseEvent,
    FaceReady,
    Instruction,
    Photo,
    Progress,
    Question,
    TurnReport,
)
from shared.attribute_predictor import degrees_of
from shared.codec.codec import Latent
from shared.errors import InstructionError, InvalidInput
from shared.pictures import SYNTHETIC, SYNTHETIC_EDITED, encode_png
from transmitter.courier import Courier, Delivery
from transmitter.editor import EditOutcome
from transmitter.history import History, Moment
from transmitter.inverter import Inversion, InversionProgress
from transmitter.options import PhotoOptions, check_frames
from transmitter.parts import TransmitterParts
from transmitter.reports import question, turn_report
from transmitter.resolve import Intent, resolve
from transmitter.settings import TransmitterSettings
from transmitter.symbols import SymbolBudget
from transmitter.text.parser import ParsedInstruction, Reference
from transmitter.text.refinement import asks_for_refinement
from transmitter.text.wording import edits_in_words, reference_in_words
from transmitter.workers import Reporting, Workers

MAX_INSTRUCTION = 500
"""Longest sentence taken, in characters."""

_COMMANDS = {
    Command.COMMAND_UNDO: Reference(kind="undo"),
    Command.COMMAND_REDO: Reference(kind="redo"),
    Command.COMMAND_RESET: Reference(kind="reset"),
}


class Conversation:
    """The state of one conversation: where its face has been, and how often it was spoken to.

    A turn whose frames were all erased changes nothing: the receiver still shows the face before it, and saying the
    sentence again must not do it twice.

    Args:
        parts: the semantic blocks.
        workers: where they run.
        courier: brings latents to the receiver.
        settings: what a photo does not ask for, and how many turns are remembered.
    """

    def __init__(
        self, parts: TransmitterParts, workers: Workers, courier: Courier, settings: TransmitterSettings
    ) -> None:
        self._parts = parts
        self._workers = workers
        self._courier = courier
        self._settings = settings
        self._history: History | None = None
        self._options = PhotoOptions.of(Photo(), settings)
        self._turns = 0

    async def begin(self, photo: Photo) -> AsyncGenerator[ConverseEvent, None]:
        """Aligns and inverts a photo: progress, then the face. From then on the conversation is about this one.

        Raises:
            InvalidInput: if the photo cannot be used, or asks for what there is not; the face before stays then.
        """
        options = PhotoOptions.of(photo, self._settings)
        timings: dict[str, float] = {}
        yield ConverseEvent(progress=Progress(stage="align", step=0, steps=1))
        with _timed(timings, "align"):
            find = self._parts.finder.find
            aligned = await self._workers.run(find, photo.data, largest_face=photo.largest_face)
        yield ConverseEvent(progress=Progress(stage="align", step=1, steps=1))
        invert = partial(self._parts.inverter.invert, aligned, options.refinement)
        inverting: Reporting[InversionProgress, Inversion] = Reporting(self._workers, invert)
        with _timed(timings, "invert"):
            async with aclosing(inverting.steps()) as steps:
                async for step in steps:
                    progress = Progress(stage=step.stage, step=step.step, steps=step.steps, loss=step.loss)
                    yield ConverseEvent(progress=progress)
        inversion = inverting.result
        with _timed(timings, "render"):
            reconstruction_png, degrees = await self._workers.run(self._look_at, inversion.w_plus, options.resolution)
        self._options = options
        self._history = History(Moment(inversion.w_plus, degrees), self._settings.remembered_turns)
        self._courier.begin(SymbolBudget(self._settings.max_uses, options.symbols, options.quality))
        yield ConverseEvent(
            face=FaceReady(
                aligned_png=await self._workers.run(encode_png, aligned),
                reconstruction_png=reconstruction_png,
                degrees=degrees,
                lpips=inversion.lpips,
                identity_cosine=inversion.identity_cosine,
                confidence=inversion.confidence,
                timings_ms=timings,
            )
        )

    async def turn(self, instruction: Instruction) -> TurnReport | Question:
        """Follows one sentence: parsed, edited, sent, reported; or asks back, and nothing was sent.

        A command stands in place of a text, which does not count beside it.

        Raises:
            InstructionError: if it asks for nothing that can be done; nothing was sent then.
            LinkLost: if the link is gone before the face has arrived; nothing has changed then.
        """
        if not instruction.command and asks_for_refinement(instruction.text):
            return await self.refine(1, instruction.text)
        timings: dict[str, float] = {}
        with _timed(timings, "parse"):
            understood = await self._workers.run(self._understand, instruction)
        if isinstance(understood, Question):
            return understood
        return await self._do(instruction.text, understood, timings)

    async def refine(self, frames: int, instruction: str = "") -> TurnReport:
        """Sends ``frames`` frames that tell more about the face as it is; the face itself if it was not sent yet.

        Raises:
            InvalidInput: if that is more frames than a turn may take.
            LinkLost: if the link is gone and nothing has arrived.
        """
        check_frames(frames)
        timings: dict[str, float] = {}
        delivery = Delivery()
        now = self._now.current
        with _timed(timings, "deliver"):
            await self._courier.refine(now.w_plus, delivery, frames)
        outcome = EditOutcome(now.w_plus, dict(now.degrees), dict(now.degrees), True, "")
        return await self._report(instruction, Intent("the same face, sharper", now), outcome, delivery, timings)

    async def compare(self) -> Comparison:
        """The face as it is beside the photo's."""
        original, now = self._now.original, self._now.current
        return Comparison(
            degrees_original=original.degrees,
            degrees_now=now.degrees,
            original_png=await self._workers.run(self._draw, original.w_plus, SYNTHETIC),
            now_png=await self._workers.run(self._draw, now.w_plus, SYNTHETIC_EDITED),
            turn=self._turns,
        )

    @property
    def _now(self) -> History:
        if self._history is None:
            raise InvalidInput("a conversation begins with a photo; send it before the first instruction")
        return self._history

    async def _do(self, instruction: str, intent: Intent, timings: dict[str, float]) -> TurnReport:
        delivery = Delivery()
        with _timed(timings, "sound"):
            snr_db = await self._courier.sound(delivery)
        with _timed(timings, "edit"):
            outcome = await self._workers.run(self._edit, intent, snr_db)
        with _timed(timings, "deliver"):
            await self._courier.deliver(outcome.w_plus, delivery)
            if delivery.decoded:
                # Shown from now on, whatever becomes of the refinements.
                self._now.arrive(intent.move, intent.result(outcome.w_plus, outcome.degrees_after))
                further = self._options.frames - 1
                await self._courier.refine(outcome.w_plus, delivery, further, until_enough=True)
        return await self._report(instruction, intent, outcome, delivery, timings)

    async def _report(
        self, instruction: str, intent: Intent, outcome: EditOutcome, delivery: Delivery, timings: dict[str, float]
    ) -> TurnReport:
        with _timed(timings, "render"):
            intended_png = await self._workers.run(self._draw, outcome.w_plus, SYNTHETIC_EDITED)
        self._turns += 1
        return turn_report(self._turns, instruction, intent, outcome, delivery, intended_png, timings)

    def _understand(self, instruction: Instruction) -> Intent | Question:
        parsed = self._parse(instruction)
        if parsed.refusal == "unclear" and not instruction.best_guess and (parsed.edits or parsed.reference):
            about = [reference_in_words(parsed.reference)] if parsed.reference else []
            return question(parsed, "; ".join([*about, edits_in_words(parsed.edits)]).strip("; "))
        if not (parsed.understood or parsed.edits or parsed.reference):
            raise InstructionError(parsed.message)
        return resolve(parsed, self._now)

    def _parse(self, instruction: Instruction) -> ParsedInstruction:
        if instruction.command:
            if (command := _COMMANDS.get(instruction.command)) is None:
                raise InstructionError(f"there is no command {instruction.command}; take undo, redo or reset")
            return ParsedInstruction(instruction=instruction.text, understood=True, message="", reference=command)
        if not instruction.text.strip():
            raise InstructionError("the instruction is empty; say what to change, for example 'Smile more'")
        if len(instruction.text) > MAX_INSTRUCTION:
            raise InstructionError(f"the instruction is longer than {MAX_INSTRUCTION} characters; say it in a sentence")
        return self._parts.parser.parse(instruction.text)

    def _edit(self, intent: Intent, snr_db: float) -> EditOutcome:
        """The edited face; where nothing is to be moved, the very face that the intent starts from."""
        start, before = intent.start, dict(self._now.current.degrees)
        if not intent.targets:
            return EditOutcome(start.w_plus, before, dict(start.degrees), True, "")
        outcome = self._parts.editor.edit(start.w_plus, intent.targets, self._now.due(start), snr_db=snr_db)
        return replace(outcome, degrees_before=before)

    def _look_at(self, w_plus: Latent, resolution: int) -> tuple[bytes, dict[str, float]]:
        image = self._parts.backend.render(w_plus[None], resolution)[0]
        return encode_png(image, SYNTHETIC), degrees_of(self._parts.predictor, image)

    def _draw(self, w_plus: Latent, mark: str) -> bytes:
        return encode_png(self._parts.backend.render(w_plus[None], self._options.resolution)[0], mark)


@contextmanager
def _timed(timings: MutableMapping[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    timings[name] = 1e3 * (time.perf_counter() - started)
