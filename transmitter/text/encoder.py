"""The network behind the parser: MiniLM with a small trained update, and heads that look at each attribute separately.

A sentence may ask for several things, so its tokens are not averaged: one learned query per attribute, and one for the
sentence as a whole, attends to the tokens that speak about it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from shared.attributes import attribute_names
from shared.errors import WeightsCorrupt, WeightsMissing
from transmitter.text.labels import ACTIONS, AMOUNTS, KINDS, TARGET_CLASSES

WIDTH = 384
ATTENTION_HEADS = 6
HIDDEN = 128
#: Rank of the trained update of each matrix: 0.44 M numbers in all, beside MiniLM's 22.7 M frozen ones.
RANK = 16
#: The layers below this one stay as they are: they read words, and training is quicker without them.
FIRST_ADAPTED = 2
_ADAPTED = ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense")
_ADAPTED_FEED_FORWARD = ("intermediate.dense", "output.dense")


class Scores(NamedTuple):
    """Logits for a batch of B sentences and A attributes.

    Shapes: ``action (B, A, 6)``, ``amount (B, A, 5)``, ``target (B, A, 7)``, ``kind (B, 9)``, ``foreign (B,)``,
    ``reference_amount (B, 5)``; the classes are those of `transmitter.text.labels`.
    """

    action: Tensor
    amount: Tensor
    target: Tensor
    kind: Tensor
    foreign: Tensor
    reference_amount: Tensor


class TextHeads(nn.Module):
    """Attention pooling per attribute, then small classifiers.

    Shapes: tokens ``(B, T, 384)`` and mask ``(B, T)`` (True where a token is) -> `Scores`.
    """

    def __init__(self, attributes: int | None = None) -> None:
        super().__init__()
        self.attributes = len(attribute_names()) if attributes is None else attributes
        queries = self.attributes + 1  # the last one looks at the sentence as a whole
        self.queries = nn.Parameter(torch.randn(queries, WIDTH) * 0.05)
        self.keys = nn.Linear(WIDTH, WIDTH)
        self.values = nn.Linear(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.trunk = _Banked(queries, WIDTH, HIDDEN)
        self.action = _Banked(self.attributes, HIDDEN, len(ACTIONS))
        self.amount = _Banked(self.attributes, HIDDEN, len(AMOUNTS))
        self.target = _Banked(self.attributes, HIDDEN, TARGET_CLASSES)
        self.kind = nn.Linear(HIDDEN, len(KINDS))
        self.foreign = nn.Linear(HIDDEN, 1)
        self.reference_amount = nn.Linear(HIDDEN, len(AMOUNTS))
        self.dropout = nn.Dropout(0.1)

    def forward(self, tokens: Tensor, mask: Tensor) -> Scores:
        batch, length, _ = tokens.shape
        split = (batch, length, ATTENTION_HEADS, WIDTH // ATTENTION_HEADS)
        keys = self.keys(tokens).view(split).transpose(1, 2)  # (B, H, T, 64)
        values = self.values(tokens).view(split).transpose(1, 2)
        queries = self.queries.view(-1, ATTENTION_HEADS, WIDTH // ATTENTION_HEADS).transpose(0, 1)  # (H, Q, 64)
        queries = queries.expand(batch, -1, -1, -1)
        pooled = nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask[:, None, None, :])
        pooled = self.norm(pooled.transpose(1, 2).reshape(batch, -1, WIDTH))  # (B, Q, 384)
        hidden = self.dropout(nn.functional.gelu(self.trunk(pooled)))  # (B, Q, 128)
        each, whole = hidden[:, : self.attributes], hidden[:, self.attributes]
        return Scores(
            action=self.action(each),
            amount=self.amount(each),
            target=self.target(each),
            kind=self.kind(whole),
            foreign=self.foreign(whole)[:, 0],
            reference_amount=self.reference_amount(whole),
        )


class _Banked(nn.Module):
    """One linear layer per query, ``(B, Q, in) -> (B, Q, out)``: a common part, and what each query adds to it.

    What "slightly" or "no" does is common to all attributes and learnt from all of them; what "longer" means is not.
    """

    def __init__(self, queries: int, inputs: int, outputs: int) -> None:
        super().__init__()
        self.common = nn.Linear(inputs, outputs)
        self.weight = nn.Parameter(torch.zeros(queries, inputs, outputs))
        self.bias = nn.Parameter(torch.zeros(queries, outputs))

    def forward(self, features: Tensor) -> Tensor:
        whole: Tensor = self.common(features) + torch.einsum("bqi,qio->bqo", features, self.weight) + self.bias
        return whole


class LowRankLinear(nn.Module):
    """A frozen linear layer plus a trained update of low rank: ``W x + U D x`` (LoRA, arXiv 2106.09685)."""

    def __init__(self, frozen: nn.Linear, rank: int = RANK) -> None:
        super().__init__()
        self.frozen = frozen.requires_grad_(False)
        self.down = nn.Parameter(torch.randn(rank, frozen.in_features) / math.sqrt(frozen.in_features))
        self.up = nn.Parameter(torch.zeros(frozen.out_features, rank))

    def forward(self, features: Tensor) -> Tensor:
        whole: Tensor = self.frozen(features) + (features @ self.down.T) @ self.up.T
        return whole


class TextEncoder(nn.Module):
    """MiniLM and the heads: token ids ``(B, T)`` and mask ``(B, T)`` -> `Scores`.

    Args:
        minilm: the transformer, as `load_minilm` gives it.
        heads: the classifiers.
    """

    def __init__(self, minilm: nn.Module, heads: TextHeads) -> None:
        super().__init__()
        self.minilm = minilm
        self.heads = heads

    def forward(self, ids: Tensor, mask: Tensor) -> Scores:
        tokens = self.minilm(input_ids=ids, attention_mask=mask.long()).last_hidden_state
        scores: Scores = self.heads(tokens, mask)
        return scores


def load_minilm(folder: Path) -> nn.Module:
    """The frozen transformer from the files that ``deepsc models pull`` brought.

    Raises:
        WeightsMissing: if the folder lacks them.
        WeightsCorrupt: if they are there but not what they should be.
    """
    from transformers import BertConfig, BertModel  # a slow import, needed only by who parses

    if not (folder / "model.safetensors").is_file() or not (folder / "config.json").is_file():
        raise WeightsMissing(f"the language model is not in {folder}; bring it with: deepsc models pull")
    try:
        config = BertConfig.from_json_file(str(folder / "config.json"))
        model = BertModel(config, add_pooling_layer=False)
        model.set_attn_implementation("eager")  # for a dozen tokens on a CPU it is quicker than the fused kernels
        minilm: nn.Module = model
        state = load_file(folder / "model.safetensors")
        expected = minilm.state_dict().keys()  # the file also holds a pooling layer that nothing here uses
        minilm.load_state_dict({name: tensor for name, tensor in state.items() if name in expected})
    except Exception as error:
        raise WeightsCorrupt(f"the language model in {folder} cannot be read; run: deepsc models pull") from error
    return minilm.requires_grad_(False).eval()


def adapted_layers(minilm: nn.Module) -> Iterator[tuple[str, nn.Module, str]]:
    """Every matrix that training updates: its name, the module that owns it, and the attribute it is kept under."""
    layers = len(list(minilm.get_submodule("encoder.layer").children()))
    for number in range(FIRST_ADAPTED, layers):
        for path in _ADAPTED + _ADAPTED_FEED_FORWARD:
            parent, _, leaf = path.rpartition(".")
            yield f"minilm.{number}.{path}", minilm.get_submodule(f"encoder.layer.{number}.{parent}"), leaf


def load_encoder(weights: Path, minilm: Path) -> TextEncoder:
    """The trained encoder, its update merged into MiniLM, in evaluation mode.

    Raises:
        WeightsMissing: if one of the files is not there.
        WeightsCorrupt: if one is not what it should be.
    """
    if not weights.is_file():
        raise WeightsMissing(f"the text heads are not at {weights}; make them with: python -m training.text.train")
    encoder = TextEncoder(load_minilm(minilm), TextHeads())
    try:
        with safe_open(weights, "pt") as file:
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 (not a mapping)
        heads = {name.removeprefix("heads."): tensor for name, tensor in state.items() if name.startswith("heads.")}
        encoder.heads.load_state_dict(heads)
        with torch.no_grad():
            for name, owner, leaf in adapted_layers(encoder.minilm):
                owner.get_submodule(leaf).get_parameter("weight").add_(state[f"{name}.up"] @ state[f"{name}.down"])
    except Exception as error:
        raise WeightsCorrupt(f"{weights.name} does not hold the text heads; restore it from the repository") from error
    return encoder.eval()
