"""The life of one gRPC service: assembled, bound, announced, serving, drained, gone.

A service is an async context manager that builds its parts and yields an :class:`Assembly`; what it opens around the
``yield`` (channels to other services, executors) is open for exactly as long as the server runs::

    @asynccontextmanager
    async def assemble(settings: ChannelSettings) -> AsyncIterator[Assembly]:
        async with connect(settings.target) as downstream:
            link = LinkProxy(downstream)
            yield Assembly(
                endpoints=(Endpoint(link_pb2.DESCRIPTOR.services_by_name["Link"].full_name,
                                    partial(add_LinkServicer_to_server, link)),),
                drain=(link.drain,),
            )

    serve(settings, assemble)                          # a program: signals, logs, announcement
    async with running(settings, assemble) as service:  # a test: service.address

Each process runs one event loop and must not fork once it is inside: gRPC does not survive it.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import TypeVar

import grpc.aio
import structlog
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from shared.errors import DeepscError, InvalidInput
from shared.guard import CallGuard
from shared.logs import configure_logs
from shared.settings import ServiceSettings
from shared.transport import server_options

_log = structlog.get_logger()

SettingsT = TypeVar("SettingsT", bound=ServiceSettings)

# Time for the last statuses to leave after the drain; only watchers of the health service make use of all of it.
_FAREWELL_SECONDS = 0.5


@dataclass(frozen=True)
class Endpoint:
    """One gRPC service offered by the process.

    Attributes:
        name: full protobuf name, such as ``deepsc.v1.Link``; health and reflection list it.
        register: adds the servicer to a server.
    """

    name: str
    register: Callable[[grpc.aio.Server], None]


@dataclass(frozen=True)
class Assembly:
    """The parts of a service.

    Attributes:
        endpoints: what it offers.
        drain: called once each, all at the same time, when the service is asked to stop. New calls are refused by
            then; a hook makes the servicer's streams end by themselves, after finishing what was acknowledged, and
            returns when that is done. It is cancelled after ``drain_seconds``.
    """

    endpoints: tuple[Endpoint, ...]
    drain: tuple[Callable[[], Awaitable[None]], ...] = field(default=())


Assemble = Callable[[SettingsT], AbstractAsyncContextManager[Assembly]]


class Service:
    """A service that is bound and serving.

    Attributes:
        address: ``host:port`` that was really bound.
    """

    def __init__(
        self,
        address: str,
        server: grpc.aio.Server,
        guard: CallGuard,
        health_check: health.aio.HealthServicer,
        assembly: Assembly,
    ) -> None:
        self.address = address
        self._server = server
        self._guard = guard
        self._health = health_check
        self._hooks = assembly.drain
        self._hurried = asyncio.Event()

    def hurry(self) -> None:
        """Cuts the drain short, now or when it begins."""
        self._hurried.set()

    async def stop(self, drain_seconds: float) -> None:
        """Drains and stops: NOT_SERVING, no new calls, hooks, calls under way, all within ``drain_seconds``.

        Calls that are still under way after that are cut off, and their callers see UNAVAILABLE.
        """
        started = time.monotonic()
        await self._health.enter_graceful_shutdown()
        self._guard.refuse_new_calls()
        _log.info("draining", calls=self._guard.under_way)
        drained = asyncio.create_task(self._drain())
        hurried = asyncio.create_task(self._hurried.wait())
        await asyncio.wait((drained, hurried), timeout=drain_seconds, return_when=asyncio.FIRST_COMPLETED)
        if not drained.done():
            _log.warning("drain cut short", calls=self._guard.under_way, drain_seconds=drain_seconds)
        hurried.cancel()
        drained.cancel()
        await asyncio.wait((drained, hurried))
        await self._server.stop(None if self._guard.under_way else _FAREWELL_SECONDS)
        _log.info("stopped", after_ms=round(1e3 * (time.monotonic() - started)))

    async def _drain(self) -> None:
        outcomes = await asyncio.gather(*(hook() for hook in self._hooks), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                _log.error("drain hook failed", exc_info=outcome)
        await self._guard.idle()


@asynccontextmanager
async def running(settings: SettingsT, assemble: Assemble[SettingsT]) -> AsyncIterator[Service]:
    """Runs a service inside the current event loop, and drains it when the block ends.

    Raises:
        InvalidInput: if the address cannot be listened on.
    """
    async with assemble(settings) as assembly:
        guard = CallGuard()
        server = grpc.aio.server(interceptors=[guard], options=server_options(settings.max_message_bytes))
        health_check = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(health_check, server)
        for endpoint in assembly.endpoints:
            endpoint.register(server)
            await health_check.set(endpoint.name, health_pb2.HealthCheckResponse.SERVING)
        names = [endpoint.name for endpoint in assembly.endpoints]
        reflection.enable_server_reflection([*names, health.SERVICE_NAME, reflection.SERVICE_NAME], server)
        service = Service(_bind(server, settings), server, guard, health_check, assembly)
        await server.start()
        try:
            yield service
        finally:
            await service.stop(settings.drain_seconds)


def serve(settings: SettingsT, assemble: Assemble[SettingsT]) -> int:
    """Runs a service as this process until SIGTERM or SIGINT; a second signal ends the drain at once.

    Once it is serving, one line on standard output tells a parent process where:
    ``{"service": "channel", "address": "127.0.0.1:50052"}``. Logs go to standard error.

    Returns:
        The exit status: 0 after a drain, 2 if the service could not start with its settings, 1 if it could not for
        another reason, such as a missing model.
    """
    configure_logs(settings.service, settings.log_level, settings.log_format)
    try:
        asyncio.run(_until_signalled(settings, assemble))
    except DeepscError as error:
        _log.error("cannot start", message=error.message)
        return 2 if isinstance(error, InvalidInput) else 1
    return 0


async def _until_signalled(settings: SettingsT, assemble: Assemble[SettingsT]) -> None:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    async with running(settings, assemble) as service:

        def on_signal() -> None:
            if asked.is_set():
                service.hurry()
            asked.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal)
        announcement = json.dumps({"service": settings.service, "address": service.address})
        print(announcement, file=sys.stdout, flush=True)
        _log.info("serving", address=service.address, settings=settings.model_dump(mode="json"))
        await asked.wait()


def _bind(server: grpc.aio.Server, settings: ServiceSettings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    try:
        port = server.add_insecure_port(f"{host}:{settings.port}")
    except RuntimeError as error:
        raise InvalidInput(
            f"cannot listen on {host}:{settings.port}: the port is taken or the host is not this machine's; "
            f"choose another with DEEPSC_{settings.service.upper()}_PORT, or 0 for a free one"
        ) from error
    return f"{host}:{port}"
