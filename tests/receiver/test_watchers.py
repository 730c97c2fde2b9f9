from __future__ import annotations

import asyncio

import pytest

from protos.receiver_pb2 import FaceErased, RenderedFace
from receiver.watchers import Watcher, Watchers
from shared.errors import Overloaded


def face(sequence: int) -> RenderedFace:
    return RenderedFace(stream_id="s", sequence=sequence)


async def drained(watcher: Watcher) -> list[tuple[int, int]]:
    watcher.close()
    return [(item.sequence, getattr(item, "skipped", 0)) async for item in watcher]


async def test_a_watcher_reads_in_the_order_things_were_offered():
    watcher = Watcher("s", 128, 4)
    watcher.offer(face(1))
    watcher.offer(FaceErased(stream_id="s", sequence=2))
    watcher.offer(face(3))
    assert await drained(watcher) == [(1, 0), (2, 0), (3, 0)]


async def test_a_watcher_that_stands_still_loses_the_oldest_and_is_told_how_many_faces():
    watcher = Watcher("s", 128, 2)
    for sequence in range(1, 7):
        watcher.offer(face(sequence))
    assert await drained(watcher) == [(5, 4), (6, 0)]


async def test_a_lost_erasure_is_not_counted_as_a_face():
    watcher = Watcher("s", 128, 1)
    watcher.offer(FaceErased(stream_id="s", sequence=1))
    watcher.offer(face(2))
    assert await drained(watcher) == [(2, 0)]


async def test_faces_missed_before_an_erasure_are_told_with_the_next_face():
    watcher = Watcher("s", 128, 2)
    for item in (face(1), FaceErased(stream_id="s", sequence=2), face(3)):
        watcher.offer(item)
    assert await drained(watcher) == [(2, 0), (3, 1)]


async def test_two_watchers_of_one_rendering_are_told_their_own_numbers():
    slow, quick, shared_face = Watcher("s", 128, 1), Watcher("s", 128, 4), face(2)
    slow.offer(face(1))
    for watcher in (slow, quick):
        watcher.offer(shared_face)
    assert await drained(slow) == [(2, 1)]
    assert await drained(quick) == [(2, 0)]
    assert shared_face.skipped == 0


async def test_a_waiting_watcher_wakes_when_something_comes():
    watcher = Watcher("s", 128, 2)
    reading = asyncio.create_task(anext(aiter(watcher)))
    await asyncio.sleep(0)
    watcher.offer(face(1))
    assert (await reading).sequence == 1


async def test_after_closing_nothing_more_is_taken():
    watcher = Watcher("s", 128, 2)
    watcher.close()
    watcher.offer(face(1))
    assert await drained(watcher) == []


def test_watchers_are_found_by_stream_or_by_asking_for_all():
    watchers = Watchers(4, 2)
    with watchers.join("a", 128) as one, watchers.join("", 128) as everything, watchers.join("b", 128):
        assert set(watchers.of("a")) == {one, everything}


def test_one_watcher_too_many_is_refused_and_leaving_makes_room():
    watchers = Watchers(1, 2)
    with watchers.join("a", 128), pytest.raises(Overloaded, match="1 watchers"), watchers.join("b", 128):
        pass
    with watchers.join("b", 128):
        assert len(watchers) == 1
    assert len(watchers) == 0
