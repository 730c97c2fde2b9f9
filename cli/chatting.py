"""What ``deepsc chat`` does with each line: commands, sentences, confirmations."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import typer

from cli.client import Dialogue, Turn
from cli.output import print_json
from cli.preview import Protocol, preview
from cli.report import degrees, turn_document
from protos.transmitter_pb2 import Command, FaceReady, Question, Refusal

PROMPT = "> "

HELP = """Say what to change: "smile a bit more", "lose the glasses", "undo that", "too much", "sharper".
/undo /redo /reset    back a turn, forth again, back to the photo's face
/sharper              send more about the face as it is
/compare              the face now against the photo's
/save FILE            write the last received face to FILE, a .png, .jpg or .webp
/yes                  do what was asked back about
/quit                 end; so do Ctrl-C and Ctrl-D"""

_BUTTONS = {"/undo": Command.COMMAND_UNDO, "/redo": Command.COMMAND_REDO, "/reset": Command.COMMAND_RESET}
_ALONE = (*_BUTTONS, "/sharper", "/compare", "/yes", "/quit", "/help")
_CONFIRMING = ("/yes", "yes", "y", "yes please", "ok")


class Lines:
    """Lines of standard input, with a prompt and a history where it is a terminal; ends at Ctrl-D and Ctrl-C.

    Bytes that are no text become U+FFFD.
    """

    async def __aiter__(self) -> AsyncIterator[str]:
        if isinstance(sys.stdin, TextIOWrapper):
            sys.stdin.reconfigure(errors="replace")
        interactive = sys.stdin.isatty()
        if interactive:
            import readline  # noqa: F401 - gives input() its editing and history
        while True:
            try:
                read = (lambda: input(PROMPT)) if interactive else sys.stdin.readline
                line = await asyncio.to_thread(read)
            except (EOFError, KeyboardInterrupt):
                return
            if not interactive and not line:
                return
            if line.strip():
                yield line.strip()


class Chat:
    """Answers line by line.

    Args:
        talking: a conversation that has begun.
        face: what it began with.
        out: folder for received faces.
        resolution: their side in pixels.
        yes: whether the best guess is taken unasked.
        way: how faces are shown in the terminal; ``None`` not at all.
        as_json: whether answers are JSON.
    """

    def __init__(
        self,
        talking: Dialogue,
        face: FaceReady,
        out: Path,
        resolution: int,
        *,
        yes: bool,
        way: Protocol | None,
        as_json: bool,
    ) -> None:
        self._talking = talking
        self._face = face
        self._out = out
        self._resolution = resolution
        self._yes = yes
        self._way: Protocol | None = way
        self._as_json = as_json
        self._asked: str | None = None
        self._last_png: bytes | None = None

    def greet(self) -> None:
        """Shows the face that the photo gave."""
        shown = degrees(self._face.degrees)
        self._show(self._face.reconstruction_png)
        self._write({"face": {"degrees": shown, "lpips": self._face.lpips}}, f"{_in_words(shown)}\nSay /help for help.")

    async def answer(self, line: str) -> bool:
        """Follows a line; whether the conversation goes on."""
        word, _, rest = line.partition(" ")
        if line == "/quit":
            return False
        if line == "/help":
            self._write({"help": HELP}, HELP)
        elif word == "/save":
            self._save(rest)
        elif line == "/compare":
            await self._compare()
        elif line == "/sharper":
            self._tell(await self._talking.refine(), line)
        elif line in _BUTTONS:
            self._tell(await self._talking.command(_BUTTONS[line]), line)
        elif self._asked is not None and line.lower() in _CONFIRMING:
            self._tell(await self._talking.say(self._asked, best_guess=True), line)
        elif rest and word in _ALONE:
            self._write({"error": f"{word} takes no words"}, f"{word} takes no words; write it alone.")
        elif line.startswith("/"):
            self._write({"error": f"unknown command {word}"}, f"There is no {word}; /help lists the commands.")
        else:
            self._tell(await self._talking.say(line, best_guess=self._yes), line)
        return True

    def _tell(self, answer: Turn | Question | Refusal, line: str) -> None:
        self._asked = None
        if isinstance(answer, Question):
            self._asked = answer.instruction
            document = {"instruction": line, "guess": answer.guess, "confidence": answer.confidence}
            self._write({"question": document}, f"{answer.message} (/yes: {answer.guess})")
        elif isinstance(answer, Refusal):
            document = {"instruction": line, "reason": answer.reason, "message": answer.message}
            self._write({"refusal": document}, answer.message)
        else:
            self._show_turn(answer)

    def _show_turn(self, turn: Turn) -> None:
        report = turn.report
        document = turn_document(turn, None, self._resolution)
        if turn.received is not None:
            self._last_png = turn.received.png
            (self._out / f"received_{report.turn}.png").write_bytes(turn.received.png)
            (self._out / "received.png").write_bytes(turn.received.png)
            self._show(turn.received.png)
        shown = document["degrees_received"] or document["degrees_after"]
        snr = document["snr_db_estimated"]
        cost = f"{report.uses.k_total} channel uses ({', '.join(document['kinds'])})"
        noise = f", SNR {snr:.1f} dB" if snr is not None else ""
        self._write({"turn": document}, f"{report.message}\n{_in_words(shown)}\n{cost}{noise}")

    async def _compare(self) -> None:
        comparison = await self._talking.compare()
        original, now = degrees(comparison.degrees_original), degrees(comparison.degrees_now)
        self._show(comparison.original_png)
        self._show(comparison.now_png)
        (self._out / "original.png").write_bytes(comparison.original_png)
        (self._out / "now.png").write_bytes(comparison.now_png)
        words = "\n".join(f"{name:<11} {original[name]:.1f} -> {now[name]:.1f}" for name in original)
        self._write({"comparison": {"degrees_original": original, "degrees_now": now}}, words)

    def _save(self, name: str) -> None:
        if self._last_png is None or not name:
            said = "nothing was received yet" if self._last_png is None else "name the file: /save face.png"
            self._write({"error": said}, said)
            return
        from shared.pictures import PICTURE_FORMATS, recoded

        kind = PICTURE_FORMATS.get(Path(name).suffix.lower())
        if kind is None:
            said = f"{name} is not the name of a picture; end it with {', '.join(PICTURE_FORMATS)}."
            self._write({"error": said}, said)
            return
        try:
            Path(name).write_bytes(recoded(self._last_png, kind))
        except OSError as error:
            self._write({"error": str(error)}, f"{name} cannot be written ({error.strerror}).")
        else:
            self._write({"saved": name}, f"Saved as {name}.")

    def _show(self, png: bytes) -> None:
        if self._way is not None:
            sys.stdout.write(preview(png, self._way))

    def _write(self, document: dict[str, Any], words: str) -> None:
        if self._as_json:
            print_json(document)
        else:
            typer.echo(words)


def _in_words(by_name: dict[str, float]) -> str:
    return "  ".join(f"{name} {degree:.1f}" for name, degree in by_name.items())
