"""Building the receiver from its settings: the one place that knows which real parts there are."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from protos import link_pb2, receiver_pb2
from protos.link_pb2_grpc import add_LinkServicer_to_server
from protos.receiver_pb2_grpc import add_ReceiverServicer_to_server
from receiver.faces import LastFaces
from receiver.rendering import Renderer
from receiver.service import ReceiverLink, ReceiverWatch
from receiver.settings import ReceiverSettings
from receiver.streams import Streams
from receiver.watchers import Watchers
from shared.attribute_predictor import AttributePredictor
from shared.codec.codec import SemanticCodec
from shared.codec.followup import FollowUps
from shared.runtime import Assembly, Endpoint

if TYPE_CHECKING:
    from shared.prior.backend import InferenceBackend


@dataclass(frozen=True)
class ReceiverParts:
    """What the receiver is made of beside its own plumbing.

    Attributes:
        codec: symbols of a key frame to latent.
        follow_ups: symbols of the frames after it.
        backend: latent to picture.
        predictor: picture to degrees.
    """

    codec: SemanticCodec
    follow_ups: FollowUps
    backend: InferenceBackend
    predictor: AttributePredictor


@asynccontextmanager
async def assemble(
    load_parts: Callable[[ReceiverSettings], ReceiverParts], settings: ReceiverSettings
) -> AsyncIterator[Assembly]:
    """The receiver, ready to be served.

    Args:
        load_parts: makes the parts from the settings.
        settings: its settings.

    Raises:
        WeightsMissing: if a model is not there.
    """
    parts = load_parts(settings)
    # Decoding takes milliseconds and must not wait behind drawings, which take up to a second.
    with (
        ThreadPoolExecutor(1, "decode") as decoding,
        ThreadPoolExecutor(settings.render_workers, "render") as rendering,
    ):
        watchers = Watchers(settings.max_watchers, settings.watch_bound)
        streams = Streams(
            parts.codec,
            parts.follow_ups,
            decoding,
            Renderer(parts.backend, parts.predictor, rendering),
            LastFaces(settings.remembered_faces, settings.face_idle_seconds),
            watchers,
            limit=settings.max_streams,
            drawing_bound=settings.drawing_bound,
            max_samples=settings.max_samples,
        )
        link = ReceiverLink(streams, settings.credits, settings.max_samples)
        watch = ReceiverWatch(streams, watchers, settings.resolution)

        async def drain() -> None:
            await link.drain()
            await watch.drain()

        yield Assembly(
            endpoints=(
                Endpoint(
                    link_pb2.DESCRIPTOR.services_by_name["Link"].full_name, partial(add_LinkServicer_to_server, link)
                ),
                Endpoint(
                    receiver_pb2.DESCRIPTOR.services_by_name["Receiver"].full_name,
                    partial(add_ReceiverServicer_to_server, watch),
                ),
            ),
            drain=(drain,),
        )
