"""The real parser, once for all tests that need it."""

from __future__ import annotations

import pytest
import torch

from shared.errors import WeightsMissing
from transmitter.text.minilm_parser import MiniLmParser


@pytest.fixture(scope="session")
def parser() -> MiniLmParser:
    """The parser with the committed heads; skips where the language model was not pulled."""
    torch.set_num_threads(2)
    try:
        return MiniLmParser.load()
    except WeightsMissing as missing:
        pytest.skip(missing.message)
