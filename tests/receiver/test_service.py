from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable

import grpc
import grpc.aio
import numpy as np
import pytest

from protos import link_pb2
from protos.link_pb2 import Frame, StreamOpen, TransmitRequest
from protos.receiver_pb2 import WatchRequest
from shared.pictures import decode_png
from tests.fakes.face import FakeBackend
from tests.fakes.frames import face_frame, sounding_frame

DECODED, SOUNDED, ERASED = (
    link_pb2.FRAME_OUTCOME_DECODED,
    link_pb2.FRAME_OUTCOME_SOUNDED,
    link_pb2.FRAME_OUTCOME_ERASED,
)


def opening(stream_id: str = "s") -> TransmitRequest:
    return TransmitRequest(open=StreamOpen(stream_id=stream_id))


async def open_stream(receiver, stream_id="s"):
    call = receiver.link.Transmit()
    await call.write(opening(stream_id))
    accepted = await call.read()
    assert accepted.HasField("accepted")
    return call


async def report_on(call, frame: Frame):
    await call.write(TransmitRequest(frame=frame))
    response = await call.read()
    return response.report


async def watch(receiver, stream_id="s", resolution=0):
    call = receiver.faces.Watch(WatchRequest(stream_id=stream_id, resolution=resolution))
    assert (await call.read()).HasField("started")
    return call


async def status_after(receiver, requests: Iterable[TransmitRequest]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        async for _ in receiver.link.Transmit(iter(requests)):
            pass
    return failure.value.code(), failure.value.details()


async def test_a_frame_is_decoded_reported_and_shown(start_receiver):
    async with start_receiver() as receiver:
        watching = await watch(receiver)
        call = await open_stream(receiver)
        report = await report_on(call, face_frame(1))
        assert (report.sequence, report.outcome) == (1, DECODED)
        assert report.uses.k_total == report.uses.k_payload + report.uses.k_header + report.uses.k_pilot
        assert len(report.received_sha256) == 32
        face = (await watching.read()).face
        assert (face.stream_id, face.sequence, face.resolution) == ("s", 1, 128)
        assert decode_png(face.png).shape == (128, 128, 3)


async def test_the_shown_degrees_are_those_that_were_sent(start_receiver):
    async with start_receiver() as receiver:
        watching = await watch(receiver)
        await report_on(await open_stream(receiver), face_frame(1, [4, 0, 3, 1, 2]))
        degrees = (await watching.read()).face.degrees
        sent = {"bangs": 4, "eyeglasses": 0, "beard": 3, "smiling": 1, "age": 2}
        assert dict(degrees) == pytest.approx(sent, abs=0.03)


async def test_the_picture_says_that_it_is_synthetic(start_receiver):
    async with start_receiver() as receiver:
        watching = await watch(receiver)
        await report_on(await open_stream(receiver), face_frame(1))
        assert b"synthetic, edited" in (await watching.read()).face.png


async def test_a_sounding_frame_is_measured_and_shows_nothing(start_receiver):
    async with start_receiver() as receiver:
        watching = await watch(receiver)
        call = await open_stream(receiver)
        report = await report_on(call, sounding_frame(1))
        assert report.outcome == SOUNDED
        assert (report.uses.k_pilot, report.uses.k_total) == (64, 64)
        await report_on(call, face_frame(2))
        assert (await watching.read()).face.sequence == 2


async def test_a_frame_whose_header_names_another_frame_is_erased_and_nothing_is_shown(start_receiver):
    async with start_receiver() as receiver:
        watching = await watch(receiver)
        call = await open_stream(receiver)
        assert (await report_on(call, face_frame(1))).outcome == DECODED
        stale = await report_on(call, face_frame(2, header_sequence=1))
        assert stale.outcome == ERASED
        assert stale.message
        assert (await watching.read()).face.sequence == 1
        erased = (await watching.read()).erased
        assert (erased.sequence, erased.stream_id) == (2, "s")
        assert (await report_on(call, face_frame(3))).outcome == DECODED
        assert (await watching.read()).face.sequence == 3
        assert receiver.backend.calls == 2


async def test_a_late_watcher_gets_the_current_face_and_not_the_erased_one(start_receiver):
    async with start_receiver() as receiver:
        call = await open_stream(receiver)
        await report_on(call, face_frame(1))
        await report_on(call, face_frame(2, header_sequence=9))
        assert (await (await watch(receiver)).read()).face.sequence == 1
        assert (await (await watch(receiver, "")).read()).face.sequence == 1


async def test_a_stream_that_is_opened_again_forgets_its_old_face(start_receiver):
    async with start_receiver() as receiver:
        call = await open_stream(receiver)
        await report_on(call, face_frame(5))
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        again = await open_stream(receiver)
        watching = await watch(receiver)
        await report_on(again, face_frame(1))
        assert (await watching.read()).face.sequence == 1


async def test_each_resolution_is_drawn_once_however_many_watch(start_receiver):
    async with start_receiver() as receiver:
        watching = [await watch(receiver, resolution=side) for side in (128, 128, 256, 0, 256)]
        await report_on(await open_stream(receiver), face_frame(1))
        sides = [(await call.read()).face.resolution for call in watching]
        assert sides == [128, 128, 256, 128, 256]
        assert receiver.backend.calls == 2


async def test_nothing_is_drawn_for_nobody(start_receiver):
    async with start_receiver() as receiver:
        await report_on(await open_stream(receiver), face_frame(1))
        assert receiver.backend.calls == 0


async def test_streams_are_shown_to_their_own_watchers(start_receiver):
    async with start_receiver() as receiver:
        watching_a, watching_b = await watch(receiver, "a"), await watch(receiver, "b")
        call_a, call_b = await open_stream(receiver, "a"), await open_stream(receiver, "b")
        await report_on(call_a, face_frame(1, [0, 0, 0, 0, 0]))
        await report_on(call_b, face_frame(1, [5, 5, 5, 5, 5]))
        dark, bright = (await watching_a.read()).face, (await watching_b.read()).face
        assert (dark.stream_id, bright.stream_id) == ("a", "b")
        assert decode_png(dark.png).mean() < decode_png(bright.png).mean()


async def test_a_stopped_reader_loses_the_oldest_faces_and_is_told_how_many(start_receiver):
    async with start_receiver(watch_bound=2) as receiver:
        stopped = receiver.faces.Watch(WatchRequest(stream_id="s", resolution=512))
        assert (await stopped.read()).HasField("started")
        call = await open_stream(receiver)
        noise = np.random.default_rng(0).integers(0, 256, (1, 512, 512, 3), dtype=np.uint8)
        receiver.backend.render = lambda *_: noise  # most of a megabyte a picture: more than the transport holds
        sent = 40
        for sequence in range(1, sent + 1):
            await report_on(call, face_frame(sequence))
        seen, skipped = [], 0
        while not seen or seen[-1] != sent:
            face = (await stopped.read()).face
            seen.append(face.sequence)
            skipped += face.skipped
        assert seen == sorted(set(seen))
        assert skipped == sent - len(seen)
        assert skipped > 0


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        (Frame(sequence=1, sample_count=3, samples=b"12345678"), "3 samples are 24 bytes"),
        (Frame(sequence=1, sample_count=0, samples=b""), "declares 0"),
        (Frame(sequence=1, sample_count=2**20, samples=b"1"), "declares 1048576"),
        (Frame(sequence=0, sample_count=1, samples=bytes(8)), "must rise"),
        (Frame(sequence=1, sample_count=1, samples=bytes(8)), "at least"),
        (Frame(sequence=1, sample_count=100, samples=np.full(100, np.nan, np.complex64).tobytes()), "NaN"),
    ],
)
async def test_samples_that_cannot_be_used_end_the_stream_with_a_sentence(start_receiver, frame, says):
    async with start_receiver() as receiver:
        code, sentence = await status_after(receiver, [opening(), TransmitRequest(frame=frame)])
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert says in sentence
        assert (await report_on(await open_stream(receiver), face_frame(1))).outcome == DECODED


async def test_a_frame_that_comes_twice_is_refused(start_receiver):
    async with start_receiver() as receiver:
        twice = [opening(), *(TransmitRequest(frame=face_frame(1)) for _ in range(2))]
        code, sentence = await status_after(receiver, twice)
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert "frame 1 came after frame 1" in sentence


async def test_a_frame_of_another_codec_is_a_failed_precondition(start_receiver):
    async with start_receiver() as receiver:
        code, sentence = await status_after(receiver, [opening(), TransmitRequest(frame=face_frame(1, codec_id=2))])
        assert code is grpc.StatusCode.FAILED_PRECONDITION
        assert "codec 2" in sentence


@pytest.mark.parametrize("requests", [[], [TransmitRequest(frame=face_frame(1))], [TransmitRequest()]])
async def test_a_stream_that_does_not_begin_with_its_opening_is_invalid_as_at_the_channel(start_receiver, requests):
    async with start_receiver() as receiver:
        code, sentence = await status_after(receiver, requests)
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert sentence.startswith("the first request of a stream opens it")


@pytest.mark.parametrize("requests", [[opening("")], [opening("x" * 200)], [opening("a\nb")], [opening(), opening()]])
async def test_a_stream_that_is_not_opened_as_agreed_is_refused(start_receiver, requests):
    async with start_receiver() as receiver:
        assert (await status_after(receiver, requests))[0] is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_name_in_use_is_refused_and_free_again_afterwards(start_receiver):
    async with start_receiver() as receiver:
        first = await open_stream(receiver)
        assert (await status_after(receiver, [opening()]))[0] is grpc.StatusCode.INVALID_ARGUMENT
        first.cancel()
        await asyncio.sleep(0.1)
        await open_stream(receiver)


async def test_streams_and_watchers_beyond_the_bounds_are_turned_away(start_receiver):
    async with start_receiver(max_streams=1, max_watchers=1) as receiver:
        await open_stream(receiver, "a")
        assert (await status_after(receiver, [opening("b")]))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
        await watch(receiver)
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await receiver.faces.Watch(WatchRequest()).read()
        assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_an_odd_resolution_is_refused_with_those_there_are(start_receiver):
    async with start_receiver() as receiver:
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await receiver.faces.Watch(WatchRequest(resolution=300)).read()
        assert refusal.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "128, 256, 512, 1024" in refusal.value.details()


class SlowBackend(FakeBackend):
    """Draws only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.may_draw = threading.Semaphore(0)

    def render(self, w_plus, resolution):
        self.may_draw.acquire()
        return super().render(w_plus, resolution)


async def test_a_sender_beyond_its_credits_is_cut_off(start_receiver):
    backend = SlowBackend()
    async with start_receiver(backend, credits=1, drawing_bound=1) as receiver:
        await watch(receiver)
        call = await open_stream(receiver)
        assert (await report_on(call, face_frame(1))).outcome == DECODED
        for sequence in (2, 3):
            await call.write(TransmitRequest(frame=face_frame(sequence)))
        backend.may_draw.release(9)
        assert (await call.read()).report.sequence == 2
        with pytest.raises(grpc.aio.AioRpcError) as refusal:
            await call.read()
        assert refusal.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_face_that_waits_to_be_drawn_holds_back_the_next_report(start_receiver):
    backend = SlowBackend()
    async with start_receiver(backend, drawing_bound=2) as receiver:
        watching = await watch(receiver)
        call = await open_stream(receiver)
        for sequence in (1, 2):
            assert (await report_on(call, face_frame(sequence))).outcome == DECODED
        third = asyncio.create_task(report_on(call, face_frame(3)))
        await asyncio.sleep(0.1)
        assert not third.done()
        backend.may_draw.release()
        assert (await third).outcome == DECODED
        backend.may_draw.release(2)
        assert [(await watching.read()).face.sequence for _ in range(3)] == [1, 2, 3]


async def test_stopping_shows_every_acknowledged_face_before_it_ends_the_watch(start_receiver):
    backend = SlowBackend()
    async with start_receiver(backend) as receiver:
        watching = await watch(receiver)
        call = await open_stream(receiver)
        for sequence in (1, 2, 3):
            assert (await report_on(call, face_frame(sequence))).outcome == DECODED
        stopping = asyncio.create_task(receiver.service.stop(5.0))
        with pytest.raises(grpc.aio.AioRpcError) as ending:
            await call.read()
        assert ending.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "stopping" in ending.value.details()
        backend.may_draw.release(3)
        assert [(await watching.read()).face.sequence for _ in range(3)] == [1, 2, 3]
        assert await watching.read() is grpc.aio.EOF
        await stopping


async def test_a_hundred_watchers_that_come_and_go_leave_nothing(start_receiver):
    async with start_receiver(max_watchers=2) as receiver:
        for _ in range(100):
            call = await watch(receiver)
            call.cancel()
            await asyncio.sleep(0.005)
        await watch(receiver)
