"""The codecs both ends know, by name and by the number that a frame's header carries."""

from __future__ import annotations

from typing import Literal, get_args

from shared.codec.basis import LatentBasis
from shared.codec.belief import CoefficientCodec
from shared.codec.change import ChangeSpace
from shared.codec.codec import SemanticCodec
from shared.codec.followup import FollowUps, GaussianFollowUps
from shared.codec.linear import LinearCodec
from shared.weights import committed

CodecName = Literal["linear-mse", "linear"]
CODEC_NAMES: tuple[CodecName, ...] = get_args(CodecName)

#: The linear code by least latent error (the reference), and by least error weighed with what is seen.
_BASES: dict[CodecName, str] = {"linear-mse": "basis_mse.safetensors", "linear": "basis_seen.safetensors"}


def load_codec(name: CodecName = "linear") -> SemanticCodec:
    """The codec called ``name``, with its committed weights.

    Raises:
        WeightsMissing: if they are not in the tree.
    """
    return LinearCodec(LatentBasis.load(committed(_BASES[name])), codec_id=CODEC_NAMES.index(name))


def load_follow_ups(codec: SemanticCodec) -> FollowUps:
    """What codes the frames after ``codec``'s key frames, over the committed edit directions.

    Raises:
        WeightsMissing: if they are not in the tree.
    """
    if not isinstance(codec, CoefficientCodec):
        raise TypeError("follow-up frames need a codec with a basis and a plan")
    return GaussianFollowUps(codec, ChangeSpace.load(committed("directions.safetensors")))
