"""Asks a service whether it is serving (grpc.health.v1): ``python -m shared.healthcheck HOST:PORT``, status 0 if so."""

from __future__ import annotations

import sys

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc


def is_serving(address: str, timeout_s: float = 3.0) -> bool:
    """Whether the service at ``address`` says SERVING within ``timeout_s`` seconds."""
    with grpc.insecure_channel(address) as channel:
        try:
            answer = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=timeout_s)
        except grpc.RpcError:
            return False
    return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


if __name__ == "__main__":
    sys.exit(0 if len(sys.argv) == 2 and is_serving(sys.argv[1]) else 1)
