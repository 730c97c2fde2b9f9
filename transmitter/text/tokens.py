"""From a sentence to MiniLM's token ids, the same way in training and in parsing."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import Tensor

from shared.errors import WeightsCorrupt, WeightsMissing
from transmitter.text.spelling import Speller

#: An instruction is a sentence or two; the parser refuses what would be cut here.
MAX_TOKENS = 96


class TokenReader:
    """Mends slips of the keyboard, then cuts sentences into word pieces.

    Args:
        tokenizer: MiniLM's.
        speller: what mends; it knows the tokenizer's vocabulary.
    """

    def __init__(self, tokenizer: Tokenizer, speller: Speller) -> None:
        self._tokenizer = tokenizer
        self._speller = speller
        tokenizer.enable_truncation(MAX_TOKENS)
        tokenizer.enable_padding()

    def read(self, sentences: list[str]) -> tuple[Tensor, Tensor]:
        """Token ids ``(B, T)`` and mask ``(B, T)``, True where a token is; T is the longest sentence's length."""
        encodings = self._tokenizer.encode_batch([self._speller.mend(sentence) for sentence in sentences])
        ids = torch.tensor([encoding.ids for encoding in encodings])
        mask = torch.tensor([encoding.attention_mask for encoding in encodings]).bool()
        return ids, mask


def load_reader(minilm: Path) -> TokenReader:
    """The reader for the language model in the folder ``minilm``.

    Raises:
        WeightsMissing: if the tokenizer's file is not there.
        WeightsCorrupt: if it cannot be read.
    """
    file = minilm / "tokenizer.json"
    if not file.is_file():
        raise WeightsMissing(f"the language model's tokenizer is not in {minilm}; bring it with: deepsc models pull")
    try:
        tokenizer = Tokenizer.from_file(str(file))
    except Exception as error:
        raise WeightsCorrupt(f"{file} cannot be read; run: deepsc models pull") from error
    ours: list[str] = json.loads(files("transmitter.text").joinpath("spelling.json").read_text("utf-8"))
    whole_words = [word for word in tokenizer.get_vocab() if not word.startswith("##")]
    return TokenReader(tokenizer, Speller(ours, whole_words))
