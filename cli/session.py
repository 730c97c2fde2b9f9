"""A conversation from the command line: shown while it runs, written to a folder when it is done."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cli.client import Talk, Turn, converse
from cli.output import stderr_console
from cli.report import Judge, Likeness, face_document, likeness, turn_document
from cli.side_by_side import Panel, open_photo, open_png, side_by_side
from protos.transmitter_pb2 import Photo, Progress
from shared.errors import DeepscError
from shared.pictures import SYNTHETIC_EDITED, encode_png, served_resolution

Tell = Callable[[str, int, int], None]
"""Shows what is being done: a stage, steps done, steps in all."""


def photo_of(
    data: bytes,
    stream_id: str,
    resolution: int,
    symbols: int,
    largest_face: bool,
    refine_steps: int | None,
    invert_for_snr_db: float | None,
    frames: int | None,
    quality: float,
) -> Photo:
    """The first request of a conversation; an instruction that cannot be followed ends it.

    Raises:
        InvalidInput: if faces are not served at that resolution.
    """
    return Photo(
        data=data,
        stream_id=stream_id,
        resolution=served_resolution(resolution, resolution),
        symbols=symbols,
        largest_face=largest_face,
        refine_steps=refine_steps,
        invert_for_snr_db=invert_for_snr_db,
        frames=frames or 0,
        quality=quality,
    )


async def hold(
    transmitter: str,
    receiver: str | None,
    photo: Photo,
    instructions: Sequence[str],
    out: Path,
    judge: Judge,
    tell: Tell,
    *,
    best_guess: bool = False,
) -> dict[str, Any]:
    """Holds a conversation, writes its pictures and its report to ``out``, and returns the report.

    Raises:
        DeepscError: what a service answered instead; pictures and report of the turns before are in ``out``, and if
            there were none, what lay there before.
    """
    talk = Talk()

    def on_turn(turn: Turn) -> None:
        if turn is talk.turns[0]:
            for stale in (*out.glob("received*.png"), out / "side_by_side.png", out / "report.json"):
                stale.unlink(missing_ok=True)
        if turn.received is not None:
            (out / f"received_{turn.report.turn}.png").write_bytes(turn.received.png)
            (out / "received.png").write_bytes(turn.received.png)
        tell(f"turn {turn.report.turn}", 1, 1)

    conversing = converse(
        transmitter, receiver, photo, instructions, tell_progress(tell), on_turn, best_guess=best_guess, talk=talk
    )
    try:
        await conversing
    except DeepscError:
        if talk.turns:
            await _write(talk, photo, out, judge)
        raise
    return await _write(talk, photo, out, judge)


async def _write(talk: Talk, photo: Photo, out: Path, judge: Judge) -> dict[str, Any]:
    """Writes the pictures side by side and the report, which it returns."""
    alike = [await asyncio.to_thread(likeness, turn, judge) for turn in talk.turns]
    resolution = photo.resolution
    sheet = side_by_side(_rows(photo.data, talk, alike))
    (out / "side_by_side.png").write_bytes(encode_png(sheet, SYNTHETIC_EDITED))
    report = {
        "stream_id": talk.stream_id,
        "resolution": resolution,
        "face": face_document(talk),
        "turns": [turn_document(turn, near, resolution) for turn, near in zip(talk.turns, alike, strict=True)],
    }
    write_report(report, out)
    return report


def tell_progress(tell: Tell) -> Callable[[Progress], None]:
    """Shows an inversion's steps."""

    def on_progress(progress: Progress) -> None:
        tell(
            {"align": "aligning", "encode": "inverting"}.get(progress.stage, "refining"), progress.step, progress.steps
        )
        if progress.step == progress.steps:
            tell("turn 1", 0, 1)

    return on_progress


def write_report(report: dict[str, Any], out: Path) -> None:
    """Writes ``report.json``."""
    (out / "report.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")


@contextmanager
def progress_display() -> Iterator[Tell]:
    """A bar on standard error for the block; nothing where that is no terminal."""
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = stderr_console()
    with Bar(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("starting", total=1)
        yield lambda stage, done, steps: bar.update(task, description=stage, completed=done, total=steps)


def summary(report: dict[str, Any], out: Path) -> str:
    """A few lines for people."""
    lines = []
    for turn in report["turns"]:
        lines.append(f"{turn['turn']}. {turn['instruction']}: {turn['message']}")
        cost = f"   {turn['k_total']} channel uses (rho {turn['rho']:.2e}), {turn['frames_sent']} frames"
        erased = f", {turn['frames_erased']} erased" if turn["frames_erased"] else ""
        lines.append(f"{cost}{erased}, quality {turn['quality']:.2f}")
        if turn["snr_db_estimated"] is not None:
            true = turn["snr_db_channel"]
            lines.append(
                f"   SNR {turn['snr_db_estimated']:.1f} dB measured"
                + (f", {true:.1f} dB set" if true is not None else "")
            )
        if turn["lpips_received_vs_intended"] is not None:
            lines.append(
                f"   received against intended: LPIPS {turn['lpips_received_vs_intended']:.3f}, "
                f"identity {turn['identity_cosine']:.2f}"
            )
    lines.append(f"Pictures and report.json are in {out}")
    return "\n".join(lines)


def _rows(photo: bytes, talk: Talk, alike: Sequence[Likeness | None]) -> list[tuple[str, Sequence[Panel]]]:
    rows: list[tuple[str, Sequence[Panel]]] = []
    for turn, near in zip(talk.turns, alike, strict=True):
        report = turn.report
        snr = f" at {report.channel.snr_db:g} dB" if report.HasField("channel") else ""
        headline = f'"{report.instruction}"  -  {report.uses.k_total} channel uses{snr}'
        received = f"received (LPIPS {near.lpips:.3f}, identity {near.identity_cosine:.2f})" if near else "received"
        shown = open_photo(photo)
        panels: list[Panel] = [
            *([("input", shown)] if shown is not None else []),
            ("aligned", open_png(talk.face.aligned_png)),
            ("intended", open_png(report.intended_png)),
            (received, open_png(turn.received.png) if turn.received is not None else None),
        ]
        rows.append((headline, panels))
    return rows
