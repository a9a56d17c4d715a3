"""Each sample's own normalisation, and its gradient, against torch's definition of both."""

import pytest
import torch
from torch import nn
from VSClickCorrectLib.networks.sample_norm import SampleNorm

SHAPES = {"2D": (2, 5, 6, 7), "3D": (3, 4, 3, 6, 5)}
LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}


def own_and_torch(shape, layout, precision=torch.float32):
    """Result and gradients of ours, in that precision and layout, and of torch's InstanceNorm, in float64."""
    generator = torch.Generator().manual_seed(7)
    x, upstream = (torch.randn(shape, generator=generator, dtype=torch.float64) for _ in range(2))
    x, upstream = (one.to(precision).double() for one in (3 * x + 2, upstream))
    weight, bias = (torch.randn(shape[1], generator=generator, dtype=torch.float64) for _ in range(2))
    reference = nn.functional.instance_norm
    results = []
    for given in (precision, torch.float64):
        leaf = x.to(given).contiguous(memory_format=layout).requires_grad_()
        # Weights stay in single precision where what they scale is in half.
        norm = SampleNorm(shape[1]).to(torch.float64 if given is torch.float64 else torch.float32)
        with torch.no_grad():
            norm.weight.copy_(weight)
            norm.bias.copy_(bias)
        ours = given is precision
        y = norm(leaf) if ours else reference(leaf, None, None, norm.weight, norm.bias)
        y.backward(upstream.to(given))
        results.append((y.detach(), leaf.grad, norm.weight.grad, norm.bias.grad))
    return zip(*results, strict=True)


@pytest.mark.parametrize("dimensions", SHAPES)
@pytest.mark.parametrize("channels_last", [True, False])
def test_result_and_gradients_are_those_of_instance_normalisation(dimensions, channels_last):
    shape = SHAPES[dimensions]
    layout = LAYOUTS[len(shape)] if channels_last else torch.contiguous_format
    for ours, theirs in own_and_torch(shape, layout):
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dimensions", SHAPES)
def test_in_half_precision_what_is_summed_is_not_rounded(dimensions):
    shape = SHAPES[dimensions]
    found = own_and_torch(shape, LAYOUTS[len(shape)], torch.bfloat16)
    (y, y_true), (x, x_true), *of_weights = found
    assert y.dtype is x.dtype is torch.bfloat16
    for ours, theirs in ((y, y_true), (x, x_true)):
        torch.testing.assert_close(ours.double(), theirs, rtol=2**-8, atol=2**-8)
    for ours, theirs in of_weights:
        torch.testing.assert_close(ours.double(), theirs, rtol=1e-4, atol=1e-4)


def test_its_gradient_lies_in_memory_as_its_input():
    x = torch.randn(1, 4, 4, 6, 6).contiguous(memory_format=torch.channels_last_3d).requires_grad_()
    (SampleNorm(4)(x) ** 2).sum().backward()
    assert x.grad.is_contiguous(memory_format=torch.channels_last_3d)


def test_without_gradients_the_result_is_the_same():
    x = torch.randn(2, 4, 4, 6, 6).contiguous(memory_format=torch.channels_last_3d)
    norm = SampleNorm(4)
    with torch.no_grad():
        expected = norm(x)
    assert torch.equal(norm(x), expected)
