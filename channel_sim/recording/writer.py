"""Writing a recording: under its own name there is a whole one or none."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha512
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from sigmf import SigMFFile, __specification__

from channel_sim.config import LinkConfig, checked_config
from channel_sim.messages import config_fields
from channel_sim.recording.files import data_of, metadata_of, unfinished
from channel_sim.recording.frames import EXTENSION, NAMESPACE, Place, RecordedFrame, frame_of
from protos import channel_pb2
from shared.errors import InvalidInput
from shared.phy.cf32 import BYTES_PER_SAMPLE


class RecordingWriter:
    """Takes frames one by one; a context manager, at whose end the recording is finished.

    Samples go to ``NAME.sigmf-data.part`` as they come. At the end both files get their names, the metadata last: a
    process that is killed leaves parts that no tool takes for a recording. If the block fails, nothing is left.

    Args:
        base: path of the recording without its endings.
        place: which samples of a frame are kept.
        generator: what drew the random numbers, as the proxy said.
        overwrite: replace a recording of that name.

    Raises:
        InvalidInput: if there is one of that name already, or it cannot be written there.
    """

    def __init__(self, base: Path, place: Place, generator: str, *, overwrite: bool = False) -> None:
        self._data, self._metadata = data_of(base), metadata_of(base)
        if not overwrite:
            for path in (self._data, self._metadata):
                if path.exists():
                    raise InvalidInput(f"{path} is there already; choose another name, or --overwrite it")
        self._place = place
        self._generator = generator
        self._begun = datetime.now(UTC)
        self._hash = sha512()
        self._frames: list[RecordedFrame] = []
        self._configs: list[LinkConfig] = []
        self._samples = 0
        self._skipped = 0
        try:
            base.parent.mkdir(parents=True, exist_ok=True)
            self._file = unfinished(self._data).open("wb")
        except OSError as error:
            raise InvalidInput(f"{self._data} cannot be written ({error.strerror}); choose another name") from error

    @property
    def frames(self) -> int:
        """Frames so far, lost ones too."""
        return len(self._frames)

    @property
    def samples(self) -> int:
        """Samples so far."""
        return self._samples

    @property
    def skipped(self) -> int:
        """Frames that the proxy could not hand over in time."""
        return self._skipped

    def bytes_with(self, passed: channel_pb2.PassedFrame) -> int:
        """Size of the file of samples if this frame were added."""
        return BYTES_PER_SAMPLE * self._samples + len(self._samples_of(passed))

    def add(self, passed: channel_pb2.PassedFrame) -> None:
        """Appends a frame.

        Raises:
            InvalidInput: if the disk does not take it.
        """
        if passed.HasField("config"):
            self._configs.append(checked_config(config_fields(passed.config)))
        samples = self._samples_of(passed)
        count = len(samples) // BYTES_PER_SAMPLE
        try:
            self._file.write(samples)
        except OSError as error:
            raise InvalidInput(
                f"{self._data} cannot be written ({error.strerror}); make room and begin anew"
            ) from error
        self._hash.update(samples)
        self._frames.append(frame_of(passed, self._samples, count))
        self._samples += count
        self._skipped += passed.skipped

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            # A full disk is met again by what is still in the buffer, and has been told of.
            with suppress(OSError):
                self._file.close()
            unfinished(self._data).unlink(missing_ok=True)
            unfinished(self._metadata).unlink(missing_ok=True)

    def _samples_of(self, passed: channel_pb2.PassedFrame) -> bytes:
        return passed.sent if self._place == "sender" else passed.delivered

    def _finish(self) -> None:
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            with unfinished(self._metadata).open("w", encoding="utf-8") as file:
                SigMFFile(metadata=self._document()).dump(file, pretty=False)
                file.flush()
                os.fsync(file.fileno())
            # Metadata of an older recording must not stand beside new samples.
            self._metadata.unlink(missing_ok=True)
            unfinished(self._data).replace(self._data)
            unfinished(self._metadata).replace(self._metadata)
        except OSError as error:
            raise InvalidInput(
                f"{self._data} cannot be finished ({error.strerror}); make room and begin anew"
            ) from error

    def _document(self) -> dict[str, Any]:
        rates = [config.sample_rate_hz for config in self._configs]
        return {
            "global": {
                "core:version": __specification__,
                "core:datatype": "cf32_le",
                "core:sample_rate": rates[0] if rates else LinkConfig().sample_rate_hz,
                "core:sha512": self._hash.hexdigest(),
                "core:recorder": "deepsc channel record",
                "core:description": f"Frames of a simulated link as at the {self._place}, back to back.",
                "core:extensions": [EXTENSION],
                f"{NAMESPACE}:place": self._place,
                f"{NAMESPACE}:generator": self._generator,
                f"{NAMESPACE}:skipped": self._skipped,
                f"{NAMESPACE}:configs": [config.model_dump(mode="json", exclude_none=True) for config in self._configs],
            },
            "captures": [{"core:sample_start": 0, "core:datetime": self._begun.isoformat().replace("+00:00", "Z")}],
            "annotations": [frame.annotation() for frame in self._frames],
        }
