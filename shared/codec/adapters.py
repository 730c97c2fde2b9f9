"""SNR-aware adapters: light pairs, trained for one noise condition each while the codec stays as it is.

An adapter keeps the shape of what it is put into: ``x + U silu(D x)`` with a narrow middle, and ``U`` zero before
training. One of a pair follows the encoder's network, the other the decoder's. Both ends choose by the design SNR of
the header: a pair counts fully at its own SNR, and less and less up to `REACH_DB` away, where the codec is alone
again. Between two pairs their parts are mixed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor, nn

from shared.codec.sizes import COEFFICIENTS, SLOTS
from shared.errors import InvalidInput

RANK = 32
REACH_DB = 6.0


class Adapter(nn.Module):
    """What is added to ``(B, size)``: through a middle of `RANK` units; zeros at first."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.down = nn.Linear(size, RANK)
        self.up = nn.Linear(RANK, size)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.up(nn.functional.silu(self.down(x)))
        return answer


class AdapterPair(nn.Module):
    """The two adapters of one noise condition.

    Args:
        snr_db: the condition's SNR.
    """

    snr_db: Tensor

    def __init__(self, snr_db: float = 0.0) -> None:
        super().__init__()
        self.register_buffer("snr_db", torch.tensor([snr_db]))
        self.encoder = Adapter(SLOTS)
        self.decoder = Adapter(COEFFICIENTS)

    def weight(self, design_snr_db: Tensor) -> Tensor:
        """How much the pair counts, 0..1: ``(B,)`` -> ``(B, 1)``."""
        return (1 - (design_snr_db - self.snr_db).abs() / REACH_DB).clamp_min(0)[:, None]


@dataclass(frozen=True)
class Adapters:
    """Any number of pairs, none by default."""

    pairs: Sequence[AdapterPair] = ()

    @classmethod
    def load(cls, path: Path) -> Adapters:
        """Reads what `save` wrote.

        Raises:
            InvalidInput: if that is not what the file holds.
        """
        try:
            return cls(cls._pairs(load(path.read_bytes())))
        except OSError as error:
            why = f"cannot be read ({error.strerror})"
        except (SafetensorError, RuntimeError, ValueError):
            why = "holds no adapters"
        raise InvalidInput(f"{path} {why}; name a file that deepsc train adapters wrote")

    @staticmethod
    def _pairs(tensors: dict[str, Tensor]) -> tuple[AdapterPair, ...]:
        pairs = []
        for index in sorted({int(name.split(".")[0]) for name in tensors}):
            pair = AdapterPair()
            prefix = f"{index}."
            own = {
                name.removeprefix(prefix): value.float() for name, value in tensors.items() if name.startswith(prefix)
            }
            pair.load_state_dict(own)
            pairs.append(pair.eval().requires_grad_(False))
        return tuple(pairs)

    def save(self, path: Path) -> None:
        """Writes safetensors in half precision."""
        save_file(
            {
                f"{index}.{name}": tensor.half().contiguous()
                for index, pair in enumerate(self.pairs)
                for name, tensor in pair.state_dict().items()
            },
            path,
        )

    def to_slots(self, slots: Tensor, design_snr_db: Tensor) -> Tensor:
        """Slots ``(B, SLOTS)`` with what the encoder's adapters add."""
        added = [pair.weight(design_snr_db) * pair.encoder(slots) for pair in self.pairs]
        return torch.stack([slots, *added]).sum(0)

    def to_estimate(self, estimate: Tensor, design_snr_db: Tensor) -> Tensor:
        """The decoder's estimate ``(B, COEFFICIENTS)`` with what its adapters add."""
        added = [pair.weight(design_snr_db) * pair.decoder(estimate) for pair in self.pairs]
        return torch.stack([estimate, *added]).sum(0)


NO_ADAPTERS = Adapters()
