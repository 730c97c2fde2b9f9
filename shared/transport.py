"""gRPC transport options that both ends must agree on, and the one way to connect to a service."""

from __future__ import annotations

import grpc.aio

ChannelOptions = list[tuple[str, int]]


def server_options(max_message_bytes: int) -> ChannelOptions:
    """Options of every server of this project."""
    return [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        # Without this a second server on the same port starts silently and the kernel deals out the callers.
        ("grpc.so_reuseport", 0),
        # The clients below ping every 20 s; gRPC's default of 5 minutes would drop them as too many pings.
        ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.keepalive_time_ms", 20_000),
        ("grpc.keepalive_timeout_ms", 10_000),
    ]


def connect(target: str, max_message_bytes: int = 16 * 2**20) -> grpc.aio.Channel:
    """Opens a channel to ``host:port``; must be called inside the event loop that uses it.

    A peer that was killed is found again within a second: gRPC's own back-off would wait up to two minutes. A peer that
    vanished without closing its connection is given up after 30 s without an answer to a ping.
    """
    return grpc.aio.insecure_channel(
        target,
        options=[
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.max_send_message_length", max_message_bytes),
            ("grpc.initial_reconnect_backoff_ms", 100),
            # Despite its name the time a connection may take to come about; a refused one fails at once all the same.
            ("grpc.min_reconnect_backoff_ms", 5_000),
            ("grpc.max_reconnect_backoff_ms", 1_000),
            # Two channels to one peer stay two connections, each with its own back-off.
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.keepalive_time_ms", 20_000),
            ("grpc.keepalive_timeout_ms", 10_000),
            ("grpc.http2.max_pings_without_data", 0),
        ],
    )
