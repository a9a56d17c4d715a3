"""A copy learns, the original stays; and the built-in examples are read as they were written."""

import copy

import numpy as np
import pytest
import torch
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference import learning
from VSClickCorrectLib.inference.examples import BUILTIN, Examples, packed, read_builtin
from VSClickCorrectLib.inference.learning import learned, part_way, score
from VSClickCorrectLib.inference.manifest import ModelFolder

LARGEST = 1_500_000


@pytest.fixture
def small_corrector(model_folder):
    """A small random corrector: what it is, its network, its patches."""
    models = ModelFolder(model_folder)
    entry = models.entry("corrector")
    return entry, models.load_as_trained(entry).eval(), PatchGeometry(**entry.geometry)


def balls(geometry, count, seed):
    """Examples in which what is bright is tumour, and the mask has half of it."""
    rng = np.random.default_rng(seed)
    k, j, i = np.indices(geometry.window.shape)
    pairs = []
    for _ in range(count):
        row, column = rng.uniform(16, 32, 2)
        right = ((j - row) ** 2 + (i - column) ** 2 < rng.uniform(6, 12) ** 2).astype(np.float32)
        image = 0.2 + 0.6 * right + rng.normal(0, 0.05, right.shape)
        mask = right * (i < column)
        pairs.append((np.stack([image, image, mask, np.zeros_like(mask)]), right))
    return Examples.of(pairs, geometry)


def test_it_learns_what_is_new_and_the_original_stays(small_corrector, monkeypatch):
    monkeypatch.setattr(learning, "RATE", 1e-2)
    monkeypatch.setattr(learning, "STEPS", 30)
    entry, network, geometry = small_corrector
    before = copy.deepcopy(network.state_dict())
    new, old, told = balls(geometry, 40, 0), balls(geometry, 10, 1), []
    student = learned(network, entry, new, old, told.append)
    fresh = balls(geometry, 20, 2)
    assert score(student, entry, fresh) > score(network, entry, fresh) + 0.05
    for name, tensor in network.state_dict().items():
        assert torch.equal(tensor, before[name])
    assert told[-1] == 1.0 and told == sorted(told)


def test_one_input_gives_one_result_and_statistics_are_left_alone(small_corrector, monkeypatch):
    monkeypatch.setattr(learning, "STEPS", 3)
    entry, network, geometry = small_corrector
    examples = balls(geometry, 8, 0)
    one, other = (learned(network, entry, examples, examples).state_dict() for _ in range(2))
    for name, tensor in network.state_dict().items():
        assert torch.equal(one[name], other[name])
        if "running" in name:
            assert torch.equal(one[name], tensor)
    assert any(not torch.equal(one[name], tensor) for name, tensor in network.state_dict().items())


def test_part_of_the_way_lies_between_and_is_as_it_is_kept(small_corrector):
    _, network, _ = small_corrector
    student = copy.deepcopy(network)
    with torch.no_grad():
        student.head.bias += 1.0
    half_way = part_way(network, student, 0.5)
    torch.testing.assert_close(half_way.head.bias, network.head.bias + 0.5, atol=1e-3, rtol=0)
    assert torch.equal(half_way.head.bias, half_way.head.bias.half().float())


def test_score_is_the_dsc_of_what_holds_tumour(small_corrector):
    entry, _, geometry = small_corrector
    examples = balls(geometry, 6, 0)
    nothing = Examples(examples.channels, np.zeros_like(examples.targets))
    perfect = torch.nn.Module()
    # Channels of a 2D network: five slices of T1ce, of T2, of the mask.
    perfect.forward = lambda seen: seen[:, 0:5] * 40 - 20.0
    assert score(perfect, entry, examples) > 0.99
    assert score(perfect, entry, nothing) == 0.0
    assert score(perfect, entry, Examples.joined([examples, nothing])) == score(perfect, entry, examples)


def test_the_examples_that_ship_fit_the_corrector_that_ships(shipped_models):
    entry = ModelFolder(shipped_models).entry("corrector")
    built_in = read_builtin(PatchGeometry(**entry.geometry))
    assert (shipped_models / BUILTIN).stat().st_size <= LARGEST
    assert len(built_in.replay) >= 100 and len(built_in.held_out) >= 60
    for part in built_in:
        assert part.channels.shape[1:] == (4, 5, 48, 48) and part.targets.shape[1:] == (5, 48, 48)
        assert part.channels.min() >= -1 and part.channels.max() <= 1 and part.targets.any()
        # Boundary clicks leave no trace, others a mark of their sign in the middle.
        marks = part.channels[:, 3]
        assert {0.0} < set(np.sign(marks[:, 2, 24, 24].astype(float)))
    images = {one.tobytes() for one in built_in.replay.channels[:, :2]}
    assert not images & {one.tobytes() for one in built_in.held_out.channels[:, :2]}


def test_examples_are_read_as_they_were_written(tmp_path):
    geometry = PatchGeometry(size=8, slices=1, click_map=True)
    rng = np.random.default_rng(0)
    images, cuts = [rng.random((3, 1, 8, 8)) for _ in range(2)], [rng.random((2, 1, 8, 8)) for _ in range(3)]
    cuts[0][1] = 0.0
    arrays = packed(images, cuts, [0, 0, 1], [False, True], geometry)
    np.savez_compressed(tmp_path / "examples.npz", **arrays)
    replay, held_out = read_builtin(geometry, tmp_path / "examples.npz")
    assert (len(replay), len(held_out)) == (2, 1)
    np.testing.assert_allclose(replay.channels[1, :2], images[0][:2], atol=0.01)
    np.testing.assert_allclose(held_out.channels[0, 2:], cuts[2], atol=0.02)
    np.testing.assert_allclose(held_out.targets[0], images[1][2], atol=0.01)
    assert not replay.channels[0, 3].any()
    with pytest.raises(ModelError, match="other patches"):
        read_builtin(PatchGeometry(size=8, slices=3, click_map=True), tmp_path / "examples.npz")
    content = (tmp_path / "examples.npz").read_bytes()
    for spoiled in (b"", b"no archive", content[:-40]):
        (tmp_path / "examples.npz").write_bytes(spoiled)
        with pytest.raises(ModelError, match="is damaged"):
            read_builtin(geometry, tmp_path / "examples.npz")
    with pytest.raises(ModelError, match="does not exist"):
        read_builtin(geometry, tmp_path / "none.npz")
