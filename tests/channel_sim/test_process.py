"""The proxy as a process: what it imports, how it is told things, killed neighbours, and the signal to stop."""

import asyncio
import resource
import signal
import sys
from hashlib import sha256
from pathlib import Path

import grpc.aio
import pytest

from channel_sim.config import LinkConfig
from channel_sim.randomness import FrameContext
from shared.errors import LinkLost
from shared.phy.cf32 import to_bytes
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


async def test_a_hundred_streams_at_once_keep_to_themselves_and_memory_stays_bounded() -> None:
    """Each stream gets the very bytes that it gets alone, and the proxy holds no more than credits allow."""
    streams, frames, samples = 100, 12, 4000
    frame = unit_frame(samples)
    chain = LinkConfig(snr_db=9.0, seed=3).with_fading("rayleigh").chain()

    def alone(stream_id: str, sequence: int) -> bytes:
        context = FrameContext(3, stream_id, sequence, (sequence - 1) * samples / 1e6)
        return sha256(to_bytes(chain.pass_through(frame, context).samples)).digest()

    async def stream(channel: grpc.aio.Channel, stream_id: str) -> list[bytes]:
        sender = Sender(channel, stream_id)
        granted = (await sender.open()).credits
        hashes: list[bytes] = []
        for index in range(frames):
            if index >= granted:
                hashes.append((await sender.report()).received_sha256)
            await sender.send(frame)
        return [*hashes, *[(await sender.report()).received_sha256 for _ in range(granted)]]

    flags = ("--snr-db", "9", "--fading", "rayleigh", "--seed", "3")
    async with (
        process(FAKE, "--port", "0") as (_, target),
        process("channel_sim", "--port", "0", "--target", target, *flags) as (proxy, address),
        connect(address) as channel,
    ):
        before = resident_bytes(proxy.pid)
        found = await asyncio.gather(*(stream(channel, f"s{index}") for index in range(streams)))
        grown = resident_bytes(proxy.pid) - before
    for index, hashes in enumerate(found):
        assert hashes == [alone(f"s{index}", sequence) for sequence in range(1, frames + 1)]
    # 100 streams of at most 4 frames of 32 kB each, in and out, and what gRPC keeps for a hundred calls.
    assert grown < 100 * 2**20


def resident_bytes(pid: int) -> int:
    pages = Path(f"/proc/{pid}/statm").read_text().split()[1]
    return int(pages) * resource.getpagesize()


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
        "sigmf",
        "sionna",
        "matplotlib",
        "prometheus_client",
        "transmitter",
        "receiver",
    }
