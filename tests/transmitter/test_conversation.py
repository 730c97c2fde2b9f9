from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest

from protos.link_pb2 import FRAME_KIND_DELTA, FRAME_KIND_KEY, FRAME_KIND_REFINEMENT, FRAME_KIND_SOUNDING
from protos.transmitter_pb2 import COMMAND_REDO, COMMAND_RESET, COMMAND_UNDO, Instruction, Photo, Question
from shared.errors import FaceError, ImageError, InstructionError, InvalidInput, LinkLost
from shared.pictures import decode_png
from tests.fakes.codec import PhaseCodec
from tests.fakes.face import FakeBackend, FakePredictor
from tests.fakes.followup import PhaseFollowUps
from tests.fakes.link import FakeLink
from tests.fakes.semantics import FakeEditor, FakeFinder, FakeInverter, FakeParser
from transmitter.conversation import Conversation
from transmitter.courier import Courier
from transmitter.framing import Framer
from transmitter.parts import TransmitterParts
from transmitter.settings import TransmitterSettings
from transmitter.symbols import SymbolBudget
from transmitter.workers import Workers


class Talk:
    """A conversation of fakes, already begun with the face 01234 unless told otherwise."""

    def __init__(self, executor: ThreadPoolExecutor, fates: Iterable[str] = (), editor: FakeEditor | None = None):
        self.link = FakeLink(snr_db=20, fates=fates)
        self.editor = editor or FakeEditor()
        parts = TransmitterParts(
            finder=FakeFinder(),
            inverter=FakeInverter(),
            parser=FakeParser(),
            predictor=FakePredictor(),
            editor=self.editor,
            codec=PhaseCodec(),
            follow_ups=PhaseFollowUps(),
            backend=FakeBackend(),
        )
        workers = Workers(executor)
        framer = Framer(PhaseCodec(), PhaseFollowUps())
        courier = Courier(self.link, framer, SymbolBudget(512), 3, workers)
        settings = TransmitterSettings(resolution=128, refine_steps=3)
        self.conversation = Conversation(parts, workers, courier, settings)

    async def begin(self, photo: bytes = b"face01234", **options: object):
        return [event async for event in self.conversation.begin(Photo(data=photo, **options))]

    async def turn(self, text: str = "", **options: object):
        return await self.conversation.turn(Instruction(text=text, **options))

    @property
    def received(self) -> list[float]:
        """The degrees that the receiver shows, rounded."""
        return [round(float(degree)) for degree in self.link.faces[-1][1][0, :5]]


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
    report = await talk.turn("bangs +2, age =1")
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
    await talk.turn("bangs +2")
    report = await talk.turn("bangs +2")
    assert report.turn == 2
    assert report.degrees_before["bangs"] == 2
    assert report.degrees_after["bangs"] == 4
    assert talk.received == [4, 1, 2, 3, 4]


async def test_the_editor_is_told_the_reported_snr(talk):
    await talk.turn("bangs +1")
    assert talk.editor.snrs_db[0] == pytest.approx(talk.link.snr_db, abs=3)


async def test_a_target_out_of_reach_is_said_in_words(executor):
    talk = Talk(executor, editor=FakeEditor(reach=3))
    await talk.begin()
    report = await talk.turn("bangs =5")
    assert "no further" in report.message
    assert report.degrees_after["bangs"] == 3


@pytest.mark.parametrize("text", ["", "   ", "make me a sandwich", "smiling " * 100])
async def test_a_sentence_that_cannot_be_followed_is_refused_and_nothing_is_sent(talk, text):
    with pytest.raises(InstructionError):
        await talk.turn(text)
    assert talk.link.frames == []


async def test_a_sentence_that_contradicts_itself_is_refused(talk):
    with pytest.raises(InstructionError, match="smiling"):
        await talk.turn("smiling =1, smiling =4")


async def test_a_turn_that_was_never_received_changes_nothing_and_says_so(executor):
    talk = Talk(executor, fates=["pass", "erase", "erase", "erase"])
    await talk.begin()
    lost = await talk.turn("bangs +2")
    assert lost.sequence == 0
    assert (lost.frames_sent, lost.frames_erased) == (4, 3)
    assert "each of the 3 frames that carried the face was erased" in lost.message
    assert "say it again" in lost.message
    again = await talk.turn("bangs +2")
    assert again.degrees_before["bangs"] == 0
    assert again.degrees_after["bangs"] == 2
    assert again.sequence == 5


async def test_a_refinement_that_was_erased_is_said_of_its_one_frame(executor):
    talk = Talk(executor, fates=["pass", "pass", "erase"])
    await talk.begin()
    await talk.turn("bangs +2")
    assert "; the frame that carried the face was erased" in (await talk.turn("sharper")).message


async def test_a_turn_whose_link_is_lost_once_its_face_has_arrived_is_done_and_says_so(executor):
    talk = Talk(executor, fates=["pass", "pass", "pass", "die"])
    await talk.begin(frames=4)
    report = await talk.turn("bangs +2")
    assert list(report.kinds) == [FRAME_KIND_SOUNDING, FRAME_KIND_KEY, FRAME_KIND_REFINEMENT, FRAME_KIND_REFINEMENT]
    assert (report.sequence, report.frames_sent, report.frames_erased) == (3, 4, 1)
    assert report.uses.k_total == sum(talk.link.frames)
    assert report.message.endswith(
        "; the link was lost before all frames were sent, and the receiver shows what has arrived"
    )
    undone = await talk.turn("undo")
    assert (undone.turn, undone.degrees_before["bangs"], undone.degrees_after["bangs"]) == (2, 2, 0)
    assert undone.kinds[0] == FRAME_KIND_KEY
    assert talk.received == [0, 1, 2, 3, 4]


async def test_a_turn_whose_link_is_lost_before_its_face_has_arrived_changes_nothing(executor):
    talk = Talk(executor, fates=["pass", "pass", "die"])
    await talk.begin()
    await talk.turn("bangs +2")
    with pytest.raises(LinkLost):
        await talk.turn("bangs +2")
    again = await talk.turn("bangs +2")
    assert (again.turn, again.degrees_before["bangs"], again.degrees_after["bangs"]) == (2, 2, 4)
    assert (await talk.turn("undo")).degrees_after["bangs"] == 2


async def test_a_repeated_frame_carries_the_same_face(executor):
    talk = Talk(executor, fates=["pass", "lose", "pass"])
    await talk.begin()
    report = await talk.turn("age =5")
    assert (report.sequence, report.frames_erased) == (3, 1)
    ((sequence, w_plus),) = talk.link.faces
    assert sequence == 3
    assert w_plus[0, 4] == pytest.approx(5, abs=0.3)


async def test_a_conversation_goes_back_and_forth_and_the_receiver_follows(talk):
    await talk.turn("bangs +2")
    await talk.turn("age =1")
    said = []
    for text, shown in (
        ("undo", [2, 1, 2, 3, 4]),
        ("undo", [0, 1, 2, 3, 4]),
        ("redo", [2, 1, 2, 3, 4]),
        ("more", [3, 1, 2, 3, 4]),
        ("same_for of beard", [3, 1, 3, 3, 4]),
        ("reset, eyeglasses =5", [0, 5, 2, 3, 4]),
        ("undo of eyeglasses", [0, 1, 2, 3, 4]),
    ):
        report = await talk.turn(text)
        said.append(report.message)
        assert talk.received == shown, text
        assert list(report.kinds) == [FRAME_KIND_DELTA]
    assert said[0] == "undo the last turn"
    assert said[3] == "more of the last turn: bangs up by one degree"
    assert said[5] == "back to the original; eyeglasses to dark sunglasses"


async def test_buttons_do_what_the_words_do(talk):
    await talk.turn("bangs +2")
    for command, degree in ((COMMAND_UNDO, 0), (COMMAND_REDO, 2), (COMMAND_RESET, 0)):
        report = await talk.turn(command=command)
        assert report.degrees_after["bangs"] == degree
        assert talk.received[0] == degree


@pytest.mark.parametrize("text", ["sharper", "bangs +1", "maybe age =0", "a sandwich"])
async def test_a_text_beside_a_command_does_not_count(talk, text):
    await talk.turn("bangs +2")
    report = await talk.turn(text, command=COMMAND_UNDO)
    assert report.message == "undo the last turn"
    assert list(report.kinds) == [FRAME_KIND_DELTA]
    assert talk.received == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("text", ["", "sharper", "bangs +1"])
async def test_a_command_that_there_is_not_is_refused_and_nothing_is_sent(talk, text):
    with pytest.raises(InstructionError, match="there is no command 9"):
        await talk.turn(text, command=9)
    assert talk.link.frames == []


async def test_what_is_unclear_is_asked_back_and_done_when_it_is_confirmed(talk):
    asked = await talk.turn("maybe bangs +2")
    assert isinstance(asked, Question)
    assert (asked.guess, asked.edits[0].change) == ("bangs up by two degrees", 2)
    assert asked.confidence == pytest.approx(0.3)
    assert "confirm" in asked.message
    assert talk.link.frames == []
    report = await talk.turn("maybe bangs +2", best_guess=True)
    assert report.degrees_after["bangs"] == 2
    assert report.message == "best guess: bangs up by two degrees"


async def test_an_unclear_reference_is_asked_back_too(talk):
    await talk.turn("bangs +2")
    asked = await talk.turn("maybe undo, age =0")
    assert asked.guess == "undo the last turn; age to child, teenager"
    await talk.turn("maybe undo", best_guess=True)
    assert talk.received == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("text", ["undo", "redo", "more", "same_for of beard"])
async def test_a_reference_to_nothing_is_refused_and_nothing_is_sent(talk, text):
    with pytest.raises(InstructionError):
        await talk.turn(text)
    assert talk.link.frames == []


async def test_an_erased_undo_undoes_nothing(executor):
    talk = Talk(executor, fates=["pass", "pass", "erase", "erase", "erase"])
    await talk.begin()
    await talk.turn("bangs +2")
    lost = await talk.turn("undo")
    assert lost.sequence == 0
    again = await talk.turn("undo")
    assert again.degrees_before["bangs"] == 2
    assert talk.received == [0, 1, 2, 3, 4]


async def test_now_and_original_can_be_compared_without_sending_anything(talk):
    await talk.turn("bangs +5")
    sent = len(talk.link.frames)
    comparison = await talk.conversation.compare()
    assert comparison.degrees_original["bangs"] == 0
    assert comparison.degrees_now["bangs"] == 5
    original, now = decode_png(comparison.original_png), decode_png(comparison.now_png)
    assert now[64, 5, 0] > original[64, 5, 0]
    assert (comparison.turn, len(talk.link.frames)) == (1, sent)


async def test_a_second_photo_begins_a_new_face_with_a_key_frame(talk):
    await talk.turn("bangs +2")
    await talk.begin(b"face43210")
    with pytest.raises(InstructionError):
        await talk.turn("undo")
    report = await talk.turn("bangs -1")
    assert list(report.kinds) == [FRAME_KIND_KEY]
    assert report.turn == 2
    assert talk.received == [3, 3, 2, 1, 0]


async def test_a_second_photo_that_cannot_be_used_leaves_the_first_face(talk):
    with pytest.raises(FaceError):
        await talk.begin(b"landscape")
    await talk.turn("bangs +2")
    assert talk.received == [2, 1, 2, 3, 4]


async def test_sharper_sends_more_of_the_same_face(talk):
    await talk.turn("bangs +2")
    report = await talk.turn("make it sharper")
    assert list(report.kinds) == [FRAME_KIND_REFINEMENT]
    assert report.degrees_after == report.degrees_before
    assert talk.received == [2, 1, 2, 3, 4]
    assert (await talk.turn("undo")).degrees_after["bangs"] == 0


async def test_a_photo_may_ask_for_several_frames_a_turn(executor):
    talk = Talk(executor)
    await talk.begin(frames=3)
    report = await talk.turn("bangs +2")
    kinds = [FRAME_KIND_SOUNDING, FRAME_KIND_KEY, FRAME_KIND_REFINEMENT, FRAME_KIND_REFINEMENT]
    assert list(report.kinds) == kinds
    assert report.sequence == 4
    assert report.uses.k_total == sum(talk.link.frames)


async def test_more_frames_than_a_turn_may_take_are_refused(talk):
    with pytest.raises(InvalidInput, match="16"):
        await talk.conversation.refine(17)
    with pytest.raises(InvalidInput, match="16"):
        await talk.begin(frames=17)


async def test_what_was_wished_for_is_due_in_the_turns_after_and_the_photo_is_for_the_rest(talk):
    await talk.turn("smiling +2")
    await talk.turn("age =1")
    await talk.turn("beard +1")
    photo = {"bangs": 0.0, "eyeglasses": 1.0, "beard": 2.0, "smiling": 3.0, "age": 4.0}
    assert talk.editor.due == [photo, {**photo, "smiling": 5.0}, {**photo, "smiling": 5.0, "age": 1.0}]


async def test_undoing_takes_back_what_is_due(talk):
    await talk.turn("smiling +2")
    await talk.turn(command=COMMAND_UNDO)
    await talk.turn("age =1")
    assert talk.editor.due[-1]["smiling"] == 3.0
