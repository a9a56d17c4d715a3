"""What the click-conditioned network is shown of a case, and how its answer comes back to the native grid."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from session_doubles import BOUNDARY, EXCLUDE, INCLUDE, click_at
from torch import nn
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference.click_segmenter import BOX_SAMPLES, LEARNED_SAMPLES, ClickSegmenter
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.model_entry import ModelEntry
from VSClickCorrectLib.inference.plain_segmenter import Model
from VSClickCorrectLib.networks.registry import build

SHAPE = (20, 40, 40)
BRIGHT, OTHER = (slice(8, 13), slice(10, 18), slice(10, 18)), (slice(8, 13), slice(26, 34), slice(26, 34))


class Brightness(nn.Module):
    """Says tumour where the T1ce is bright; its last layer sees both sequences."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(30.0))
        self.seen = None

    def forward(self, x):
        return self.head(self.features(x)[-1])

    def features(self, x):
        self.seen = x
        return [nn.functional.avg_pool3d(x[:, 1:2], 2), x[:, :2]]

    def head(self, features):
        return self.scale * (features[:, :1] - 0.5)


def entry(role, spacing):
    return ModelEntry("handmade", role, "", "0" * 64, "unet3d", {}, {"spacing": spacing})


@pytest.fixture(params=["axial", "sagittal"])
def case(request):
    affine = np.diag([1.0, 1.0, 2.0, 1.0])
    if request.param == "sagittal":
        affine = np.array([[0, 0, 2.0, 5], [-1.0, 0, 0, 7], [0, -1.0, 0, 9], [0, 0, 0, 1]])
    array = np.zeros(SHAPE, np.int16)
    array[BRIGHT] = array[OTHER] = 1000
    return Case(Volume(array, Grid(SHAPE, affine)))


@pytest.fixture
def segmenter():
    return ClickSegmenter(Model(entry("click", [1.0, 1.0, 1.0]), Brightness()))


def test_probabilities_come_back_where_the_image_is_bright(case, segmenter):
    window = segmenter.window(case, Box((0, 0, 0), case.grid.axial_shape))
    probability = segmenter.probability(case, window)
    assert probability.shape == window.box.shape == SHAPE
    inner = np.zeros(SHAPE, bool)
    inner[9:12, 11:17, 11:17] = inner[9:12, 27:33, 27:33] = True
    assert (probability[inner] > 0.9).all()
    outer = case.t1ce.array == 0
    outer[7:14, 9:19, 9:19] = outer[7:14, 25:35, 25:35] = False
    assert (probability[outer] < 0.1).all()


def test_a_look_gives_the_same_probabilities_and_what_the_deepest_and_last_stage_saw(case, segmenter):
    window = segmenter.window(case, Box((0, 0, 0), case.grid.axial_shape))
    look = segmenter.look(case, window)
    np.testing.assert_allclose(look.probability, segmenter.probability(case, window), atol=1e-6)
    deep, last = look.features
    assert deep.shape == (1, 40, 40, 40)
    np.testing.assert_array_equal(last, segmenter.channels(case, window, None, ())[:2])


def test_the_network_sees_mask_and_clicks_at_their_places(case, segmenter):
    mask = np.zeros(SHAPE, bool)
    mask[BRIGHT] = True
    clicks = [click_at(case.grid, (10, 14, 14), INCLUDE), click_at(case.grid, (10, 30, 30), EXCLUDE)]
    clicks.append(click_at(case.grid, (10, 20, 20), BOUNDARY))
    window = segmenter.window(case, Box((0, 0, 0), case.grid.axial_shape))
    channels = segmenter.channels(case, window, ArrayMask(case.grid, mask), clicks)
    assert channels.shape == (5, *(BOX_SAMPLES,) * 3)
    # Brought back, each channel peaks at what it was made of.
    for channel, index in ((3, (10, 14, 14)), (4, (10, 30, 30))):
        native = window.resample_back(channels[channel])
        assert np.unravel_index(native.argmax(), SHAPE) == index
        assert native[index] > 0.9
        # One ball: the boundary click is in neither channel.
        assert native[10, 20, 20] < 0.01
    np.testing.assert_array_equal(window.resample_back(channels[2]) >= 0.5, mask)


def test_a_missing_sequence_and_mask_are_zeros(case, segmenter):
    window = segmenter.window(case, Box((0, 0, 0), case.grid.axial_shape))
    channels = segmenter.channels(case, window, None, [])
    assert channels[0].any()
    assert not channels[1:].any()


def test_an_include_click_takes_the_part_it_lies_in_and_no_other(case):
    locator = Model(entry("locator", [2.0, 2.0, 2.0]), Brightness())
    whole = InitialSegmenter(locator, Model(entry("click", [1.0, 1.0, 1.0]), Brightness()))
    proposal = whole.propose(case, click_at(case.grid, (10, 30, 30), INCLUDE))
    found = np.zeros(SHAPE, bool)
    found[proposal.box.slices] = proposal.values
    assert found[10, 30, 30]
    assert not found[BRIGHT].any()
    assert found[OTHER].mean() > 0.9


class Unsure(Brightness):
    """Sees nothing for certain at a second look."""

    def head(self, features):
        once = super().head(features)
        return once if len(features) == 1 else once * 0 - 2.0


@pytest.mark.parametrize("network", [Brightness(), Unsure()])
def test_what_an_include_click_brings_is_looked_at_from_nearer_if_it_fits(case, network):
    locator = Model(entry("locator", [2.0, 2.0, 2.0]), Brightness())
    whole = InitialSegmenter(locator, Model(entry("click", [1.0, 1.0, 1.0]), network))
    mask = np.zeros(SHAPE, bool)
    mask[BRIGHT] = True
    standing = [click_at(case.grid, (10, 22, 22), EXCLUDE)]
    proposal = whole.propose(
        case, click_at(case.grid, (10, 30, 30), INCLUDE), ArrayMask(case.grid, mask), standing
    )
    # Once, with mask and clicks.
    assert network.seen.shape == (1, 5, *(LEARNED_SAMPLES,) * 3)
    assert network.seen[:, 2:].flatten(2).any(2).all()
    found = np.zeros(SHAPE, bool)
    found[proposal.box.slices] = proposal.values
    # Where the second look is not sure the first one counts.
    assert found[OTHER].mean() > 0.9 and found.sum() < 1.5 * found[OTHER].size


def test_what_an_exclude_click_leaves_is_looked_at_once(case):
    locator, network = Model(entry("locator", [2.0, 2.0, 2.0]), Brightness()), Brightness()
    whole = InitialSegmenter(locator, Model(entry("click", [1.0, 1.0, 1.0]), network))
    proposal = whole.propose(case, click_at(case.grid, (10, 22, 22), EXCLUDE))
    assert proposal.values.any()
    assert network.seen.shape == (1, 5, *(BOX_SAMPLES,) * 3)


@pytest.mark.parametrize(
    ("located", "sure", "sees"),
    [(-2.0, -9, True), (-2.4, -9, False), (-9.0, -2.0, True), (-9.0, -2.4, False)],
)
def test_a_boundary_click_means_what_has_a_chance_of_a_tenth_to_be_one(case, located, sure, sees):
    # Their logits: -2.0 is 0.12, -2.4 is 0.08.
    class Everywhere(Brightness):
        def head(self, features):
            return super().head(features) * 0 + located

    locator = Model(entry("locator", [2.0, 2.0, 2.0]), Everywhere())
    model = Model(replace(entry("click", [1.0, 1.0, 1.0]), certainty={"intercept": sure}), Brightness())
    proposal = InitialSegmenter(locator, model).propose(case, click_at(case.grid, (10, 30, 36), BOUNDARY))
    assert proposal.values.any() == sees


@pytest.mark.parametrize(
    ("row", "column", "meant"),
    [(30, 39, OTHER), (30, 20, OTHER), (30, 19, None), (14, 23, BRIGHT), (14, 24, None)],
)
def test_at_a_boundary_click_it_says_what_it_sees_there_without_being_told(case, row, column, meant):
    # The columns of the one are 26 to 33, of the other 10 to 17; more than 6 mm away none is meant.
    locator, network = Model(entry("locator", [2.0, 2.0, 2.0]), Brightness()), Brightness()
    whole = InitialSegmenter(locator, Model(entry("click", [1.0, 1.0, 1.0]), network))
    proposal = whole.propose(case, click_at(case.grid, (10, row, column), BOUNDARY), ArrayMask(case.grid))
    assert not network.seen[:, 2:].any()
    found = np.zeros(SHAPE, bool)
    found[proposal.box.slices] = proposal.values
    if meant is None:
        assert not found.any()
        return
    assert found[meant].mean() > 0.9
    assert found.sum() == found[meant].sum()


def test_the_initial_mask_is_the_networks_without_clicks(case):
    network = Brightness()
    locator = Model(entry("locator", [2.0, 2.0, 2.0]), Brightness())
    segmenter = InitialSegmenter(locator, Model(entry("click", [1.0, 1.0, 1.0]), network))
    for look, samples, times in (
        (segmenter.search, BOX_SAMPLES, 1),
        (segmenter.segment, LEARNED_SAMPLES, 2),
    ):
        assert look(case).found
        assert network.seen.shape == (times, 5, *(samples,) * 3)
        assert not network.seen[:, 2:].any()
    # The second look is a look in the mirror, too.
    np.testing.assert_array_equal(network.seen[1], network.seen[0].flip(-1))


def test_a_small_box_is_looked_at_in_the_mirror_too():
    array = np.zeros(SHAPE, np.int16)
    array[BRIGHT] = 1000
    case = Case(Volume(array, Grid(SHAPE, np.diag([1.0, 1.0, 2.0, 1.0]))))

    class LeftAlone(Brightness):
        """Sees the half of what is bright that lies to the left in what it is shown."""

        def head(self, features):
            there = super().head(features)
            there[..., there.shape[-1] // 2 :] = -9.0
            return there

    segmenter = ClickSegmenter(Model(entry("click", [1.0, 1.0, 1.0]), LeftAlone()))
    sizes = (BOX_SAMPLES, LEARNED_SAMPLES)
    windows = [segmenter.window_at(case.grid, (13.5, 13.5, 20.0), samples) for samples in sizes]
    once, twice = (segmenter.probability(case, window) for window in windows)
    # All of the image lies in both.
    assert windows[0].box == windows[1].box == case.grid.box
    left, right = (10, 14, 12), (10, 14, 16)
    # Half as likely on both sides as on the one side that it sees at a look.
    assert max(once[left], once[right]) > 0.99 and min(once[left], once[right]) < 0.01
    np.testing.assert_allclose([twice[left], twice[right]], 0.5, atol=0.01)


def test_held_clicks_hold_where_the_network_would_not_follow_them(case):
    torch.manual_seed(3)
    network = build("unet3d", in_channels=5, out_channels=1, channels=(4, 8, 8)).eval()
    model = Model(entry("click", [1.0, 1.0, 1.0]), network)
    dark, bright = (10, 22, 22), (10, 14, 14)
    window = ClickSegmenter(model).window(case, Box((0, 0, 0), case.grid.axial_shape))
    plain = ClickSegmenter(model).probability(case, window)
    # Whatever the random network says, the clicks say the opposite.
    kinds = [EXCLUDE if plain[place] > 0.5 else INCLUDE for place in (dark, bright)]
    clicks = [click_at(case.grid, place, kind) for place, kind in zip((dark, bright), kinds, strict=True)]
    clicks.append(click_at(case.grid, dark, BOUNDARY))
    held = ClickSegmenter(model, hold=True).probability(case, window, clicks=clicks)
    for place, kind in zip((dark, bright), kinds, strict=True):
        assert (held[place] > 0.6) == (kind is INCLUDE)
        assert (held[place] < 0.4) == (kind is EXCLUDE)
    # Without clicks there is nothing to hold.
    np.testing.assert_allclose(ClickSegmenter(model, hold=True).probability(case, window), plain, atol=1e-5)


def test_where_the_scanners_zero_lies_decides_of_nothing_that_is_held():
    # Around a click in the middle of a voxel the window lies so that it is half-way between two samples.
    torch.manual_seed(3)
    network = build("unet3d", in_channels=5, out_channels=1, channels=(4, 8, 8)).eval()
    model, index = Model(entry("click", [1.0, 1.0, 1.0]), network), (10, 14, 14)
    array = np.zeros(SHAPE, np.int16)
    array[BRIGHT] = 1000

    def seen(first, kind, hold=True):
        affine = np.diag([-0.9, -0.9, 1.1, 1.0])
        affine[:3, 3] = first, -first, first / 3
        case, segmenter = Case(Volume(array, Grid(SHAPE, affine))), ClickSegmenter(model, hold)
        window = segmenter.window(case, Box.of_voxel(index).padded(3))
        return segmenter.probability(case, window, clicks=[click_at(case.grid, index, kind)])

    kind = EXCLUDE if seen(0.0, INCLUDE, hold=False)[index] > 0.5 else INCLUDE
    expected = seen(0.0, kind)
    for first in np.arange(-90, 90, 37.37):
        np.testing.assert_allclose(seen(first, kind), expected, atol=1e-3)
