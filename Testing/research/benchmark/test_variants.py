"""Every other way to run the corrector computes the same."""

import torch
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectResearch.benchmark.variants import other_networks, variants


def test_other_ways_are_timed_beside_what_ships_which_comes_first(bright_models, monkeypatch):
    monkeypatch.setattr("VSClickCorrectResearch.benchmark.variants.shutil.which", lambda name: None)
    corrector = Corrector.load(ModelFolder(bright_models), device="cpu")
    found = variants(corrector, 3)
    assert found[0].name == "as it ships"
    assert {"memory format contiguous", "BatchNorm not folded", "bf16", "10 cuts at once"} <= {
        one.name for one in found
    }
    assert all(len(one.seconds) == 3 and one.median > 0 for one in found)


def test_networks_run_in_other_ways_say_the_same(bright_models, monkeypatch):
    monkeypatch.setattr("VSClickCorrectResearch.benchmark.variants.shutil.which", lambda name: None)
    corrector = Corrector.load(ModelFolder(bright_models), device="cpu")
    x = torch.rand(1, 20, 48, 48, generator=torch.Generator().manual_seed(2))
    expected = corrector.network(x)
    others = other_networks(corrector)
    assert "Norm" in str(others.pop("BatchNorm not folded"))
    assert "Norm" not in str(corrector.network)
    for name, network in others.items():
        tolerance = 0.05 * float(expected.abs().max()) if name == "bf16" else 1e-3
        torch.testing.assert_close(network(x).float(), expected, atol=tolerance, rtol=0.0, msg=name)
