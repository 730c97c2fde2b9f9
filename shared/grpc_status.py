"""Our errors as gRPC statuses and back, in one place for all services and clients.

A status carries the error's sentence as its message and a ``google.rpc.ErrorInfo`` (AIP-193) with the error's stable
reason, so that a client in any language can branch on the reason without reading the sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NoReturn

import grpc
import grpc.aio
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from shared.errors import DeepscError, InvalidInput, LinkLost, Overloaded, PeerFault, UnknownStream, WeightsMissing

DOMAIN = "deepsc"
"""``ErrorInfo.domain`` of every status made here."""

_DETAILS_KEY = "grpc-status-details-bin"

# What grpc.aio makes up when a write meets a call that the peer has just ended; the peer's own status is lost then.
_BROKE_OFF = "Internal error from Core"

_BY_CODE: Mapping[grpc.StatusCode, type[DeepscError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidInput,
    grpc.StatusCode.OUT_OF_RANGE: InvalidInput,
    grpc.StatusCode.NOT_FOUND: UnknownStream,
    grpc.StatusCode.FAILED_PRECONDITION: WeightsMissing,
    grpc.StatusCode.UNAVAILABLE: LinkLost,
    grpc.StatusCode.CANCELLED: LinkLost,
    grpc.StatusCode.DEADLINE_EXCEEDED: LinkLost,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Overloaded,
}


async def abort(context: grpc.aio.ServicerContext, error: DeepscError) -> NoReturn:  # type: ignore[type-arg]
    """Ends the call with the error's status, sentence and reason."""
    await _abort(context, grpc.StatusCode[error.status], error.message, error.reason, {})


async def abort_internal(context: grpc.aio.ServicerContext, correlation_id: str) -> NoReturn:  # type: ignore[type-arg]
    """Ends the call with INTERNAL and a reference into the service's log: the peer learns nothing else of a bug."""
    message = f"the service failed inside; its log has the details under {correlation_id}"
    details = {"correlation_id": correlation_id}
    await _abort(context, grpc.StatusCode.INTERNAL, message, PeerFault.reason, details)


async def _abort(
    context: grpc.aio.ServicerContext,  # type: ignore[type-arg]
    code: grpc.StatusCode,
    message: str,
    reason: str,
    metadata: Mapping[str, str],
) -> NoReturn:
    number: int = code.value[0]
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason=reason, domain=DOMAIN, metadata=dict(metadata)))
    status = status_pb2.Status(code=number, message=message, details=[info])
    await context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort_with_status always raises")


def error_from(failure: grpc.aio.AioRpcError, peer: str = "the peer") -> DeepscError:
    """The error that a failed call stands for: by the reason in its details, else by its status code.

    Args:
        failure: what the call raised.
        peer: who was called, for the sentence where gRPC itself failed: ``"the receiver at 127.0.0.1:50053"``.
    """
    code, message = failure.code(), failure.details() or ""
    reason = _reason(failure)
    if reason is not None:
        return _by_reason().get(reason, _BY_CODE.get(code, PeerFault))(message)
    if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED):
        return LinkLost(f"{peer} went away or cannot be reached; start it and try again ({message})")
    if code is grpc.StatusCode.INTERNAL and message == _BROKE_OFF:
        return LinkLost(f"{peer} ended the call while something was being sent to it; try again")
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return LinkLost(f"{peer} did not answer in time; try again")
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return PeerFault(f"{peer} does not offer this call; is the address right? ({message})")
    return _BY_CODE.get(code, PeerFault)(f"{peer} answered {code.name}: {message}")


@contextmanager
def errors_of(peer: str) -> Iterator[None]:
    """Turns what calls to ``peer`` raise inside the block into our errors.

    Raises:
        DeepscError: the subclass that the peer's status stands for.
    """
    try:
        yield
    except grpc.aio.AioRpcError as failure:
        raise error_from(failure, peer) from failure


def _reason(failure: grpc.aio.AioRpcError) -> str | None:
    for key, value in failure.trailing_metadata() or ():
        if key == _DETAILS_KEY and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info) and info.domain == DOMAIN:
                    return str(info.reason)
    return None


def _by_reason() -> dict[str, type[DeepscError]]:
    """Every class of the tree by its reason; the one nearest the root wins where two share it."""
    found: dict[str, type[DeepscError]] = {}
    level: list[type[DeepscError]] = [DeepscError]
    while level:
        for cls in level:
            found.setdefault(cls.reason, cls)
        level = [below for cls in level for below in cls.__subclasses__()]
    return found
