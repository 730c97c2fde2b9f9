"""How the perceptual networks come off the disk: by name, checked, frozen."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from shared.errors import WeightsCorrupt, WeightsMissing

Network = TypeVar("Network", bound=nn.Module)


def load_frozen(network: Network, path: Path, rename: Callable[[str], str] = str) -> Network:
    """Fill `network` from the safetensors at `path`, and return it in evaluation mode with no gradient to itself.

    `rename` maps the names in the file to the network's own. Gradients still flow through the network to its input.
    Raises `WeightsMissing` when there is no such file, `WeightsCorrupt` when it does not fit the network.
    """
    if not path.is_file():
        raise WeightsMissing(f"{path} is not there; run: deepsc models pull")
    try:
        network.load_state_dict({rename(name): tensor for name, tensor in load_file(path).items()})
    except (SafetensorError, RuntimeError) as error:
        raise WeightsCorrupt(
            f"{path} does not hold the weights of {type(network).__name__}; delete it and run: deepsc models pull"
        ) from error
    return network.eval().requires_grad_(False)
