"""A call may change its link for itself where the proxy was started for it; nobody else notices."""

import json
from contextlib import suppress

import grpc
import numpy as np
import pytest

from channel_sim.client import channel_client
from shared.errors import InvalidInput, LinkLost, NotAllowed
from tests.channel_sim.bench import Sender, bench, received_of, unit_frame


async def open_again(channel: grpc.aio.Channel, override: str) -> None:
    """Opens a stream, and again where the refusal met what was still being sent, as that error says to do."""
    for _ in range(5):
        with suppress(LinkLost):
            await Sender(channel, "s", override=override).open()
            return


async def test_override_holds_for_its_call_alone_and_is_echoed() -> None:
    async with bench(snr_db=12.0, seed=1, allow_overrides=True) as parts:
        own = await parts.sender("own", override='{"snr_db": -3, "fading": "rayleigh", "seed": 9}')
        plain = await parts.sender("plain")
        truths = [(await sender.exchange(unit_frame(4000))).channel for sender in (own, plain)]
    assert [(truth.snr_db, truth.seed, truth.overridden) for truth in truths] == [(-3.0, 9, True), (12.0, 1, False)]
    assert [truth.config_version for truth in truths] == [1, 1]
    assert abs(truths[0].gain_db) > 0.01
    assert truths[1].gain_db == pytest.approx(0.0, abs=1e-4)


async def test_overridden_call_gets_what_a_link_of_that_configuration_gives() -> None:
    frames = [unit_frame(100, seed) for seed in range(3)]
    expected = await received_of(frames, snr_db=3.0, fading="tdl", seed=7)
    async with bench(snr_db=30.0, allow_overrides=True) as parts:
        sender = await parts.sender(override='{"snr_db": 3, "fading": "tdl", "seed": 7}')
        for frame in frames:
            await sender.exchange(frame)
        assert all(np.array_equal(a, b) for a, b in zip(expected, parts.received(), strict=True))


async def test_fields_that_are_not_overridden_follow_the_link() -> None:
    async with bench(snr_db=12.0, allow_overrides=True) as parts, channel_client(parts.proxy.address) as client:
        sender = await parts.sender(override='{"seed": 9}')
        await client.set(snr_db=-5.0, seed=4)
        truth = (await sender.exchange(unit_frame())).channel
    assert (truth.snr_db, truth.seed, truth.config_version) == (-5.0, 9, 2)


async def test_override_is_refused_unless_the_proxy_allows_it() -> None:
    async with bench() as parts:
        with pytest.raises(NotAllowed, match="start the proxy with --allow-overrides"):
            await open_again(parts.channel, '{"snr_db": 3}')


@pytest.mark.parametrize(
    ("override", "sentence"),
    [
        ("loud", "JSON object"),
        ("[1]", "JSON object"),
        ("{}", "at least one"),
        ('{"snr_db": 1000}', "snr_db is 1000"),
        ('{"volume": 3}', "volume is 3: extra inputs"),
        ('{"fading": "rain"}', "no fading 'rain'"),
        ('{"fading": "rayleigh", "preset": "pedestrian"}', "either fading or preset"),
        ('{"impairments": [{"kind": "cfo", "offset_hz": "fast"}]}', "offset_hz is 'fast'"),
    ],
)
async def test_bad_override_is_named_before_the_stream_opens(override: str, sentence: str) -> None:
    async with bench(allow_overrides=True) as parts:
        with pytest.raises(InvalidInput, match=sentence):
            await open_again(parts.channel, override)
        assert not parts.receiver.frames


async def test_override_that_no_longer_fits_its_link_ends_the_stream_with_a_sentence() -> None:
    async with bench(allow_overrides=True) as parts, channel_client(parts.proxy.address) as client:
        sender = await parts.sender(override=json.dumps({"fading": "rayleigh"}))
        await client.set(impairments=[{"kind": "cfo"}] * 32)
        with pytest.raises(InvalidInput, match="impairments is"):
            await sender.exchange(unit_frame())
