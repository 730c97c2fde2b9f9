"""What the receiver remembers: the last decoded face of each stream, and no more streams than it can afford."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

from protos.link_pb2 import ChannelUses, LinkEstimate
from shared.codec.codec import Latent


@dataclass(frozen=True)
class RenderedPicture:
    """A face as a watcher gets it.

    Attributes:
        png: the marked PNG file.
        resolution: its side in pixels.
        degrees: every attribute's degree 0..5 as read off the picture.
        render_ms: time of rendering, judging and encoding.
    """

    png: bytes
    resolution: int
    degrees: dict[str, float]
    render_ms: float


@dataclass(frozen=True)
class Face:
    """One decoded frame.

    Attributes:
        stream_id: the stream it came on.
        sequence: the frame's number within the stream.
        w_plus: the decoded latent, shape ``(16, 512)``.
        estimate: what was measured on the frame's pilots.
        uses: the frame's channel uses.
        pictures: what was rendered of it so far, by resolution.
    """

    stream_id: str
    sequence: int
    w_plus: Latent
    estimate: LinkEstimate
    uses: ChannelUses
    pictures: dict[int, RenderedPicture] = field(default_factory=dict, compare=False, repr=False)


class LastFaces:
    """The last face of every stream; the least recently touched go first, and all go after their idle time."""

    def __init__(self, limit: int, idle_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit = limit
        self._idle_seconds = idle_seconds
        self._clock = clock
        self._faces: OrderedDict[str, tuple[float, Face]] = OrderedDict()

    def __len__(self) -> int:
        self._expire()
        return len(self._faces)

    def put(self, face: Face) -> None:
        """Makes ``face`` its stream's last one."""
        self._faces[face.stream_id] = (self._clock(), face)
        self._faces.move_to_end(face.stream_id)
        self._expire()
        while len(self._faces) > self._limit:
            self._faces.popitem(last=False)

    def forget(self, stream_id: str) -> None:
        """Forgets a stream: it begins anew, and nothing of its past may be shown as its present."""
        self._faces.pop(stream_id, None)

    def last(self, stream_id: str) -> Face | None:
        """The last face of ``stream_id``, or with an empty name the last face of all streams."""
        self._expire()
        if stream_id:
            _, face = self._faces.get(stream_id, (0.0, None))
        else:
            _, face = next(reversed(self._faces.values()), (0.0, None))
        return face

    def _expire(self) -> None:
        oldest_allowed = self._clock() - self._idle_seconds
        while self._faces and next(iter(self._faces.values()))[0] < oldest_allowed:
            self._faces.popitem(last=False)
