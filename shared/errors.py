"""Everything that can go wrong for a reason a caller should hear about, as one tree.

Each class names the gRPC status it becomes at a service's border, and each message says what to do about it.

::

    DeepscError
    ├── InvalidInput                INVALID_ARGUMENT
    │   ├── ImageError              not an image, too large, truncated
    │   │   └── FaceError           none, several, too small, turned too far
    │   ├── InstructionError        empty, outside the attributes, contradictory
    │   │   └── UnclearInstruction  understood too uncertainly to be followed unasked
    │   └── SampleError             NaN or infinite samples, wrong sizes, wrong order
    ├── UnknownStream               NOT_FOUND
    ├── UnknownLink                 NOT_FOUND
    ├── UnknownVersion              NOT_FOUND
    ├── StaleVersion                FAILED_PRECONDITION
    ├── NotAllowed                  FAILED_PRECONDITION
    ├── WeightsMissing              FAILED_PRECONDITION
    │   └── WeightsCorrupt          a file whose SHA-256 is not the pinned one
    ├── CodecMismatch               FAILED_PRECONDITION
    ├── LinkLost                    UNAVAILABLE
    ├── Overloaded                  RESOURCE_EXHAUSTED
    └── PeerFault                   INTERNAL

All that a service raises stands here: an error that passes through another service is rebuilt there from its reason.
"""

from __future__ import annotations

from typing import ClassVar, Literal

StatusName = Literal[
    "INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "UNAVAILABLE", "RESOURCE_EXHAUSTED", "INTERNAL"
]


class DeepscError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: one sentence for the person at the other end: what is wrong and what to do.
    """

    status: ClassVar[StatusName] = "INVALID_ARGUMENT"
    #: A stable machine-readable name of the reason, carried in the gRPC status details.
    reason: ClassVar[str] = "ERROR"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInput(DeepscError):
    """The caller sent something that cannot be used as it is."""

    reason = "INVALID_INPUT"


class ImageError(InvalidInput):
    """The bytes are not a picture that can be opened within the limits."""

    reason = "IMAGE"


class FaceError(ImageError):
    """The picture opens, but holds no face that can be aligned."""

    reason = "FACE"


class InstructionError(InvalidInput):
    """The sentence is empty, outside the attributes, or contradicts itself."""

    reason = "INSTRUCTION"


class UnclearInstruction(InstructionError):
    """The sentence probably means something that can be done, but not certainly enough to do it unasked."""

    reason = "UNCLEAR"


class SampleError(InvalidInput):
    """A frame's samples are not finite, not of the declared count, or out of order."""

    reason = "SAMPLES"


class UnknownStream(DeepscError):
    """No such stream any more: it was silent for too long."""

    status = "NOT_FOUND"
    reason = "UNKNOWN_STREAM"


class UnknownLink(DeepscError):
    """The channel has no link of that name; the message lists those that are there."""

    status = "NOT_FOUND"
    reason = "UNKNOWN_LINK"


class UnknownVersion(DeepscError):
    """No such version of a link's configuration; the message says which are kept."""

    status = "NOT_FOUND"
    reason = "UNKNOWN_VERSION"


class StaleVersion(DeepscError):
    """Somebody else changed the link in between; get it again and decide anew."""

    status = "FAILED_PRECONDITION"
    reason = "STALE_VERSION"


class NotAllowed(DeepscError):
    """The service was not started in a way that allows this."""

    status = "FAILED_PRECONDITION"
    reason = "NOT_ALLOWED"


class WeightsMissing(DeepscError):
    """A model file is not there; ``deepsc models pull`` brings it."""

    status = "FAILED_PRECONDITION"
    reason = "WEIGHTS_MISSING"


class WeightsCorrupt(WeightsMissing):
    """A model file is there but is not the one that was pinned."""

    reason = "WEIGHTS_CORRUPT"


class CodecMismatch(DeepscError):
    """The two ends were started with different codecs."""

    status = "FAILED_PRECONDITION"
    reason = "CODEC_MISMATCH"


class LinkLost(DeepscError):
    """The next hop went away in the middle; the conversation can be started again."""

    status = "UNAVAILABLE"
    reason = "LINK_LOST"


class Overloaded(DeepscError):
    """A bound was reached: too many conversations, or a peer sent beyond its credits."""

    status = "RESOURCE_EXHAUSTED"
    reason = "OVERLOADED"


class PeerFault(DeepscError):
    """The peer failed inside; its log has the details under the reference that the message names."""

    status = "INTERNAL"
    reason = "INTERNAL"
