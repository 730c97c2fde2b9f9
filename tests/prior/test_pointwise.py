import pytest
import torch
from torch import nn

from shared.pointwise import Pointwise


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
def test_it_is_a_convolution_and_so_is_its_gradient(bias: bool, memory_format: torch.memory_format) -> None:
    pointwise, convolution = Pointwise(6, 4, bias=bias), nn.Conv2d(6, 4, 1, bias=bias)
    pointwise.load_state_dict(convolution.state_dict())
    x = torch.randn(2, 6, 5, 3, generator=torch.Generator().manual_seed(1)).to(memory_format=memory_format)
    gradients = []
    for layer in (pointwise, convolution):
        at = x.clone().requires_grad_()
        layer(at).square().sum().backward()
        gradients.append(at.grad)
    torch.testing.assert_close(pointwise(x), convolution(x))
    torch.testing.assert_close(*gradients)
