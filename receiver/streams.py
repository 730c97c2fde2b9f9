"""The receiver's side of the air interface, stream by stream: frames in, reports out, faces to those who watch.

A report that says DECODED is the acknowledgement. It is sent once the face is the stream's last one and its drawing is
queued, and it promises that the face will be drawn for everybody who was watching then, also if the process is asked to
stop. It does not promise that a watcher reads it, nor anything after SIGKILL.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Coroutine, Iterable, Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from functools import partial
from typing import Any
from weakref import WeakValueDictionary

import structlog

from protos import link_pb2
from protos.link_pb2 import Frame, FrameReport
from protos.receiver_pb2 import FaceErased, RenderedFace
from receiver.faces import Face, LastFaces
from receiver.frames import DecodedFrame, ErasedFrame, ErasureReason, StreamFace, read_frame
from receiver.rendering import Renderer
from receiver.watchers import Watcher, Watchers
from shared.codec.codec import SemanticCodec
from shared.codec.followup import FollowUps
from shared.errors import InvalidInput, Overloaded, SampleError
from shared.phy import ChannelUses, LinkEstimate, from_bytes

_log = structlog.get_logger()

MAX_STREAM_ID = 128

REASONS = {  # on the wire
    ErasureReason.UNREADABLE: link_pb2.ERASURE_REASON_UNREADABLE,
    ErasureReason.BASE_MISSING: link_pb2.ERASURE_REASON_BASE_MISSING,
    ErasureReason.AMBIGUOUS: link_pb2.ERASURE_REASON_AMBIGUOUS,
}


class Stream:
    """One open stream.

    Attributes:
        stream_id: its name.
        last_sequence: number of the last frame taken; 0 before the first.
        face: what frames that build on others may build on; it goes with the stream.
        drawings: room for faces that are acknowledged and not yet drawn. A frame waits for room before it is decoded,
            so that a sender is slowed down by its credits instead of the queue growing.
        order: faces of one stream are drawn in the order they were sent.
    """

    def __init__(self, stream_id: str, drawings: asyncio.Semaphore, order: asyncio.Lock) -> None:
        self.stream_id = stream_id
        self.last_sequence = 0
        self.face: StreamFace | None = None
        self.drawings = drawings
        self.order = order


class Streams:
    """All streams of a receiver.

    Args:
        codec: the code that both ends know.
        follow_ups: the code of the frames after a key frame.
        executor: where frames are decoded.
        renderer: latents to pictures.
        faces: the last face of every stream.
        watchers: who is told.
        limit: most streams open at once.
        drawing_bound: most faces per stream that wait to be drawn.
        max_samples: longest frame taken.
    """

    def __init__(
        self,
        codec: SemanticCodec,
        follow_ups: FollowUps,
        executor: Executor,
        renderer: Renderer,
        faces: LastFaces,
        watchers: Watchers,
        *,
        limit: int,
        drawing_bound: int,
        max_samples: int,
    ) -> None:
        self._codec = codec
        self._follow_ups = follow_ups
        self._executor = executor
        self._renderer = renderer
        self._faces = faces
        self._watchers = watchers
        self._limit = limit
        self._drawing_bound = drawing_bound
        self._max_samples = max_samples
        self._open: dict[str, Stream] = {}
        # Outlives its stream for as long as something of it is being drawn: a name that is used again waits its turn.
        self._orders: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._jobs: set[asyncio.Task[None]] = set()

    @contextmanager
    def opened(self, stream_id: str) -> Iterator[Stream]:
        """Opens a stream for the block; a name that was used before begins anew, and its old face is forgotten.

        Raises:
            InvalidInput: if the name cannot be used, or is in use now.
            Overloaded: if as many streams are open as the receiver takes.
        """
        check_stream_id(stream_id)
        if stream_id in self._open:
            raise InvalidInput(f"stream {stream_id!r} is open already; close it or choose another id")
        if len(self._open) >= self._limit:
            raise Overloaded(f"the receiver already has {self._limit} open streams; close one or try again later")
        stream = Stream(stream_id, asyncio.Semaphore(self._drawing_bound), self._order_of(stream_id))
        self._faces.forget(stream_id)
        self._open[stream_id] = stream
        try:
            yield stream
        finally:
            del self._open[stream_id]

    async def take(self, stream: Stream, frame: Frame) -> FrameReport:
        """Decodes one frame, and queues its drawing if it holds a face.

        Raises:
            SampleError: if the frame is out of order or its samples cannot be used.
            CodecMismatch: if it was made with another codec.
        """
        if frame.sequence <= stream.last_sequence:
            raise SampleError(f"frame {frame.sequence} came after frame {stream.last_sequence}; sequences must rise")
        samples = from_bytes(frame.samples, frame.sample_count, self._max_samples)
        stream.last_sequence = frame.sequence
        await stream.drawings.acquire()
        try:
            started = time.perf_counter()
            loop = asyncio.get_running_loop()
            read = partial(read_frame, samples, frame.sequence, self._codec, self._follow_ups, stream.face)
            received = await loop.run_in_executor(self._executor, read)
            decode_ms = 1e3 * (time.perf_counter() - started)
        except BaseException:
            stream.drawings.release()
            raise
        report = FrameReport(
            sequence=frame.sequence,
            estimate=_estimate(received.estimate),
            uses=_uses(received.uses),
            decode_ms=decode_ms,
            received_sha256=hashlib.sha256(frame.samples).digest(),
        )
        audience = self._watchers.of(stream.stream_id)
        if isinstance(received, DecodedFrame):
            report.outcome = link_pb2.FRAME_OUTCOME_DECODED
            stream.face = received.face
            face = Face(stream.stream_id, frame.sequence, received.face.held.w_plus, report.estimate, report.uses)
            self._faces.put(face)
            self._start(self._show(stream.order, face, audience), stream.drawings)
        elif isinstance(received, ErasedFrame):
            report.outcome = link_pb2.FRAME_OUTCOME_ERASED
            report.reason = REASONS[received.reason]
            report.message = received.message
            erasure = FaceErased(
                stream_id=stream.stream_id,
                sequence=frame.sequence,
                estimate=report.estimate if report.HasField("estimate") else None,
                message=received.message,
            )
            self._start(self._tell(stream.order, erasure, audience), stream.drawings)
        else:
            report.outcome = link_pb2.FRAME_OUTCOME_SOUNDED
            stream.drawings.release()
        return report

    def replay(self, watcher: Watcher) -> None:
        """Draws the last face for a watcher that came after it."""
        face = self._faces.last(watcher.stream_id)
        if face is not None:
            self._start(self._show(self._order_of(face.stream_id), face, (watcher,)))

    async def drawn(self) -> None:
        """Returns when everything acknowledged so far is drawn and queued for its watchers."""
        while self._jobs:
            await asyncio.wait(tuple(self._jobs))

    async def _show(self, order: asyncio.Lock, face: Face, audience: Iterable[Watcher]) -> None:
        async with order:
            for watcher in audience:
                picture = await self._renderer.picture(face, watcher.resolution)
                watcher.offer(
                    RenderedFace(
                        stream_id=face.stream_id,
                        sequence=face.sequence,
                        png=picture.png,
                        resolution=picture.resolution,
                        estimate=face.estimate,
                        uses=face.uses,
                        degrees=picture.degrees,
                        render_ms=picture.render_ms,
                    )
                )

    async def _tell(self, order: asyncio.Lock, erasure: FaceErased, audience: Iterable[Watcher]) -> None:
        async with order:
            for watcher in audience:
                watcher.offer(erasure)

    def _order_of(self, stream_id: str) -> asyncio.Lock:
        return self._orders.setdefault(stream_id, asyncio.Lock())

    def _start(self, job: Coroutine[Any, Any, None], room: asyncio.Semaphore | None = None) -> None:
        def finished(task: asyncio.Task[None]) -> None:
            self._jobs.discard(task)
            if room is not None:
                room.release()
            if not task.cancelled() and (failure := task.exception()) is not None:
                _log.error("a face could not be drawn", exc_info=failure)

        task = asyncio.create_task(job)
        self._jobs.add(task)
        task.add_done_callback(finished)


def check_stream_id(stream_id: str) -> None:
    """Raises ``InvalidInput`` unless a stream may have this name."""
    if not stream_id or len(stream_id) > MAX_STREAM_ID or not stream_id.isprintable():
        raise InvalidInput(f"a stream id is 1 to {MAX_STREAM_ID} printable characters; choose another")


def _estimate(measured: LinkEstimate | None) -> link_pb2.LinkEstimate | None:
    return link_pb2.LinkEstimate(snr_db=measured.snr_db, gain_db=measured.gain_db) if measured else None


def _uses(uses: ChannelUses) -> link_pb2.ChannelUses:
    return link_pb2.ChannelUses(
        k_payload=uses.k_payload, k_header=uses.k_header, k_pilot=uses.k_pilot, k_total=uses.k_total
    )
