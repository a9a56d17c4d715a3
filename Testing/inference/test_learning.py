"""A copy learns, the original stays; and the built-in examples are read as they were written."""

import copy
from dataclasses import asdict, replace

import numpy as np
import pytest
import torch
from accepted_cases import short_courses
from packed_examples import packed
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference import learning
from VSClickCorrectLib.inference.examples import BUILTIN, BUILTIN_BOXES, Examples, read_builtin
from VSClickCorrectLib.inference.learning import learned, part_way, score
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_entry import ModelEntry
from VSClickCorrectLib.networks.registry import build

LARGEST, LARGEST_BOXES = 1_500_000, 2_000_000


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
    return Examples.of(pairs, pairs[0][0].shape)


def bright_boxes(count, seed, side=16):
    """Boxes in which what is bright is tumour; in every fourth there is none."""
    rng = np.random.default_rng(seed)
    places, pairs = np.indices((side,) * 3), []
    for number in range(count):
        middle = rng.uniform(5, side - 5, 3)[:, None, None, None]
        right = (((places - middle) ** 2).sum(0) < rng.uniform(3, 5) ** 2) & (number % 4 > 0)
        image = 0.2 + 0.6 * right + rng.normal(0, 0.05, right.shape)
        nothing = np.zeros_like(image)
        pairs.append((np.stack([image, image, nothing, nothing, nothing]), right.astype(np.float32)))
    return Examples.of(pairs, pairs[0][0].shape)


@pytest.fixture
def small_click_network():
    """A small random click network that normalises each sample, and its entry."""
    parameters = {"in_channels": 5, "out_channels": 1, "channels": [4, 8], "each_sample": True}
    torch.manual_seed(0)
    entry = ModelEntry("whole", "click", "", "0" * 64, "unet3d", parameters, {"spacing": [1.0, 1.0, 1.0]})
    return entry, build("unet3d", **parameters).eval()


def test_a_click_network_learns_by_the_same_steps(small_click_network, monkeypatch):
    monkeypatch.setitem(learning.COURSES, "click", replace(learning.COURSES["click"], rate=2e-2))
    entry, network = small_click_network
    before = copy.deepcopy(network.state_dict())
    # New and old ones need not be of one size.
    student = learned(network, entry, bright_boxes(12, 0), bright_boxes(4, 1, side=8 + 4))
    fresh = bright_boxes(8, 2)
    assert score(student, entry, fresh) > score(network, entry, fresh) + 0.2
    assert all(torch.equal(tensor, before[name]) for name, tensor in network.state_dict().items())


def test_to_find_nothing_where_nothing_is_counts_for_the_initial_mask(small_click_network):
    entry, _ = small_click_network
    boxes, bright = bright_boxes(8, 0), torch.nn.Module()
    bright.forward = lambda seen: seen[:, :1] * 40 - 20.0
    assert score(bright, entry, boxes) > 0.99
    everywhere = torch.nn.Module()
    everywhere.forward = lambda seen: seen[:, :1] * 0 + 1.0
    nothing = Examples(boxes.channels[::4], boxes.targets[::4])
    assert not nothing.targets.any()
    assert score(bright, entry, nothing) == 1.0 and score(everywhere, entry, nothing) == 0.0


def test_it_learns_what_is_new_and_the_original_stays(small_corrector, monkeypatch):
    monkeypatch.setitem(
        learning.COURSES, "corrector", replace(learning.COURSES["corrector"], rate=1e-2, steps=30)
    )
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
    short_courses(monkeypatch, 3)
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


def test_each_case_counts_alike_however_many_clicks_it_took(small_corrector):
    entry, _, geometry = small_corrector
    good = balls(geometry, 6, 0)
    # In the other case, of a single click, nothing is found.
    bad = balls(geometry, 1, 1)
    bad.channels[:, 0] = 0
    nothing = Examples(good.channels, np.zeros_like(good.targets))
    perfect = torch.nn.Module()
    perfect.forward = lambda seen: seen[:, 0:5] * 40 - 20.0
    assert score(perfect, entry, bad) == 0.0
    assert score(perfect, entry, good, bad) == pytest.approx(score(perfect, entry, good) / 2)
    # One without tumour in its examples says nothing.
    assert score(perfect, entry, good, nothing) == score(perfect, entry, good)


def test_the_examples_that_ship_fit_the_corrector_that_ships(shipped_models):
    entry = ModelFolder(shipped_models).entry("corrector")
    built_in = read_builtin(asdict(PatchGeometry(**entry.geometry)))
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


def test_the_boxes_that_ship_fit_the_click_network_that_ships(shipped_models):
    entry, path = ModelFolder(shipped_models).entry("click"), shipped_models / BUILTIN_BOXES
    built_in = read_builtin({"spacing": entry.geometry["spacing"]}, path)
    assert path.stat().st_size <= LARGEST_BOXES
    for part in built_in:
        assert len(part) >= 25 and part.channels.shape[1:] == (5, 48, 48, 48)
        assert part.channels.min() >= 0 and part.channels.max() <= 1
        tumour = part.targets.reshape(len(part), -1).max(1) >= 0.5
        assert 0.7 < tumour.mean() < 1.0
        # With and without mask and clicks.
        shown = part.channels[:, 2:].reshape(len(part), -1).any(1)
        assert 0.3 < shown.mean() < 0.7 and not shown[~tumour].any()
    images = {one.tobytes() for one in built_in.replay.channels[:, :2]}
    assert not images & {one.tobytes() for one in built_in.held_out.channels[:, :2]}


def test_examples_are_read_as_they_were_written(tmp_path):
    geometry = asdict(PatchGeometry(size=8, slices=1, click_map=True))
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
        read_builtin({**geometry, "slices": 3}, tmp_path / "examples.npz")
    content = (tmp_path / "examples.npz").read_bytes()
    for spoiled in (b"", b"no archive", content[:-40]):
        (tmp_path / "examples.npz").write_bytes(spoiled)
        with pytest.raises(ModelError, match="is damaged"):
            read_builtin(geometry, tmp_path / "examples.npz")
    with pytest.raises(ModelError, match="does not exist"):
        read_builtin(geometry, tmp_path / "none.npz")
