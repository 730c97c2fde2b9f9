from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from protos.transmitter_pb2 import Photo
from shared.errors import FaceError, ImageError, InstructionError
from shared.pictures import decode_png
from tests.fakes.codec import PhaseCodec
from tests.fakes.face import FakeBackend, FakePredictor
from tests.fakes.link import FakeLink
from tests.fakes.semantics import FakeEditor, FakeFinder, FakeInverter, FakeParser
from transmitter.conversation import Conversation
from transmitter.courier import Courier
from transmitter.inverter import Refinement
from transmitter.parts import TransmitterParts
from transmitter.symbols import SymbolBudget
from transmitter.workers import Workers


class Talk:
    """A conversation of fakes, already begun with the face 01234 unless told otherwise."""

    def __init__(self, executor: ThreadPoolExecutor, fates: Iterable[str] = (), editor: FakeEditor | None = None):
        self.link = FakeLink(fates=fates)
        self.editor = editor or FakeEditor()
        parts = TransmitterParts(
            finder=FakeFinder(),
            inverter=FakeInverter(),
            parser=FakeParser(),
            predictor=FakePredictor(),
            editor=self.editor,
            codec=PhaseCodec(),
            backend=FakeBackend(),
        )
        workers = Workers(executor)
        courier = Courier(self.link, PhaseCodec(), SymbolBudget(512), 3, workers)
        self.conversation = Conversation(parts, workers, courier, 128)

    async def begin(self, photo: bytes = b"face01234", **options: object):
        return [event async for event in self.conversation.begin(Photo(data=photo, **options), Refinement(3))]


@pytest.fixture
def executor():
    with ThreadPoolExecutor(2) as executor:
        yield executor


@pytest.fixture
async def talk(executor) -> Talk:
    talk = Talk(executor)
    await talk.begin()
    return talk


async def test_a_photo_is_answered_by_progress_and_then_the_face(executor):
    *progress, last = await Talk(executor).begin()
    stages = [(event.progress.stage, event.progress.step) for event in progress]
    assert stages == [("align", 0), ("align", 1), ("encode", 1), ("refine", 1), ("refine", 2), ("refine", 3)]
    assert progress[-1].progress.loss == pytest.approx(1 / 3)
    face = last.face
    assert dict(face.degrees) == {"bangs": 0, "eyeglasses": 1, "beard": 2, "smiling": 3, "age": 4}
    assert decode_png(face.aligned_png).shape == (256, 256, 3)
    assert decode_png(face.reconstruction_png).shape == (128, 128, 3)
    assert b"synthetic" in face.reconstruction_png
    assert set(face.timings_ms) == {"align", "invert", "render"}


@pytest.mark.parametrize(("photo", "error"), [(b"landscape", FaceError), (b"crowd", FaceError), (b"junk", ImageError)])
async def test_a_photo_that_cannot_be_used_is_an_error_with_a_sentence(executor, photo, error):
    with pytest.raises(error, match=r"photo|picture"):
        await Talk(executor).begin(photo)


async def test_of_several_faces_the_largest_is_taken_if_asked_for(executor):
    events = await Talk(executor).begin(b"crowd", largest_face=True)
    assert events[-1].HasField("face")


async def test_a_turn_reports_what_was_understood_meant_and_spent(talk):
    report = await talk.conversation.turn("bangs +2, age =1")
    assert report.turn == 1
    assert [(edit.attribute, edit.change, edit.target) for edit in report.edits] == [("bangs", 2, 0), ("age", 0, 1)]
    assert not report.edits[1].HasField("change")
    assert report.edits[1].HasField("target")
    assert dict(report.degrees_before) == {"bangs": 0, "eyeglasses": 1, "beard": 2, "smiling": 3, "age": 4}
    assert dict(report.degrees_after) == {"bangs": 2, "eyeglasses": 1, "beard": 2, "smiling": 3, "age": 1}
    assert report.message.startswith("Understood")
    assert report.sequence == 2
    assert (report.frames_sent, report.frames_erased) == (2, 0)
    assert report.uses.k_total == sum(talk.link.frames)
    assert len(report.received_sha256) == 2
    assert b"synthetic, edited" in report.intended_png
    assert {"parse", "sound", "edit", "deliver", "render", "decode"} <= set(report.timings_ms)


async def test_edits_add_up_from_the_current_face(talk):
    await talk.conversation.turn("bangs +2")
    report = await talk.conversation.turn("bangs +2")
    assert report.turn == 2
    assert report.degrees_before["bangs"] == 2
    assert report.degrees_after["bangs"] == 4
    assert talk.link.faces[-1][1][0, 0] == pytest.approx(4, abs=0.2)


async def test_the_editor_is_told_the_reported_snr(talk):
    await talk.conversation.turn("bangs +1")
    assert talk.editor.snrs_db[0] == pytest.approx(talk.link.snr_db, abs=3)


async def test_a_target_out_of_reach_is_said_in_words(executor):
    talk = Talk(executor, editor=FakeEditor(reach=3))
    await talk.begin()
    report = await talk.conversation.turn("bangs =5")
    assert "no further" in report.message
    assert report.degrees_after["bangs"] == 3


@pytest.mark.parametrize("text", ["", "   ", "make me a sandwich", "smiling " * 100])
async def test_a_sentence_that_cannot_be_followed_is_refused_and_nothing_is_sent(talk, text):
    with pytest.raises(InstructionError):
        await talk.conversation.turn(text)
    assert talk.link.frames == []


async def test_a_sentence_that_contradicts_itself_is_refused(talk):
    with pytest.raises(InstructionError, match="smiling"):
        await talk.conversation.turn("smiling =1, smiling =4")


async def test_a_turn_that_was_never_received_changes_nothing_and_says_so(executor):
    talk = Talk(executor, fates=["pass", "erase", "erase", "erase"])
    await talk.begin()
    lost = await talk.conversation.turn("bangs +2")
    assert lost.sequence == 0
    assert (lost.frames_sent, lost.frames_erased) == (4, 3)
    assert "say it again" in lost.message
    again = await talk.conversation.turn("bangs +2")
    assert again.degrees_before["bangs"] == 0
    assert again.degrees_after["bangs"] == 2
    assert again.sequence == 5


async def test_a_repeated_frame_carries_the_same_face(executor):
    talk = Talk(executor, fates=["pass", "lose", "pass"])
    await talk.begin()
    report = await talk.conversation.turn("age =5")
    assert (report.sequence, report.frames_erased) == (3, 1)
    ((sequence, w_plus),) = talk.link.faces
    assert sequence == 3
    assert w_plus[0, 4] == pytest.approx(5, abs=0.3)
