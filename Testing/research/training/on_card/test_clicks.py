"""Clicks and wrong masks on a card: as those that are made one by one on the processor."""

import numpy as np
import pytest
import torch
from VSClickCorrectLib.inference import click_channels
from VSClickCorrectResearch.training.on_card.clicks import Scenes, by_hand, draw_clicks, perturbed

SHAPE = (32, 32, 32)


@pytest.fixture
def chance():
    return torch.Generator().manual_seed(3)


def ball(center, radius):
    k, j, i = np.ogrid[tuple(slice(0, n) for n in SHAPE)]
    c = center
    return torch.from_numpy((k - c[0]) ** 2 + (j - c[1]) ** 2 + (i - c[2]) ** 2 <= radius**2)


def scenes_of(*truths, masks=None):
    truth = torch.stack(truths)
    made = Scenes.of(torch.zeros(len(truth), 2, *SHAPE), truth)
    if masks is not None:
        made.mask[:] = torch.stack(masks)
    return made


def places(channel):
    return torch.stack([one.flatten().argmax() for one in channel]), channel.flatten(1).amax(1)


def everywhere(scenes):
    return torch.ones(len(scenes.truth), dtype=torch.bool)


def test_clicks_are_drawn_as_the_product_draws_them():
    clicks = [(10.3, 12.8, 20.1), (0.0, 31.0, 5.5), (16.0, 16.0, 16.0)]
    channel = torch.zeros(3, *SHAPE)
    draw_clicks(channel, torch.tensor(clicks), torch.tensor([True, True, False]))
    for one, click in zip(channel[:2], clicks[:2], strict=True):
        np.testing.assert_allclose(one.numpy(), click_channels.draw_clicks(SHAPE, [click]), atol=1e-5)
    assert not channel[2].any()
    # A second click in the same scene leaves the first.
    draw_clicks(channel, torch.tensor([(25.0, 5.0, 5.0)] * 3), torch.tensor([True, False, False]))
    both = click_channels.draw_clicks(SHAPE, [clicks[0], (25.0, 5.0, 5.0)])
    np.testing.assert_allclose(channel[0].numpy(), both, atol=1e-5)


def test_a_click_on_an_error_is_in_the_middle_of_the_largest(chance):
    tumour, other = ball((10, 12, 14), 6), ball((24, 24, 24), 3)
    nothing = torch.zeros(SHAPE, dtype=torch.bool)
    scenes = scenes_of(
        tumour | other, tumour, tumour | other, tumour, masks=[nothing, tumour | other, tumour, tumour]
    )
    scenes.click_error(everywhere(scenes), chance)
    missed, found = (torch.tensor([0, 2]), torch.tensor([1]))
    assert (scenes.include[missed].flatten(1).amax(1) > 0.5).all()
    assert (scenes.exclude[found].flatten(1).amax(1) > 0.5).all()
    assert not scenes.exclude[missed].any()
    assert not scenes.include[found].any()
    # Nothing is wrong with the last.
    assert not scenes.include[3].any()
    assert not scenes.exclude[3].any()
    middles = {0: (10, 12, 14), 2: (24, 24, 24)}
    for number, middle in middles.items():
        place = np.unravel_index(int(scenes.include[number].argmax()), SHAPE)
        assert np.linalg.norm(np.subtract(place, middle)) < 6


def test_of_two_errors_as_deep_the_one_among_more_error_is_clicked(chance):
    plate, speck = (torch.zeros(SHAPE, dtype=torch.bool) for _ in range(2))
    plate[14:17, 4:24, 4:24] = True
    speck[26:29, 26:29, 26:29] = True
    scenes = scenes_of(*[plate | speck] * 20)
    scenes.click_error(everywhere(scenes), chance)
    heights = [np.unravel_index(int(one.argmax()), SHAPE)[0] for one in scenes.include]
    # One in twenty is off target on purpose.
    assert sum(height < 22 for height in heights) >= 18


def test_first_clicks_are_inside_the_tumour_of_scenes_that_have_one(chance):
    tumour, nothing = ball((16, 16, 16), 8), torch.zeros(SHAPE, dtype=torch.bool)
    scenes = scenes_of(*[tumour] * 40, nothing)
    asked = everywhere(scenes)
    asked[0] = False
    scenes.click_inside(asked, chance)
    clicked = scenes.include.flatten(1).any(1)
    assert clicked.tolist() == [False, *[True] * 39, False]
    found = [np.unravel_index(int(one.argmax()), SHAPE) for one in scenes.include[1:40]]
    distances = [np.linalg.norm(np.subtract(place, 16)) for place in found]
    assert sum(distance < 10 for distance in distances) >= 35
    assert len(set(found)) > 30


def test_hands_are_near_and_some_are_off_target(chance):
    exact = torch.full((4000, 3), 16.0)
    moved = (by_hand(exact, torch.Size(SHAPE), chance) - exact).norm(dim=1)
    # Of 0.6 voxels on average along each axis, but for one of twenty.
    assert moved.median() == pytest.approx(0.85, abs=0.15)
    assert 0.01 < (moved > 6).float().mean() < 0.06
    at_the_rim = by_hand(torch.zeros(100, 3), torch.Size(SHAPE), chance)
    assert at_the_rim.min() >= 0


def test_wrong_masks_are_grown_shrunken_cut_or_have_something_beside(chance):
    tumour = ball((16, 16, 16), 9)
    many = torch.stack([tumour] * 60)
    wrong = perturbed(many, chance)
    lost, added = ((many & ~wrong).flatten(1).any(1), (wrong & ~many).flatten(1).any(1))
    assert (lost & ~added).sum() > 10
    assert (added & ~lost).sum() > 10
    assert (~lost & ~added).sum() > 3
    # By three voxels at most where it is not cut.
    assert (wrong & ball((16, 16, 16), 2)).flatten(1).any(1).float().mean() > 0.8
