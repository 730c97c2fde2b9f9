"""A trace is the link's SNR by frame number: read from a file, checked row by row, versioned, repeatable."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from channel_sim.awgn import Awgn, TracedAwgn
from channel_sim.client import channel_client
from channel_sim.config import LinkConfig, checked_config
from channel_sim.messages import config_fields, config_message
from channel_sim.snr_trace import MAX_ROWS, SnrTrace, trace_from_csv
from protos import channel_pb2
from shared.errors import InvalidInput
from shared.grpc_status import errors_of
from tests.channel_sim.bench import bench, unit_frame
from tests.channel_sim.places import at
from tests.channel_sim.test_cli import run

STEPS = SnrTrace(frames=(1, 3, 4), snr_db=(20.0, 5.0, -5.0))


def test_value_holds_until_the_next_row_and_the_last_for_good() -> None:
    assert [STEPS.at(sequence) for sequence in (1, 2, 3, 4, 5, 2**32 - 1)] == [20.0, 20.0, 5.0, -5.0, -5.0, -5.0]


def test_repeated_trace_begins_anew_behind_the_frame_of_its_last_row() -> None:
    again = STEPS.model_copy(update={"repeat": True})
    assert [again.at(sequence) for sequence in range(1, 11)] == [20, 20, 5, -5, 20, 20, 5, -5, 20, 20]


def test_file_is_read_with_blank_lines_spaces_and_a_byte_order_mark() -> None:
    text = "\ufeffframe, snr_db\r\n1, 20\r\n\r\n3,5.0\r\n4,-5\r\n"
    assert trace_from_csv(text) == STEPS
    assert trace_from_csv(text, repeat=True).repeat


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("", ["line 1 is ''", "header frame,snr_db"]),
        ("time,snr\n1,2\n", ["line 1 is 'time,snr'"]),
        ("frame,snr_db\n", ["1 to 16384 rows, and this one has 0"]),
        ("frame,snr_db\n2,3\n", ["line 2: the first frame is 2"]),
        ("frame,snr_db\n1,wet\n\n2,101\n", ["line 2: snr_db is 'wet'", "line 4: snr_db is '101'"]),
        ("frame,snr_db\n1,3\n1,4\n", ["line 3: frame 1 stands behind frame 1"]),
        ("frame,snr_db\n1,3\n2\n", ["line 3: '2' has 1 columns"]),
        ("frame,snr_db\n0.5,nan\n", ["frame is '0.5'", "snr_db is 'nan'", "finite"]),
        ("frame,snr_db\n" + "x,1\n" * 12, ["line 11: frame is 'x'", "and 2 more"]),
        ("frame,snr_db\n" + "".join(f"{n},1\n" for n in range(1, MAX_ROWS + 2)), ["this one has 16385"]),
    ],
)
def test_every_bad_row_gets_a_sentence(text: str, sentences: list[str]) -> None:
    with pytest.raises(InvalidInput) as refusal:
        trace_from_csv(text)
    for sentence in sentences:
        assert sentence in refusal.value.message


@pytest.mark.parametrize(
    ("trace", "sentence"),
    [
        ({}, "begins with frame 1"),
        ({"frames": [1, 2], "snr_db": [0.0]}, "2 frames and 1 values of snr_db"),
        ({"frames": [1, 3, 3], "snr_db": [0.0] * 3}, "frame 3 stands behind frame 3"),
        ({"frames": [1], "snr_db": [1000.0]}, r"snr_trace\.snr_db\.0 is 1000\.0"),
        ({"frames": range(1, 3000), "snr_db": [1000.0] * 2999}, "and 2989 more$"),
        ({"frames": range(2, 3000), "snr_db": [1.0] * 2998}, r"\.\.\.: a trace begins with frame 1"),
    ],
)
async def test_bad_trace_is_named_and_changes_nothing(trace: dict[str, Any], sentence: str) -> None:
    async with bench(snr_db=12.0) as parts:
        before = await parts.control.GetLink(channel_pb2.GetLinkRequest())
        with pytest.raises(InvalidInput, match=sentence), errors_of("the proxy"):
            await parts.control.SetLink(channel_pb2.SetLinkRequest(snr_trace=channel_pb2.SnrTrace(**trace), seed=3))
        assert await parts.control.GetLink(channel_pb2.GetLinkRequest()) == before


async def test_frames_get_the_snr_of_their_number_and_a_new_snr_ends_the_trace() -> None:
    async with bench(snr_db=12.0) as parts, channel_client(parts.proxy.address) as client:
        state = await client.set(snr_trace=STEPS)
        assert (state.version, state.config.snr_db) == (2, 12.0)
        assert (await client.set(snr_trace=STEPS, fading="none")).version == 2
        sender = await parts.sender()
        # Frame 2 is never sent: the trace goes by the number, not by how many frames there were.
        truths = [(await sender.exchange(unit_frame(4000), sequence=sequence)).channel for sequence in (1, 3, 4, 9)]
        assert [truth.snr_db for truth in truths] == [20.0, 5.0, -5.0, -5.0]
        for truth in truths:
            assert truth.snr_db_realised == pytest.approx(truth.snr_db, abs=0.3)
            assert truth.config_version == 2
        ended = await client.set(snr_db=12.0)
        assert (ended.version, ended.config.HasField("snr_trace")) == (3, False)
        assert (await sender.exchange(unit_frame(), sequence=10)).channel.snr_db == 12.0


async def test_trace_outlives_other_changes_and_returns_behind_a_block() -> None:
    async with bench(snr_db=12.0) as parts, channel_client(parts.proxy.address) as client:
        await client.set(snr_trace=STEPS)
        assert (await client.set(fading="rayleigh", seed=4)).config.snr_trace.frames == [1, 3, 4]
        async with client.applied(snr_db=0.0) as state:
            assert not state.config.HasField("snr_trace")
        assert (await client.get()).config.snr_trace.snr_db == [20.0, 5.0, -5.0]
        with pytest.raises(InvalidInput, match="either snr_db"):
            await client.set(snr_db=0.0, snr_trace=STEPS)
        (state,) = await client.reset()
        assert not state.config.HasField("snr_trace")


def test_configuration_with_a_trace_survives_the_way_through_a_message() -> None:
    config = checked_config({"snr_trace": {"frames": [1, 7], "snr_db": [3.25, -1.5], "repeat": True}})
    message = channel_pb2.LinkConfig.FromString(config_message("x", config).SerializeToString())
    assert checked_config(config_fields(message)) == config


def test_noise_along_a_trace_is_that_of_the_same_snr() -> None:
    frame = unit_frame(500)
    for sequence, snr_db in ((2, 20.0), (4, -5.0)):
        place = at(sequence)
        assert np.array_equal(TracedAwgn(STEPS).apply(frame, place), Awgn(snr_db).apply(frame, place))
    assert LinkConfig(snr_trace=STEPS).snr_db_at(3) == 5.0


async def test_longest_trace_fits_in_an_answer() -> None:
    longest = trace_from_csv("frame,snr_db\n" + "".join(f"{n},{n % 30}\n" for n in range(1, MAX_ROWS + 1)))
    async with bench() as parts, channel_client(parts.proxy.address) as client:
        assert len((await client.set(snr_trace=longest)).config.snr_trace.frames) == MAX_ROWS


def test_file_that_holds_no_trace_is_named(tmp_path: Path) -> None:
    picture = tmp_path / "picture.csv"
    picture.write_bytes(b"\xff\xd8\xff")
    empty = tmp_path / "empty.csv"
    empty.touch()
    wrong = {tmp_path / "none.csv": "cannot be read", picture: "is not text in UTF-8", empty: "line 1 is ''"}
    for file, sentence in wrong.items():
        result = run("trace", str(file), "--target", "127.0.0.1:1")
        assert (result.status, str(file) in result.stderr, sentence in result.stderr) == (2, True, True)
