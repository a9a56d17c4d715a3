"""A convolution of one small volume is what torch's own is, by oneDNN."""

import pytest
import torch
from torch import nn
from VSClickCorrectLib.networks.convolution import Conv3d

if not torch.backends.mkldnn.is_available():
    pytest.skip("torch has no oneDNN here", allow_module_level=True)


def results(convolution, volume, weights):
    """What a convolution gives, and the gradients of a weighted sum of it; in double precision."""
    volume = volume.clone().requires_grad_()
    found = convolution(volume)
    (found * weights).sum().backward()
    return [t.double() for t in (found.detach(), volume.grad, convolution.weight.grad, convolution.bias.grad)]


def test_it_teaches_what_torchs_own_does_in_double_precision():
    torch.manual_seed(0)
    ours = Conv3d(3, 5, 3, padding=1)
    exact = nn.Conv3d(3, 5, 3, padding=1).double()
    exact.load_state_dict(ours.state_dict())
    volume, weights = torch.rand(1, 3, 6, 7, 8), torch.rand(1, 5, 6, 7, 8)
    with torch.profiler.profile() as profile:
        found = results(ours, volume, weights)
    assert not any("slow_conv3d" in event.key for event in profile.key_averages())
    for one, other in zip(found, results(exact, volume.double(), weights.double()), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_other_precisions_are_left_to_torch(dtype):
    torch.manual_seed(0)
    ours, plain = Conv3d(2, 2, 3).to(dtype), nn.Conv3d(2, 2, 3).to(dtype)
    plain.load_state_dict(ours.state_dict())
    volume = torch.rand(1, 2, 4, 4, 4, dtype=dtype)
    torch.testing.assert_close(ours(volume), plain(volume))


def test_autocast_holds_for_it():
    with torch.autocast("cpu", torch.bfloat16):
        assert Conv3d(2, 2, 3)(torch.rand(1, 2, 4, 4, 4)).dtype == torch.bfloat16


@pytest.mark.parametrize("slices", [1, 2, 3])
def test_in_half_precision_few_slices_teach_what_they_do_in_double_precision(slices):
    torch.manual_seed(0)
    exact = nn.Conv3d(32, 64, 3, padding=1).bfloat16().double()
    for _ in range(20):
        # What is left unset has the values of memory that was in use before.
        _ = torch.full((1 << 16,), float("nan"))
        ours = Conv3d(32, 64, 3, padding=1)
        ours.load_state_dict(exact.state_dict())
        volume, weights = (torch.randn(2, n, slices, 6, 6).bfloat16() for n in (32, 64))
        volume = volume.contiguous(memory_format=torch.channels_last_3d)
        with torch.autocast("cpu", torch.bfloat16):
            found = ours(volume)
        found.backward(weights)
        exact.zero_grad()
        exact(volume.double()).backward(weights.double())
        # Bfloat16 has eight bits.
        true = exact.weight.grad
        assert (ours.weight.grad.double() - true).abs().max() < 0.02 * true.abs().max()
