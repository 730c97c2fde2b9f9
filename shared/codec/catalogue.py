"""The codecs both ends know, by name and by the number that a frame's header carries."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args

from shared.codec.adapters import NO_ADAPTERS, Adapters
from shared.codec.basis import LatentBasis
from shared.codec.belief import CoefficientCodec
from shared.codec.change import ChangeSpace
from shared.codec.codec import SemanticCodec
from shared.codec.followup import FollowUps, GaussianFollowUps
from shared.codec.joint import JointCodec
from shared.codec.linear import LinearCodec
from shared.codec.networks import JointNetworks
from shared.codec.perceptual import PerceptualBasis
from shared.errors import InvalidInput
from shared.weights import committed

CodecName = Literal["linear-mse", "linear", "perceptual", "jecc"]
CODEC_NAMES: tuple[CodecName, ...] = get_args(CodecName)

#: The linear code by least latent error (the reference), and by least error weighed with what is seen.
_BASES: dict[str, str] = {"linear-mse": "basis_mse.safetensors", "linear": "basis_seen.safetensors"}


def load_codec(name: CodecName = "jecc", adapters: Path | None = None, networks: Path | None = None) -> SemanticCodec:
    """The codec called ``name``, with its committed weights.

    Args:
        name: ``linear-mse``: least latent error, the reference; ``linear``: the same weighed by what is seen of each
            coefficient; ``perceptual``: linear, in coordinates in which errors are seen independently; ``jecc``:
            those, and folds of the strongest.
        adapters: pairs for ``jecc``, the same file at both ends.
        networks: trained networks for ``jecc``; without them it is what can be worked out in closed form.

    Raises:
        WeightsMissing: if they are not in the tree.
        InvalidInput: if another codec is to have adapters or networks.
    """
    if name != "jecc" and (adapters or networks):
        raise InvalidInput(f"adapters and networks belong to the codec jecc, not to {name}")
    codec_id = CODEC_NAMES.index(name)
    if name in _BASES:
        return LinearCodec(LatentBasis.load(committed(_BASES[name])), codec_id)
    basis = PerceptualBasis.load(committed("basis_perceptual.safetensors"))
    if name == "perceptual":
        return LinearCodec(basis, codec_id)
    pairs = Adapters.load(adapters) if adapters else NO_ADAPTERS
    learned = JointNetworks.load(networks, pairs) if networks else JointNetworks(pairs).eval().requires_grad_(False)
    return JointCodec(basis, learned, codec_id)


def load_follow_ups(codec: SemanticCodec) -> FollowUps:
    """What codes the frames after ``codec``'s key frames, over the committed space of edits.

    Raises:
        WeightsMissing: if they are not in the tree.
    """
    if not isinstance(codec, CoefficientCodec):
        raise TypeError("follow-up frames need a codec with a basis and a plan")
    return GaussianFollowUps(codec, ChangeSpace.load(committed("edit_space.safetensors")))
