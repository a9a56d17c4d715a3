"""Augmented batches: other sides, contrasts and missing sequences, and what must stay together."""

import pytest
import torch
from VSClickCorrectResearch.training.augmentation import augment, leave_out

SHAPE = (3, 6, 8)
MANY = 400


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def batch():
    """T1ce, T2, mask and click map of many samples, all alike; the target is the mask."""
    source = generator(5)
    images = torch.rand((1, 2, *SHAPE), generator=source) * 0.9 + 0.05
    images[..., :2, :] = 0.0  # the rim, where the window leaves the image
    mask = (torch.rand((1, 1, *SHAPE), generator=source) > 0.5).float()
    clicks = torch.rand((1, 1, *SHAPE), generator=source) * 2 - 1
    channels = torch.cat([images, mask, clicks], 1).repeat(MANY, 1, 1, 1, 1)
    return channels, channels[:, 2:3].clone()


@pytest.fixture
def augmented(batch):
    return augment(*batch, generator())


def mirrored(batch, augmented):
    """Which samples were mirrored, seen in the click map, which nothing else changes."""
    before, after = batch[0][:, 3], augmented[0][:, 3]
    same = (after == before).flatten(1).all(1)
    turned = (after == before.flip(-1)).flatten(1).all(1)
    assert (same ^ turned).all()
    return turned


def test_shapes_stay_and_images_stay_between_0_and_1(batch, augmented):
    assert augmented[0].shape == batch[0].shape
    assert augmented[1].shape == batch[1].shape
    assert 0.0 <= augmented[0][:, :2].min() <= augmented[0][:, :2].max() <= 1.0


def test_about_half_is_mirrored_and_target_and_mask_with_it(batch, augmented):
    turned = mirrored(batch, augmented)
    assert 0.4 < turned.float().mean() < 0.6
    assert torch.equal(augmented[1], augmented[0][:, 2:3])
    assert torch.equal(augmented[1][~turned], batch[1][~turned])
    assert torch.equal(augmented[1][turned], batch[1][turned].flip(-1))


def test_either_sequence_is_missing_now_and_then_but_never_both(batch):
    channels = leave_out(batch[0], 0.1, 0.3, generator())
    assert torch.equal(channels[:, 2:], batch[0][:, 2:])
    t1ce, t2 = (channels[:, n].flatten(1).any(1) for n in (0, 1))
    assert torch.equal(channels[t1ce, 0], batch[0][t1ce, 0])
    assert (t1ce | t2).all()
    assert 0.05 < (~t1ce).float().mean() < 0.16
    assert 0.22 < (~t2).float().mean() < 0.38


def test_only_sequence_of_a_case_is_never_left_out(batch):
    for absent in (0, 1):
        channels = batch[0].clone()
        channels[:, absent] = 0
        assert torch.equal(leave_out(channels, 0.5, 0.5, generator()), channels)


def test_missing_and_padded_samples_stay_exactly_0(batch, augmented):
    assert not augmented[0][:, :2, :, :2].any()


def test_contrast_changes_from_sample_to_sample_but_keeps_the_order_of_greys(batch, augmented):
    turned = mirrored(batch, augmented)
    before = torch.where(turned[:, None, None, None], batch[0][:, 0].flip(-1), batch[0][:, 0])
    after = augmented[0][:, 0]
    there = after.flatten(1).any(1)
    grey = after[there][:, :, 2:].flatten(1)
    assert grey.mean(dim=1).std() > 0.03
    order = before[there][:, :, 2:].flatten(1).argsort(dim=1)
    assert (grey.gather(1, order).diff(dim=1) >= -1e-6).all()


def test_one_seed_gives_one_batch_and_another_seed_another(batch, augmented):
    again, other = augment(*batch, generator()), augment(*batch, generator(1))
    assert torch.equal(again[0], augmented[0])
    assert torch.equal(again[1], augmented[1])
    assert not torch.equal(other[0], augmented[0])


def test_the_given_batch_is_not_changed(batch):
    copies = [tensor.clone() for tensor in batch]
    augment(*batch, generator())
    assert all(torch.equal(a, b) for a, b in zip(batch, copies, strict=True))


def test_crops_without_mask_channel_are_augmented_too(batch):
    channels, target = augment(batch[0][:, :2], batch[1], generator())
    assert channels.shape == (MANY, 2, *SHAPE)
    assert target.shape == batch[1].shape
