"""Losses against values worked out by hand, and at their edges."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from VSClickCorrectResearch.training import losses

LN3 = 1.0986122886681098  # sigmoid(ln 3) = 3/4, sigmoid(-ln 3) = 1/4
LOGITS = torch.tensor([[LN3, -LN3], [0.0, -LN3]]).reshape(1, 1, 2, 2)  # p = [[0.75, 0.25], [0.5, 0.25]]
TARGETS = torch.tensor([[1.0, 0.0], [1.0, 0.0]]).reshape(1, 1, 2, 2)
HAND = 3e-4  # room for the smoothing, a thousandth of a voxel in a cut of four


def sparing(logits, targets):
    """The sparing loss of a mask that is wrong everywhere but where the target is a half."""
    return losses.sparing_loss(logits, targets, 1 - targets.float())


OVERLAP = [losses.dice_loss, losses.tversky, losses.focal_tversky, losses.correction_loss]
ALL = [*OVERLAP, losses.generalised_dice, losses.weighted_bce, losses.dice_bce, losses.focal, sparing]


def volume(loss):
    return lambda logits, targets: loss(logits[:, :, None], targets[:, :, None])


ALL_WITH_VOLUMES = [*ALL, volume(losses.volumetric_correction_loss)]


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        # -(10 (ln 3/4 + ln 1/2) + 2 ln 3/4) / 4
        (losses.weighted_bce, 2.595914),
        # 1 - 2 * 1.25 / (1.75 + 2)
        (losses.dice_loss, 0.333333),
        # Both classes fill two voxels: 1 - 2 (1.25 + 1.5) / (3.75 + 4.25)
        (losses.generalised_dice, 0.3125),
        # 0.333333 - (ln 3/4 + ln 1/2 + 2 ln 3/4) / 4
        (losses.dice_bce, 0.722382),
        # (0.25 (0.0625 * 0.287682 + 0.25 * 0.693147) + 0.75 * 2 * 0.0625 * 0.287682) / 4
        (losses.focal, 0.018697),
        # TP 1.25, FP 0.5, FN 0.75: 1 - 1.25 / (1.25 + 0.3 * 0.5 + 0.7 * 0.75)
        (losses.tversky, 0.350649),
        # 0.350649 ** 0.75
        (losses.focal_tversky, 0.455674),
    ],
)
def test_defaults_by_hand(loss, expected):
    assert loss(LOGITS, TARGETS).item() == pytest.approx(expected, abs=HAND)


def test_parameters_by_hand():
    # -(3 (ln 3/4 + ln 1/2) + 2 ln 3/4) / 4
    assert losses.weighted_bce(LOGITS, TARGETS, 3.0).item() == pytest.approx(0.879463, abs=1e-5)
    # 0.333333 + 0.5 * 0.389048
    assert losses.dice_bce(LOGITS, TARGETS, bce_share=0.5).item() == pytest.approx(0.527857, abs=HAND)
    # Gamma 0 leaves the cross-entropy, alpha 0.5 half of it: 0.5 * 0.389048
    assert losses.focal(LOGITS, TARGETS, 0.5, 0.0).item() == pytest.approx(0.194524, abs=1e-5)
    # 1 - 1.25 / (1.25 + 0.9 * 0.5 + 0.1 * 0.75)
    assert losses.tversky(LOGITS, TARGETS, 0.9, 0.1).item() == pytest.approx(0.295775, abs=HAND)
    # 0.350649 ** 2
    assert losses.focal_tversky(LOGITS, TARGETS, gamma=2.0).item() == pytest.approx(0.122955, abs=HAND)


@pytest.mark.parametrize(
    ("targets", "expected"),
    [
        # Weights 1 and 1/9: 1 - 2 (0.75 + 2 / 9) / (2.75 + 5.25 / 9)
        ([[1.0, 0.0], [0.0, 0.0]], 0.416667),
        # 0.75 voxels weigh as 1, the background's 3.25 as 1/10.5625:
        # 1 - 2 (0.4375 + 1.9375 / 10.5625) / (2.5 + 5.5 / 10.5625)
        ([[0.5, 0.25], [0.0, 0.0]], 0.588883),
        # An empty tumour weighs as 1, the background's 4 voxels as 1/16:
        # 1 - 2 (2.25 / 16) / (1.75 + 6.25 / 16)
        ([[0.0, 0.0], [0.0, 0.0]], 0.868613),
    ],
)
def test_generalised_dice_by_hand(targets, expected):
    targets = torch.tensor(targets).reshape(1, 1, 2, 2)
    assert losses.generalised_dice(LOGITS, targets).item() == pytest.approx(expected, abs=1e-5)
    # The classes may change places.
    assert losses.generalised_dice(-LOGITS, 1 - targets).item() == pytest.approx(expected, abs=1e-5)


def test_generalised_dice_is_a_mean_over_samples_and_channels():
    logits, targets = LOGITS.repeat(2, 2, 1, 1), TARGETS.repeat(2, 2, 1, 1)
    targets[1, 1] = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    expected = (3 * 0.3125 + 0.416667) / 4
    assert losses.generalised_dice(logits, targets).item() == pytest.approx(expected, abs=1e-5)


def test_sparing_loss_by_hand():
    current = torch.tensor([[1.0, 1.0], [0.5, 0.0]]).reshape(1, 1, 2, 2)
    # Right, wrong, half right, right: weights 3, 1, 2, 3; -(7 ln 3/4 + 2 ln 1/2) / 9
    loss = losses.sparing_loss(LOGITS, TARGETS, current)
    assert loss.item() == pytest.approx(0.377785, abs=1e-5)
    # Weights 9, 1, 5, 9; -(19 ln 3/4 + 5 ln 1/2) / 24
    loss = losses.sparing_loss(LOGITS, TARGETS, current, harm=9.0)
    assert loss.item() == pytest.approx(0.372154, abs=1e-5)
    # The plain cross-entropy.
    loss = losses.sparing_loss(LOGITS, TARGETS, current, harm=1.0)
    assert loss.item() == pytest.approx(0.389048, abs=1e-5)


def test_sparing_loss_weighs_within_a_sample_and_counts_samples_alike():
    current = torch.tensor([[1.0, 1.0], [0.5, 0.0]]).reshape(1, 1, 2, 2)
    both = losses.sparing_loss(
        torch.cat([LOGITS, LOGITS]), torch.cat([TARGETS, TARGETS]), torch.cat([current, TARGETS])
    )
    # The second mask is right everywhere: the plain cross-entropy.
    assert both.item() == pytest.approx((0.377785 + 0.389048) / 2, abs=1e-5)


def test_spoiling_a_right_voxel_pulls_harder_than_leaving_a_wrong_one():
    logits = torch.zeros(1, 1, 1, 2, requires_grad=True)
    losses.sparing_loss(logits, torch.ones(1, 1, 1, 2), torch.tensor([[[[True, False]]]]), 5.0).backward()
    assert (logits.grad[..., 0] / logits.grad[..., 1]).item() == pytest.approx(5.0)


def test_sparing_loss_refuses_a_mask_of_another_shape():
    with pytest.raises(ValueError, match="differ in shape"):
        losses.sparing_loss(LOGITS, TARGETS, TARGETS[:, 0])


def test_correction_loss_by_hand():
    weights = torch.tensor([[2.0, 1.0], [1.0, 1.0]])
    # sum p y w = 1.5 + 0.5, sum (p + y) w = 3.5 + 0.25 + 1.5 + 0.25: 1 - 4 / 5.5
    assert losses.correction_loss(LOGITS, TARGETS, weights).item() == pytest.approx(0.272727, abs=HAND)


def test_volumetric_correction_loss_by_hand():
    weights = torch.tensor([[2.0, 1.0], [1.0, 1.0]])
    # Slice 0 is p = 0.5 on an empty target, slice 1, the middle one, as above.
    logits = torch.stack([torch.zeros(1, 1, 2, 2), LOGITS], dim=2)
    targets = torch.stack([torch.zeros(1, 1, 2, 2), TARGETS], dim=2)
    # 0.272727 + 0.75 (1 - 2.5 / (3.75 + 2))
    result = losses.volumetric_correction_loss(logits, targets, weights)
    assert result.item() == pytest.approx(0.696640, abs=HAND)
    # The other slice as the middle: 1 + 0.75 * 0.565217
    result = losses.volumetric_correction_loss(logits, targets, weights, middle=0)
    assert result.item() == pytest.approx(1.423913, abs=2 * HAND)
    # 0.272727 + 0.1 * 0.565217
    result = losses.volumetric_correction_loss(logits, targets, weights, alpha=0.1)
    assert result.item() == pytest.approx(0.329249, abs=HAND)


def test_volumetric_loss_refuses_slices():
    with pytest.raises(ValueError, match=r"\(b, c, depth, height, width\)"):
        losses.volumetric_correction_loss(LOGITS, TARGETS)


def test_center_weights_by_hand():
    # Corner 1; middle of a side 1 + (1 + cos(pi / sqrt 2)); middle 3.
    side = 1.394300
    expected = torch.tensor([[1.0, side, 1.0], [side, 3.0, side], [1.0, side, 1.0]])
    assert torch.allclose(losses.center_weights((3, 3)), expected, atol=1e-5)
    assert losses.center_weights((1, 1), peak=5.0).tolist() == [[5.0]]


@given(height=st.integers(2, 48), width=st.integers(2, 48), peak=st.floats(1.5, 20))
@settings(max_examples=30, deadline=None)
def test_center_weights_rise_from_1_in_the_corners_to_the_middle(height, width, peak):
    weights = losses.center_weights((height, width), peak)
    assert weights.shape == (height, width)
    assert weights[0, 0].item() == pytest.approx(1, abs=1e-4)
    assert weights.max() <= peak + 1e-4 and weights.min() >= 1 - 1e-4
    assert torch.allclose(weights, weights.flip(0), atol=1e-3)
    assert torch.allclose(weights, weights.flip(1), atol=1e-3)
    inward = weights[: (height + 1) // 2, width // 2].diff()
    assert (inward > 0).all()


def cost_of_mistake(loss, row, column):
    """Flip a square of 4 pixels in a perfect answer to a square tumour in the middle of the cut."""
    targets = torch.zeros(1, 1, 48, 48)
    targets[..., 12:36, 12:36] = 1
    answer = targets.clone()
    square = answer[..., row : row + 4, column : column + 4]
    square.copy_(1 - square)
    return loss(40 * answer - 20, targets).item()


def test_the_same_mistake_costs_more_in_the_middle():
    missed_middle, missed_corner = (22, 22), (12, 12)
    invented_side, invented_corner = (22, 40), (0, 44)
    for near, far in ((missed_middle, missed_corner), (invented_side, invented_corner)):
        corrected = [cost_of_mistake(losses.correction_loss, *place) for place in (near, far)]
        assert corrected[0] > 1.2 * corrected[1]
        dice = [cost_of_mistake(losses.dice_loss, *place) for place in (near, far)]
        assert dice[0] == pytest.approx(dice[1], rel=1e-4)


@pytest.mark.parametrize("loss", ALL_WITH_VOLUMES)
def test_empty_prediction_of_an_empty_target_costs_nothing(loss):
    assert loss(torch.full((1, 1, 8, 8), -40.0), torch.zeros(1, 1, 8, 8)).item() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("loss", ALL_WITH_VOLUMES)
def test_perfect_prediction_costs_nothing(loss):
    logits = torch.full((1, 1, 8, 8), -40.0)
    logits[..., 2:5, 3:6] = 40.0
    assert loss(logits, logits > 0).item() == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("loss", OVERLAP)
def test_one_voxel_missed_or_invented_costs_all(loss):
    empty, voxel = torch.zeros(1, 1, 8, 8), torch.zeros(1, 1, 8, 8)
    voxel[..., 4, 4] = 1
    assert loss(80 * empty - 40, voxel).item() == pytest.approx(1, abs=0.005)
    assert loss(80 * voxel - 40, empty).item() == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("loss", OVERLAP)
def test_overlap_is_taken_per_sample(loss):
    large = torch.zeros(1, 1, 8, 8)
    large[..., 1:7, 1:7] = 1
    small = torch.zeros(1, 1, 8, 8)
    small[..., 4, 4] = 1
    logits = torch.cat([80 * large - 40, torch.full((1, 1, 8, 8), -40.0)])  # the small one is missed
    assert loss(logits, torch.cat([large, small])).item() == pytest.approx(0.5, abs=0.005)


def test_focal_tversky_sums_over_channels_where_the_others_take_means():
    logits, targets = LOGITS.repeat(1, 2, 1, 1), TARGETS.repeat(1, 2, 1, 1)
    for loss, factor in ((losses.focal_tversky, 2), (losses.tversky, 1), (losses.dice_loss, 1)):
        assert loss(logits, targets).item() == pytest.approx(factor * loss(LOGITS, TARGETS).item())


@pytest.mark.parametrize("loss", ALL_WITH_VOLUMES)
@pytest.mark.parametrize("size", [1e4, -1e4, 0.0])
@pytest.mark.parametrize("target", [0.0, 0.5, 1.0])
def test_gradients_stay_finite(loss, size, target):
    logits = torch.full((2, 1, 4, 4), size)
    logits[..., 0, 0] = -size
    logits.requires_grad_()
    value = loss(logits, torch.full((2, 1, 4, 4), target))
    value.backward()
    assert value.isfinite() and logits.grad.isfinite().all()


@pytest.mark.parametrize("loss", ALL_WITH_VOLUMES)
@pytest.mark.parametrize("inside", [0, 3])
def test_gradients_stay_finite_where_nothing_is_left_to_learn(loss, inside):
    targets = torch.zeros(1, 1, 8, 8)
    targets[..., :inside, :inside] = 1
    logits = (400 * targets - 200).requires_grad_()
    loss(logits, targets).backward()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("gamma", [0.25, 0.5, 1.0, 5.0])
def test_focal_gradients_stay_finite_for_any_gamma(gamma):
    logits = torch.tensor([-1e4, -100.0, 0.0, 100.0, 1e4]).reshape(1, 1, 5).requires_grad_()
    losses.focal(logits, torch.tensor([0.0, 1.0, 0.5, 1.0, 1.0]).reshape(1, 1, 5), gamma=gamma).backward()
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("loss", ALL_WITH_VOLUMES)
def test_slopes_are_true(loss):
    generator = torch.Generator().manual_seed(1)
    logits = torch.randn(2, 2, 3, 3, generator=generator, dtype=torch.float64).requires_grad_()
    targets = torch.rand(2, 2, 3, 3, generator=generator, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda z: loss(z, targets), logits)


@pytest.mark.parametrize("loss", ALL_WITH_VOLUMES)
def test_half_precision_does_not_overflow(loss):
    logits = torch.full((1, 1, 300, 300), 9.0, dtype=torch.float16)
    logits[..., 200:] = -9.0
    value = loss(logits, logits > 0)
    assert value.dtype == torch.float32 and value.item() < 0.01


@pytest.mark.parametrize("loss", ALL)
def test_forgotten_channel_is_refused(loss):
    with pytest.raises(ValueError, match="differ in shape"):
        loss(torch.zeros(2, 1, 4, 4), torch.zeros(2, 4, 4))


def dice_written_out(p, y):
    """Equation 2.4 of the thesis, with the smoothing."""
    return 1 - (2 * (p * y).sum() + losses.SMOOTH) / ((p + y).sum() + losses.SMOOTH)


def tversky_written_out(p, y, alpha, beta):
    """Salehi et al. 2017, smoothed as if alpha = beta = 0.5 were to be the Dice loss."""
    hit, invented, missed = (p * y).sum(), (p * (1 - y)).sum(), ((1 - p) * y).sum()
    return 1 - (hit + losses.SMOOTH / 2) / (hit + alpha * invented + beta * missed + losses.SMOOTH / 2)


@pytest.mark.parametrize("shape", [(2, 1, 5, 6), (3, 2, 4, 5, 6)])
@pytest.mark.parametrize("fractional", [False, True])
def test_losses_of_monai_are_the_formulas_written_out(shape, fractional):
    generator = torch.Generator().manual_seed(4)
    logits = 3 * torch.randn(shape, generator=generator, dtype=torch.float64)
    targets = torch.rand(shape, generator=generator, dtype=torch.float64)
    targets = targets if fractional else (targets > 0.8).double()
    p = torch.sigmoid(logits)
    pairs = [(p[b, c], targets[b, c]) for b in range(shape[0]) for c in range(shape[1])]
    dice = sum(dice_written_out(*pair) for pair in pairs) / len(pairs)
    assert losses.dice_loss(logits, targets).item() == pytest.approx(dice.item(), rel=1e-12)
    each = [tversky_written_out(*pair, 0.2, 0.9) for pair in pairs]
    found = losses.tversky(logits, targets, 0.2, 0.9).item()
    assert found == pytest.approx((sum(each) / len(each)).item(), rel=1e-12)
    powers = sum(one**0.6 for one in each) / shape[0]
    assert losses.focal_tversky(logits, targets, 0.2, 0.9, 0.6).item() == pytest.approx(
        powers.item(), rel=1e-12
    )


MAPS = st.lists(st.floats(-5, 5), min_size=16, max_size=16)
FRACTIONS = st.lists(st.floats(0, 1), min_size=16, max_size=16)


@given(values=MAPS, fractions=FRACTIONS)
@settings(max_examples=40, deadline=None)
def test_overlap_losses_stay_between_0_and_1_and_agree_where_they_should(values, fractions):
    logits = torch.tensor(values).reshape(1, 1, 4, 4)
    targets = torch.tensor(fractions).reshape(1, 1, 4, 4)
    for loss in (*OVERLAP, losses.generalised_dice):
        assert -1e-5 <= loss(logits, targets).item() <= 1 + 1e-5
    dice = losses.dice_loss(logits, targets).item()
    assert losses.correction_loss(logits, targets, torch.ones(4, 4)).item() == pytest.approx(dice, abs=1e-6)
    assert losses.tversky(logits, targets, 0.5, 0.5).item() == pytest.approx(dice, abs=1e-5)


@given(values=MAPS, fractions=FRACTIONS)
@settings(max_examples=25, deadline=None)
def test_losses_do_not_care_about_flips_of_the_cut(values, fractions):
    logits = torch.tensor(values).reshape(1, 1, 4, 4)
    targets = torch.tensor(fractions).reshape(1, 1, 4, 4)
    for loss in ALL_WITH_VOLUMES:
        flipped = loss(logits.flip(-1), targets.flip(-1)).item()
        assert flipped == pytest.approx(loss(logits, targets).item(), rel=1e-4, abs=1e-5)
