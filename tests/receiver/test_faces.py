from __future__ import annotations

import pytest

from protos.link_pb2 import ChannelUses, LinkEstimate
from receiver.faces import Face, LastFaces
from tests.fakes.face import latent_of


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def face(stream_id: str, sequence: int = 1) -> Face:
    return Face(stream_id, sequence, latent_of([0] * 5), LinkEstimate(), ChannelUses())


def test_the_last_face_of_a_stream_is_the_one_put_last(clock):
    faces = LastFaces(4, 10.0, clock)
    faces.put(face("a", 1))
    faces.put(face("a", 2))
    assert faces.last("a").sequence == 2
    assert len(faces) == 1


def test_without_a_name_the_last_face_of_all_streams_is_given(clock):
    faces = LastFaces(4, 10.0, clock)
    faces.put(face("a"))
    faces.put(face("b"))
    faces.put(face("a", 2))
    assert (faces.last("").stream_id, faces.last("").sequence) == ("a", 2)


def test_nothing_is_known_of_a_stream_that_never_was(clock):
    assert LastFaces(4, 10.0, clock).last("a") is None
    assert LastFaces(4, 10.0, clock).last("") is None


def test_beyond_the_limit_the_stream_that_rested_longest_is_forgotten(clock):
    faces = LastFaces(2, 10.0, clock)
    for name in ("a", "b", "a", "c"):
        faces.put(face(name))
    assert faces.last("b") is None
    assert faces.last("a") is not None
    assert faces.last("c") is not None


def test_a_face_is_forgotten_after_its_idle_time(clock):
    faces = LastFaces(4, 10.0, clock)
    faces.put(face("a"))
    clock.now = 9.0
    faces.put(face("b"))
    clock.now = 11.0
    assert faces.last("a") is None
    assert faces.last("b") is not None
    clock.now = 20.0
    assert len(faces) == 0


def test_a_stream_that_begins_anew_has_no_face(clock):
    faces = LastFaces(4, 10.0, clock)
    faces.put(face("a"))
    faces.forget("a")
    faces.forget("never seen")
    assert faces.last("a") is None


def test_ten_thousand_abandoned_streams_leave_no_more_than_the_limit(clock):
    faces = LastFaces(8, 1e9, clock)
    for number in range(10_000):
        faces.put(face(str(number)))
    assert len(faces) == 8
