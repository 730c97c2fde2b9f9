"""What every call to a service goes through: refused while draining, counted, its errors turned into statuses.

Because of this interceptor a servicer simply raises :class:`~shared.errors.DeepscError`; anything else that escapes is
a bug, which the peer sees as INTERNAL with a reference into the log and nothing more.
"""

from __future__ import annotations

import asyncio
import inspect
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import grpc
import grpc.aio
import structlog

from shared.errors import DeepscError, LinkLost
from shared.grpc_status import abort, abort_internal

_log = structlog.get_logger()


class CallGuard(grpc.aio.ServerInterceptor):
    """Wraps the handlers of a service's own calls; health and reflection pass untouched and answer to the end."""

    def __init__(self) -> None:
        self._under_way = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._draining = False

    @property
    def under_way(self) -> int:
        """Calls that have begun and not ended."""
        return self._under_way

    def refuse_new_calls(self) -> None:
        """From now on new calls end with UNAVAILABLE; those under way go on."""
        self._draining = True

    async def idle(self) -> None:
        """Returns when no call is under way."""
        await self._idle.wait()

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Any]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Any:
        handler = await continuation(handler_call_details)
        method: str = handler_call_details.method
        if handler is None or method.startswith("/grpc."):
            return handler
        if handler.response_streaming:
            return self._streaming(method, handler)
        return self._unary(method, handler)

    def _unary(self, method: str, handler: Any) -> Any:
        inner = handler.stream_unary if handler.request_streaming else handler.unary_unary

        async def call(request: Any, context: Any) -> Any:
            async with self._guarded(method, context):
                return await inner(request, context)

        wrap = (
            grpc.stream_unary_rpc_method_handler if handler.request_streaming else grpc.unary_unary_rpc_method_handler
        )
        return wrap(call, handler.request_deserializer, handler.response_serializer)

    def _streaming(self, method: str, handler: Any) -> Any:
        inner = handler.stream_stream if handler.request_streaming else handler.unary_stream

        async def call(request: Any, context: Any) -> None:
            async with self._guarded(method, context):
                if not inspect.isasyncgenfunction(inner):
                    await inner(request, context)
                    return
                # Closed here rather than by the garbage collector: a cancelled call gives its resources back at once.
                async with aclosing(inner(request, context)) as responses:
                    async for response in responses:
                        await context.write(response)

        wrap = (
            grpc.stream_stream_rpc_method_handler if handler.request_streaming else grpc.unary_stream_rpc_method_handler
        )
        return wrap(call, handler.request_deserializer, handler.response_serializer)

    @asynccontextmanager
    async def _guarded(self, method: str, context: Any) -> AsyncIterator[None]:
        if self._draining:
            await abort(context, LinkLost("the service is stopping; try again when it is back"))
        self._under_way += 1
        self._idle.clear()
        try:
            yield
        except DeepscError as error:
            _log.info("call refused", method=method, reason=error.reason, message=error.message)
            await abort(context, error)
        except grpc.aio.AbortError:
            raise
        except Exception:
            correlation_id = uuid.uuid4().hex[:12]
            _log.exception("call failed inside", method=method, correlation_id=correlation_id)
            await abort_internal(context, correlation_id)
        finally:
            self._under_way -= 1
            if not self._under_way:
                self._idle.set()
