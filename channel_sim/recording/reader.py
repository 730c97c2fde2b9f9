"""Reading a recording, with a sentence for whatever is wrong with it."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sigmf import SigMFFile
from sigmf.error import SigMFError

from channel_sim.config import LinkConfig
from channel_sim.recording.files import base_of, data_of, metadata_of
from channel_sim.recording.frames import Place, RecordedFrame
from channel_sim.sentences import joined, sentences
from channel_sim.text_file import read_text
from shared.errors import InvalidInput
from shared.phy.cf32 import Samples


@dataclass(frozen=True)
class Recording:
    """A recording that was found whole.

    Attributes:
        base: its path without the endings.
        place: where the samples were taken.
        generator: what drew the random numbers.
        skipped: frames that passed and are missing.
        configs: configurations that frames passed under.
        frames: in the order in which they passed.
        samples: of all frames, one behind the other, shape ``(n,)``; left on the disk until they are read.
    """

    base: Path
    place: Place
    generator: str
    skipped: int
    configs: tuple[LinkConfig, ...]
    frames: tuple[RecordedFrame, ...]
    samples: Samples

    def samples_of(self, frame: RecordedFrame) -> Samples:
        """A frame's samples; none if it was lost on the way to this place."""
        return np.asarray(self.samples[frame.sample_start : frame.sample_start + frame.sample_count])

    @property
    def streams(self) -> list[list[RecordedFrame]]:
        """The frames stream by stream, in the order in which these came up; an id that was used anew is another one."""
        streams: list[list[RecordedFrame]] = []
        latest: dict[str, list[RecordedFrame]] = {}
        for frame in self.frames:
            stream = latest.get(frame.stream_id)
            if stream is None or frame.sequence <= stream[-1].sequence:
                stream = latest[frame.stream_id] = []
                streams.append(stream)
            stream.append(frame)
        return streams


class _Global(BaseModel):
    model_config = ConfigDict(extra="ignore")

    datatype: str = Field(alias="core:datatype")
    place: Place = Field(alias="deepsc:place")
    generator: str = Field(alias="deepsc:generator")
    skipped: int = Field(alias="deepsc:skipped", ge=0)
    configs: tuple[LinkConfig, ...] = Field(alias="deepsc:configs")


class _Document(BaseModel):
    model_config = ConfigDict(extra="ignore")

    everything: _Global = Field(alias="global")
    annotations: tuple[RecordedFrame, ...]


def read_recording(path: Path) -> Recording:
    """Opens a recording by its name, with or without one of its endings.

    Raises:
        InvalidInput: if a file is missing or is no SigMF, the samples are not those the metadata were written for, or
            it is a SigMF recording of something else.
    """
    base = base_of(path)
    for part in (metadata_of(base), data_of(base)):
        if not part.is_file():
            raise InvalidInput(f"{part} is not there: a recording is a .sigmf-meta and a .sigmf-data side by side")
    if not data_of(base).stat().st_size:
        raise InvalidInput(f"{data_of(base)} is empty: nothing was recorded, or every frame was lost")
    document, samples = _opened(base)
    try:
        checked = _Document.model_validate(document)
    except ValidationError as error:
        raise InvalidInput(
            f"{metadata_of(base)} is not of a recording by 'deepsc channel record': {joined(sentences(error))}"
        ) from error
    about = checked.everything
    if about.datatype != "cf32_le":
        raise InvalidInput(f"{metadata_of(base)} holds {about.datatype}: only cf32_le is replayed")
    for frame in checked.annotations:
        if frame.config >= len(about.configs) or frame.sample_start + frame.sample_count > samples.size:
            raise InvalidInput(f"{metadata_of(base)}: frame {frame.sequence} refers to what is not in the recording")
    return Recording(base, about.place, about.generator, about.skipped, about.configs, checked.annotations, samples)


def _opened(base: Path) -> tuple[dict[str, Any], Samples]:
    """Metadata as JSON, and the samples, whose hash is checked."""
    metadata = read_text(metadata_of(base))
    try:
        # What the library only warns of, such as samples that end before the last frame, makes a recording useless.
        with warnings.catch_warnings(action="error"):
            file = SigMFFile(metadata=metadata, data_file=data_of(base))
    except (SigMFError, OSError, ValueError, LookupError, TypeError, AttributeError, Warning) as error:
        raise InvalidInput(f"{base} is no whole SigMF recording: {' '.join(str(error).split())}") from error
    return file.ordered_metadata(), np.memmap(data_of(base), np.dtype("<c8"), "r").astype(np.complex64, copy=False)
