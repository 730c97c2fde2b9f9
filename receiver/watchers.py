"""Who looks at the faces: bounded queues that lose the oldest, never the newest."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

from protos.receiver_pb2 import FaceErased, RenderedFace
from shared.errors import Overloaded

WatchItem = RenderedFace | FaceErased


class Watcher:
    """One reader's queue.

    A reader that stands still costs ``bound`` items and no more: then the oldest item gives way, and the next face that
    is read tells how many faces were missed.
    """

    def __init__(self, stream_id: str, resolution: int, bound: int) -> None:
        self.stream_id = stream_id
        self.resolution = resolution
        self._bound = bound
        self._items: deque[WatchItem] = deque()
        self._missed = 0
        self._closed = False
        self._changed = asyncio.Event()

    def wants(self, stream_id: str) -> bool:
        """Whether this watcher looks at ``stream_id``."""
        return self.stream_id in ("", stream_id)

    def offer(self, item: WatchItem) -> None:
        """Queues an item; never waits."""
        if self._closed:
            return
        if len(self._items) == self._bound:
            self._missed += isinstance(self._items.popleft(), RenderedFace)
        self._items.append(item)
        self._changed.set()

    def close(self) -> None:
        """Ends the watch after what is queued."""
        self._closed = True
        self._changed.set()

    async def __aiter__(self) -> AsyncIterator[WatchItem]:
        while True:
            while self._items:
                item = self._items.popleft()
                if isinstance(item, RenderedFace):
                    # A copy: one rendering is offered to many watchers, who missed different numbers before it.
                    item = _with_skipped(item, self._missed)
                    self._missed = 0
                yield item
            if self._closed:
                return
            self._changed.clear()
            await self._changed.wait()


class Watchers:
    """All watchers of a receiver, at most ``limit`` of them."""

    def __init__(self, limit: int, queue_bound: int) -> None:
        self._limit = limit
        self._queue_bound = queue_bound
        self._watchers: set[Watcher] = set()

    def __len__(self) -> int:
        return len(self._watchers)

    @contextmanager
    def join(self, stream_id: str, resolution: int) -> Iterator[Watcher]:
        """Registers a watcher for the block.

        Raises:
            Overloaded: if the receiver has as many watchers as it takes.
        """
        if len(self._watchers) >= self._limit:
            raise Overloaded(f"the receiver already has {self._limit} watchers; close one or try again later")
        watcher = Watcher(stream_id, resolution, self._queue_bound)
        self._watchers.add(watcher)
        try:
            yield watcher
        finally:
            watcher.close()
            self._watchers.discard(watcher)

    def of(self, stream_id: str) -> tuple[Watcher, ...]:
        """Those who look at ``stream_id`` now."""
        return tuple(watcher for watcher in self._watchers if watcher.wants(stream_id))

    def close(self) -> None:
        """Ends every watch after what is queued."""
        for watcher in self._watchers:
            watcher.close()


def _with_skipped(face: RenderedFace, skipped: int) -> RenderedFace:
    copy = RenderedFace()
    copy.CopyFrom(face)
    copy.skipped = skipped
    return copy
