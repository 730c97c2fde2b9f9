"""The control service: changes act at the next frame, whole or not at all, versioned; every bad value is named."""

from typing import Any

import numpy as np
import pytest

from channel_sim.client import channel_client
from channel_sim.config import LinkConfig, checked_config
from channel_sim.impairments import IMPAIRMENTS
from channel_sim.messages import config_fields, config_message
from protos import channel_pb2
from shared.errors import DeepscError, InvalidInput, LinkLost, Overloaded, StaleVersion, UnknownLink, UnknownVersion
from shared.grpc_status import errors_of
from tests.channel_sim.bench import bench, unit_frame


async def test_snr_changes_between_two_frames_of_a_running_stream() -> None:
    async with bench(snr_db=20.0) as parts, channel_client(parts.proxy.address) as client:
        sender = await parts.sender()
        before = (await sender.exchange(unit_frame(4000))).channel
        assert (await client.set(snr_db=-5.0)).version == 2
        after = (await sender.exchange(unit_frame(4000))).channel
    assert (before.config_version, before.snr_db) == (1, 20.0)
    assert (after.config_version, after.snr_db) == (2, -5.0)
    assert before.snr_db_realised == pytest.approx(20.0, abs=0.3)
    assert after.snr_db_realised == pytest.approx(-5.0, abs=0.3)


async def test_fading_and_seed_change_while_running() -> None:
    async with bench(snr_db=60.0) as parts, channel_client(parts.proxy.address) as client:
        sender = await parts.sender()
        assert (await sender.exchange(unit_frame())).channel.gain_db == pytest.approx(0.0, abs=1e-4)
        state = await client.set(fading="rayleigh", seed=5)
        assert (state.fading, state.config.seed) == ("rayleigh", 5)
        assert abs((await sender.exchange(unit_frame())).channel.gain_db) > 0.01
        assert (await client.set(fading="none")).fading == "none"
        assert (await sender.exchange(unit_frame())).channel.gain_db == pytest.approx(0.0, abs=1e-4)


async def test_unset_fields_stay_and_an_equal_setting_keeps_the_version() -> None:
    async with bench(snr_db=3.0, seed=9) as parts, channel_client(parts.proxy.address) as client:
        state = await client.set(fading="rayleigh")
        assert (state.config.snr_db, state.config.seed, state.version) == (3.0, 9, 2)
        assert (await client.set(snr_db=3.0, seed=9, fading="rayleigh")).version == 2
        assert await client.get() == state


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"snr_db": 101.0}, "snr_db is 101.0: input should be less than or equal to 100"),
        ({"snr_db": -41.0}, "snr_db is -41.0"),
        ({"snr_db": float("nan")}, "finite"),
        ({"snr_db": float("inf")}, "finite"),
        ({"seed": 2**63}, "seed is 9223372036854775808"),
        ({"fading": "rain"}, "no fading 'rain'; choose one of none, rayleigh"),
        ({"fading": "none", "impairments": channel_pb2.ImpairmentList()}, "either fading"),
        ({"fading": "none", "preset": "pedestrian"}, "either fading or preset"),
        ({"preset": "train"}, "no preset 'train'; choose one of pedestrian, vehicular-60, vehicular-120"),
        ({"preset": "pedestrian", "sample_rate_hz": 1e6}, "sample_rate_hz along"),
        ({"impairments": channel_pb2.ImpairmentList(impairments=[channel_pb2.Impairment()])}, "no kind"),
    ],
)
async def test_bad_value_is_named_and_changes_nothing(change: dict[str, Any], sentence: str) -> None:
    async with bench(snr_db=12.0) as parts:
        before = await parts.control.GetLink(channel_pb2.GetLinkRequest())
        with pytest.raises(InvalidInput, match=sentence), errors_of("the proxy"):
            await parts.control.SetLink(channel_pb2.SetLinkRequest(**{"snr_db": 0.0, "seed": 1, **change}))
        assert await parts.control.GetLink(channel_pb2.GetLinkRequest()) == before


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"seed": -1}, "seed is -1"),
        ({"impairments": [{"kind": "rain"}]}, "impairments.0"),
        ({"impairments": [{"kind": "rayleigh", "wetness": 1}]}, "wetness is 1: extra inputs are not permitted"),
    ],
)
async def test_client_names_what_no_message_could_hold(change: dict[str, Any], sentence: str) -> None:
    async with channel_client("127.0.0.1:1") as client:
        with pytest.raises(InvalidInput, match=sentence):
            await client.set(**change)


async def test_change_from_a_stale_version_is_refused() -> None:
    async with bench() as parts, channel_client(parts.proxy.address) as client:
        await client.set(snr_db=1.0, expected_version=1)
        with pytest.raises(StaleVersion, match="at version 2, not 1"):
            await client.set(snr_db=2.0, expected_version=1)
        assert (await client.get()).config.snr_db == 1.0


async def test_latest_versions_can_be_read_back_and_older_ones_are_forgotten() -> None:
    async with bench(snr_db=0.0) as parts, channel_client(parts.proxy.address) as client:
        first = await client.get()
        for snr_db in range(1, 40):
            await client.set(snr_db=float(snr_db))
        for version in (9, 40):
            state = await client.get(version=version)
            assert (state.version, state.config.snr_db) == (version, version - 1.0)
        for version in (0, first.version, 8, 41):
            with pytest.raises(UnknownVersion, match="keeps its versions 9 to 40"):
                await client.get(version=version)


async def test_populate_creates_links_is_idempotent_and_all_or_nothing() -> None:
    async with bench(snr_db=12.0) as parts, channel_client(parts.proxy.address) as client:
        wanted = [
            config_message("uplink", LinkConfig(snr_db=1.0)),
            config_message("default", LinkConfig(snr_db=12.0).with_fading("rayleigh")),
        ]
        states = await client.populate(wanted)
        assert [(state.config.link, state.version, state.fading) for state in states] == [
            ("default", 2, "rayleigh"),
            ("uplink", 1, "none"),
        ]
        assert await client.populate(wanted) == states
        for bad in (config_message("Not A Name", LinkConfig()), channel_pb2.LinkConfig(link="new", snr_db=1e9)):
            with pytest.raises(InvalidInput):
                await client.populate([config_message("uplink", LinkConfig(snr_db=2.0)), bad])
        with pytest.raises(InvalidInput, match="named twice"):
            await client.populate([wanted[0], wanted[0]])
        assert await client.links() == states


async def test_populate_beyond_the_most_links_is_refused_and_touches_none() -> None:
    async with bench(snr_db=12.0, max_links=2) as parts, channel_client(parts.proxy.address) as client:
        uplink, third, default = (config_message(name, LinkConfig(snr_db=1.0)) for name in ("a", "b", "default"))
        await client.populate([uplink])
        before = await client.links()
        with pytest.raises(Overloaded, match="would make 3 links and the proxy takes 2"):
            await client.populate([third, default])
        assert await client.links() == before
        await client.populate([uplink, default])


async def test_streams_over_two_links_see_each_its_own_channel() -> None:
    async with bench(snr_db=30.0) as parts, channel_client(parts.proxy.address) as client:
        await client.populate([config_message("bad", LinkConfig(snr_db=-10.0))])
        good, bad = await parts.sender("g"), await parts.sender("b", link="bad")
        truths = [(await sender.exchange(unit_frame(2000))).channel for sender in (good, bad)]
        assert [(truth.link, truth.snr_db) for truth in truths] == [("default", 30.0), ("bad", -10.0)]
        assert [(await client.stats(link)).frames for link in ("default", "bad")] == [1, 1]


async def test_reset_brings_back_configuration_and_counters_and_never_an_old_version() -> None:
    async with bench(snr_db=12.0) as parts, channel_client(parts.proxy.address) as client:
        sender = await parts.sender()
        await client.set(snr_db=0.0, fading="rayleigh")
        await sender.exchange(unit_frame())
        (state,) = await client.reset()
        assert (state.config.snr_db, state.fading, state.version) == (12.0, "none", 3)
        stats = await client.stats()
        assert (stats.frames, stats.streams_open) == (0, 1)
        assert not stats.HasField("snr_db_realised")
        assert await client.reset("default") == [state]


async def test_applied_setting_holds_inside_the_block_even_if_it_fails() -> None:
    async with bench(snr_db=12.0, seed=4) as parts, channel_client(parts.proxy.address) as client:

        async def fail_inside() -> None:
            async with client.applied(snr_db=-5.0, fading="rayleigh") as state:
                assert (state.config.snr_db, state.fading) == (-5.0, "rayleigh")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail_inside()
        state = await client.get()
        assert (state.config.snr_db, state.fading, state.config.seed) == (12.0, "none", 4)


async def test_unknown_link_and_absent_proxy_are_typed() -> None:
    async with bench() as parts, channel_client(parts.proxy.address) as client:
        for question in (client.get("moon"), client.stats("moon"), client.reset("moon"), client.set("moon")):
            with pytest.raises(UnknownLink, match="no link 'moon'; there are default"):
                await question
    async with channel_client("127.0.0.1:1") as client:
        with pytest.raises(LinkLost, match=r"the channel at 127\.0\.0\.1:1"):
            await client.get()


def test_every_impairment_has_its_message_with_the_same_fields() -> None:
    kinds = channel_pb2.Impairment.DESCRIPTOR.fields
    assert {field.name for field in kinds} == set(IMPAIRMENTS)
    for field in kinds:
        assert field.message_type is not None
        parameters = set(IMPAIRMENTS[field.name].model_fields) - {"kind"}
        assert {each.name for each in field.message_type.fields} == parameters
        assert all(each.has_presence or each.is_repeated for each in field.message_type.fields)


@pytest.mark.parametrize("kind", sorted(IMPAIRMENTS))
def test_configuration_survives_the_way_through_a_message(kind: str) -> None:
    config = checked_config({"snr_db": -3.25, "seed": 2**62, "impairments": [{"kind": kind}, {"kind": kind}]})
    message = channel_pb2.LinkConfig.FromString(config_message("x", config).SerializeToString())
    assert checked_config(config_fields(message)) == config


@pytest.mark.parametrize(("flag", "value"), [("snr_db", 1000.0), ("fading", "rain"), ("seed", -2)])
async def test_proxy_does_not_start_with_a_bad_link(flag: str, value: Any) -> None:
    with pytest.raises(DeepscError, match=str(value)):
        async with bench(**{flag: value}):
            pass


async def test_strongest_noise_and_weakest_stay_finite() -> None:
    async with bench() as parts, channel_client(parts.proxy.address) as client:
        sender = await parts.sender()
        for snr_db in (-40.0, 100.0):
            await client.set(snr_db=snr_db)
            assert (await sender.exchange(unit_frame(4000))).channel.snr_db_realised == pytest.approx(snr_db, abs=0.3)
    assert all(np.isfinite(samples).all() for samples in parts.received())
