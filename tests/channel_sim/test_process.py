"""The proxy as a process: what it imports, how it is told things, killed neighbours, and the signal to stop."""

import asyncio
import signal
import sys

import grpc.aio
import pytest

from shared.errors import LinkLost
from shared.transport import connect
from tests.channel_sim.bench import Sender, unit_frame
from tests.runtime.process import process

FAKE = "tests.channel_sim.fake_receiver"


async def test_killed_receiver_ends_streams_typed_and_its_return_is_found_without_a_restart() -> None:
    async with process(FAKE, "--port", "0") as (receiver, receiver_address):
        settings = {"DEEPSC_CHANNEL_PORT": "0", "DEEPSC_CHANNEL_TARGET": receiver_address}
        async with process("channel_sim", env=settings) as (_, address), connect(address) as channel:
            sender = Sender(channel, "before")
            await sender.open()
            await sender.exchange(unit_frame())
            receiver.kill()
            with pytest.raises(LinkLost, match="the receiver at"):
                await asyncio.wait_for(sender.report(), 5)
            assert await sender.call.code() is grpc.StatusCode.UNAVAILABLE
            async with process(FAKE, "--port", receiver_address.rpartition(":")[2]):
                after = Sender(channel, "after")
                await after.open()
                assert (await after.exchange(unit_frame())).sequence == 1


async def test_killed_proxy_is_a_lost_link_for_the_sender_and_the_receiver_lives_on() -> None:
    async with process(FAKE, "--port", "0") as (receiver, target):
        flags = ("channel_sim", "--port", "0", "--target", target)
        async with process(*flags) as (proxy, address), connect(address) as channel:
            sender = Sender(channel, "s")
            await sender.open()
            proxy.kill()
            with pytest.raises(LinkLost):
                await asyncio.wait_for(sender.report(), 5)
        async with process(*flags) as (_, address), connect(address) as channel:
            sender = Sender(channel, "s")
            await sender.open()
            assert (await sender.exchange(unit_frame())).sequence == 1
        assert receiver.returncode is None


async def test_sigterm_ends_open_streams_with_unavailable_and_exits_with_status_0() -> None:
    async with (
        process(FAKE, "--port", "0") as (_, target),
        process("channel_sim", "--port", "0", "--target", target) as (proxy, address),
        connect(address) as channel,
    ):
        sender = Sender(channel, "s")
        await sender.open()
        await sender.exchange(unit_frame())
        proxy.send_signal(signal.SIGTERM)
        with pytest.raises(LinkLost, match="the channel is stopping"):
            await sender.report()
        assert await asyncio.wait_for(proxy.wait(), 5) == 0


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--snr-db", "much"), "--snr-db (DEEPSC_CHANNEL_SNR_DB) is 'much'"),
        (("--fading", "rain"), "no fading 'rain'"),
        (("--target", "nowhere"), "not host:port"),
    ],
)
async def test_bad_flag_ends_the_process_with_status_2_and_a_sentence(flags: tuple[str, ...], sentence: str) -> None:
    async with process("channel_sim", "--port", "0", *flags) as (proxy, address):
        assert address == ""
        _, errors = await proxy.communicate()
    assert proxy.returncode == 2
    assert sentence in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_proxy_knows_of_no_neural_network_and_no_other_service() -> None:
    program = "import sys, channel_sim.__main__, channel_sim.client; print(' '.join(sys.modules))"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE)
    output, _ = await child.communicate()
    loaded = {name.partition(".")[0] for name in output.decode().split()}
    assert "numpy" in loaded
    assert not loaded & {
        "torch",
        "transformers",
        "openvino",
        "onnxruntime",
        "cv2",
        "scipy",
        "PIL",
        "transmitter",
        "receiver",
    }
