"""The norm for cards: the product's, gradients included, in the memory's own order."""

import copy

import torch
from VSClickCorrectLib.networks.registry import build
from VSClickCorrectLib.networks.sample_norm import SampleNorm
from VSClickCorrectResearch.training.on_card.norm import CardNorm, use_card_norms


def test_values_and_gradients_are_the_products():
    torch.manual_seed(0)
    ours, theirs = CardNorm(4), SampleNorm(4)
    for norm in (ours, theirs):
        with torch.no_grad():
            norm.weight.copy_(torch.tensor([0.5, 1.0, 2.0, -1.0]))
            norm.bias.copy_(torch.tensor([0.0, 1.0, -1.0, 0.3]))
    x = 3 + 2 * torch.randn(2, 4, 6, 5, 7)
    x = x.to(memory_format=torch.channels_last_3d)
    inputs = [x.clone().requires_grad_() for _ in range(2)]
    results = [norm(one) for norm, one in zip((ours, theirs), inputs, strict=True)]
    torch.testing.assert_close(*results, atol=1e-5, rtol=1e-4)
    assert results[0].is_contiguous(memory_format=torch.channels_last_3d)
    for result in results:
        (result**3).sum().backward()
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad, atol=1e-3, rtol=1e-3)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-2, rtol=1e-4)


def test_a_network_keeps_its_weights_and_what_it_says():
    torch.manual_seed(0)
    network = build("unet3d", in_channels=2, channels=[4, 8], each_sample=True).eval()
    changed = copy.deepcopy(network)
    use_card_norms(changed)
    assert changed.state_dict().keys() == network.state_dict().keys()
    assert {type(one) for one in changed.modules() if isinstance(one, SampleNorm)} == {CardNorm}
    x = torch.rand(1, 2, 8, 8, 8)
    torch.testing.assert_close(changed(x), network(x), atol=1e-4, rtol=1e-4)
