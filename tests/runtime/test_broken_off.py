from __future__ import annotations

import grpc
import grpc.aio
import pytest

from shared.errors import LinkLost, PeerFault
from shared.grpc_status import error_from


def failure(details: str) -> grpc.aio.AioRpcError:
    empty = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, empty, empty, details)


@pytest.mark.parametrize(("details", "error"), [("Internal error from Core", LinkLost), ("a bug", PeerFault)])
def test_a_write_that_met_the_end_of_its_call_is_a_lost_link_and_not_the_peers_fault(details, error):
    assert type(error_from(failure(details), "the receiver")) is error
