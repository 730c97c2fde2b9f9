"""The real blocks of the receiver, with their weights: the one place that knows which they are."""

from __future__ import annotations

from receiver.assemble import ReceiverParts
from receiver.settings import ReceiverSettings
from shared.codec.catalogue import load_codec, load_follow_ups
from shared.degree_predictor import DegreePredictor
from shared.prior.backend import make_backend
from shared.weights import committed


def load_parts(settings: ReceiverSettings) -> ReceiverParts:
    """All blocks.

    Raises:
        WeightsMissing: if a model is not there.
    """
    codec = load_codec(settings.codec, settings.adapters)
    return ReceiverParts(
        codec=codec,
        follow_ups=load_follow_ups(codec),
        backend=make_backend(),
        predictor=DegreePredictor.load(committed("degrees.safetensors")),
    )
