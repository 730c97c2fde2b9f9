"""What passes over the links, for Prometheus; imported only where it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from typing_extensions import override

from channel_sim.observer import StreamObserver
from channel_sim.stream import Admitted, Carried
from protos import link_pb2
from shared.errors import InvalidInput

_SNR_DB_BUCKETS = tuple(range(-20, 41, 2))
_GAIN_DB_BUCKETS = tuple(range(-40, 13, 2))
_SECONDS_BUCKETS = tuple(1e-4 * 2.0**power for power in range(14))


class Metrics(StreamObserver):
    """Counters, gauges and histograms by link, in a registry of their own.

    They count from the start of the process: a link's ``reset`` leaves them.

    Attributes:
        registry: what a scrape reads.
    """

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        by_link = ("link",)
        self._streams = Counter("deepsc_channel_streams", "Streams begun", by_link, registry=registry)
        self._open = Gauge("deepsc_channel_streams_open", "Streams open now", by_link, registry=registry)
        self._frames = Counter("deepsc_channel_frames", "Frames taken", by_link, registry=registry)
        self._samples = Counter("deepsc_channel_samples", "Samples that went through", by_link, registry=registry)
        self._lost = Counter("deepsc_channel_frames_lost", "Frames the link lost", by_link, registry=registry)
        self._erased = Counter(
            "deepsc_channel_frames_erased", "Frames reported erased, whoever lost them", by_link, registry=registry
        )
        self._declared = Gauge(
            "deepsc_channel_snr_db_declared", "Es/N0 of the latest frame", by_link, registry=registry
        )
        self._realised = Histogram(
            "deepsc_channel_snr_db_realised",
            "Es/N0 that frames got, in dB",
            by_link,
            registry=registry,
            buckets=_SNR_DB_BUCKETS,
        )
        self._gain = Histogram(
            "deepsc_channel_gain_db", "Gain of frames, in dB", by_link, registry=registry, buckets=_GAIN_DB_BUCKETS
        )
        self._added = Histogram(
            "deepsc_channel_added_seconds",
            "From taking a frame to handing it on, without the delay that was asked for",
            by_link,
            registry=registry,
            buckets=_SECONDS_BUCKETS,
        )

    @override
    def opened(self, link: str) -> None:
        self._streams.labels(link).inc()
        self._open.labels(link).inc()

    @override
    def carried(self, admitted: Admitted, carried: Carried) -> None:
        link = admitted.link
        self._frames.labels(link).inc()
        self._declared.labels(link).set(carried.truth.snr_db)
        if carried.truth.lost:
            self._lost.labels(link).inc()
            return
        self._samples.labels(link).inc(admitted.samples.size)
        self._realised.labels(link).observe(carried.truth.snr_db_realised)
        self._gain.labels(link).observe(carried.truth.gain_db)

    @override
    def delivered(self, link: str, added_s: float) -> None:
        self._added.labels(link).observe(added_s)

    @override
    def reported(self, report: link_pb2.FrameReport) -> None:
        if report.outcome == link_pb2.FRAME_OUTCOME_ERASED:
            self._erased.labels(report.channel.link).inc()

    @override
    def ended(self, link: str) -> None:
        self._open.labels(link).dec()


@contextmanager
def exposed(metrics: Metrics, host: str, port: int) -> Iterator[int]:
    """Serves the metrics over HTTP at ``/metrics`` for the length of the block; yields the port that was bound.

    Raises:
        InvalidInput: if the port cannot be listened on.
    """
    try:
        server, thread = start_http_server(port, host, metrics.registry)
    except OSError as error:
        raise InvalidInput(
            f"metrics cannot be served at {host}:{port} ({error.strerror}): choose another DEEPSC_CHANNEL_METRICS_PORT"
        ) from error
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
