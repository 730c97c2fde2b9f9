"""Declared SNR as a course over the frames of a stream, such as one that was measured on a drive."""

from __future__ import annotations

import csv
from bisect import bisect_right
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from channel_sim.sentences import joined, sentences
from channel_sim.text_file import read_text
from shared.errors import InvalidInput

# Beyond these bounds float32 samples no longer hold the noise, or the signal, to a hundredth of a decibel.
SnrDb = Annotated[float, Field(ge=-40.0, le=100.0)]
"""Es/N0 per complex sample at unit mean channel gain, in dB."""

Sequence32 = Annotated[int, Field(ge=1, lt=2**32)]
"""A frame's number within its stream."""

MAX_ROWS = 16384
"""Longest trace: it travels whole in every answer of the control service."""

_COLUMNS = ["frame", "snr_db"]


class SnrTrace(BaseModel):
    """SNR by frame number: that of a row holds from its frame to the frame before the next row's.

    It depends on a frame's number and nothing else, so that a run is repeated whatever the timing.

    Attributes:
        frames: numbers of the frames at which the SNR changes; the first is 1, each is larger than the one before.
        snr_db: as many values, in dB.
        repeat: the frame after the last row's is treated as frame 1 again; without it the last SNR holds for good.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    frames: tuple[Sequence32, ...] = Field(default=(), max_length=MAX_ROWS)
    snr_db: tuple[SnrDb, ...] = Field(default=(), max_length=MAX_ROWS)
    repeat: bool = False

    @model_validator(mode="after")
    def _is_a_course(self) -> Self:
        if len(self.frames) != len(self.snr_db):
            raise ValueError(f"{len(self.frames)} frames and {len(self.snr_db)} values of snr_db: give as many")
        if self.frames[:1] != (1,):
            raise ValueError("a trace begins with frame 1")
        for before, after in zip(self.frames, self.frames[1:], strict=False):
            if after <= before:
                raise ValueError(f"frame {after} stands behind frame {before}: numbers rise")
        return self

    def at(self, sequence: int) -> float:
        """SNR in dB of the frame of that number, from 1."""
        if self.repeat:
            sequence = (sequence - 1) % self.frames[-1] + 1
        return self.snr_db[bisect_right(self.frames, sequence) - 1]


class _Row(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)

    frame: Sequence32
    snr_db: SnrDb


def trace_from_csv(text: str, *, repeat: bool = False) -> SnrTrace:
    """Reads a trace from lines ``frame,snr_db`` below a header of these two names; empty lines are passed over.

    Raises:
        InvalidInput: a sentence per bad row, with its line number.
    """
    lines = csv.reader(text.removeprefix("\ufeff").splitlines())
    header = [name.strip() for name in next(lines, [])]
    if header != _COLUMNS:
        raise InvalidInput(f"line 1 is {','.join(header)!r}: a trace begins with the header frame,snr_db")
    rows: list[_Row] = []
    bad: list[str] = []
    for number, cells in ((lines.line_num, cells) for cells in lines if cells):
        try:
            row = _row(cells, rows)
        except InvalidInput as error:
            bad.append(f"line {number}: {error.message}")
        else:
            rows.append(row)
    if bad:
        raise InvalidInput(joined(bad))
    if not 1 <= len(rows) <= MAX_ROWS:
        raise InvalidInput(f"a trace has 1 to {MAX_ROWS} rows, and this one has {len(rows)}")
    return SnrTrace(frames=tuple(row.frame for row in rows), snr_db=tuple(row.snr_db for row in rows), repeat=repeat)


def read_trace(path: Path, *, repeat: bool = False) -> SnrTrace:
    """A trace out of a CSV file; see :func:`trace_from_csv`.

    Raises:
        InvalidInput: if the file cannot be read; else a sentence per bad row. Either names the file.
    """
    text = read_text(path)
    try:
        return trace_from_csv(text, repeat=repeat)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error.message}") from error


def _row(cells: Sequence[str], before: Sequence[_Row]) -> _Row:
    """A row that may stand behind the rows before it."""
    if len(cells) != len(_COLUMNS):
        raise InvalidInput(f"{','.join(cells)!r} has {len(cells)} columns, not the two of frame,snr_db")
    try:
        row = _Row.model_validate(dict(zip(_COLUMNS, (cell.strip() for cell in cells), strict=True)))
    except ValidationError as error:
        raise InvalidInput(", ".join(sentences(error))) from error
    if not before and row.frame != 1:
        raise InvalidInput(f"the first frame is {row.frame}: a trace begins with frame 1")
    if before and row.frame <= before[-1].frame:
        raise InvalidInput(f"frame {row.frame} stands behind frame {before[-1].frame}: numbers rise")
    return row
