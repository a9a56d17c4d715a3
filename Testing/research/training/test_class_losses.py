"""Losses of several classes against MONAI's and against their formulas, written out voxel by voxel."""

import numpy as np
import pytest
import torch
from monai.losses import DiceLoss, GeneralizedDiceLoss
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectResearch.evaluation.class_scores import class_dices, generalised_dice_score
from VSClickCorrectResearch.training.class_losses import (
    class_dice,
    class_entropy,
    generalised_class_dice,
)
from VSClickCorrectResearch.training.experiments import Objective
from VSClickCorrectResearch.training.objective import class_objective

CLASSES = 3


def batch(seed=0, without=None):
    """Logits and targets of two samples; one of them may lack a class."""
    generator = torch.Generator().manual_seed(seed)
    logits = 2 * torch.randn(2, 1 + CLASSES, 5, 6, 7, generator=generator)
    targets = torch.randint(0, 1 + CLASSES, (2, 1, 5, 6, 7), generator=generator).float()
    if without is not None:
        targets[0][targets[0] == without] = 0
    return logits, targets


@pytest.mark.parametrize("without", [None, 1, 3])
def test_losses_are_those_of_monai(without):
    logits, targets = batch(without=without)
    same = {"softmax": True, "to_onehot_y": True}
    monai = GeneralizedDiceLoss(**same, w_type="square", smooth_nr=0, smooth_dr=0)(logits, targets)
    assert generalised_class_dice(logits, targets).item() == pytest.approx(monai.item(), rel=1e-5)
    monai = DiceLoss(**same, include_background=False, smooth_nr=1e-3, smooth_dr=1e-3)(logits, targets)
    assert class_dice(logits, targets).item() == pytest.approx(monai.item(), rel=1e-5)


def test_generalised_loss_is_sudre_s_formula_written_out():
    logits, targets = batch(1)
    losses = []
    for sample, truth in zip(torch.softmax(logits.double(), 1).numpy(), targets[:, 0].numpy(), strict=True):
        over, under = 0.0, 0.0
        for label in range(1 + CLASSES):
            weight = 1 / (truth == label).sum() ** 2
            over += weight * sample[label][truth == label].sum()
            under += weight * (sample[label].sum() + (truth == label).sum())
        losses.append(1 - 2 * over / under)
    assert generalised_class_dice(logits, targets).item() == pytest.approx(np.mean(losses), rel=1e-5)


@pytest.mark.parametrize("loss", [class_dice, generalised_class_dice, class_entropy])
def test_what_is_right_costs_nothing_and_each_loss_has_a_slope(loss):
    _, targets = batch(2)
    right = torch.stack([(targets[:, 0] == n).float() * 60 for n in range(1 + CLASSES)], 1)
    assert loss(right, targets).item() == pytest.approx(0, abs=1e-4)
    logits = batch(2)[0].requires_grad_()
    loss(logits, targets).backward()
    assert all(logits.grad[:, n].abs().max() > 0 for n in range(1 + CLASSES))


def test_half_precision_gives_the_same():
    logits, targets = batch(3)
    assert generalised_class_dice(logits.half(), targets) == pytest.approx(
        generalised_class_dice(logits.half().float(), targets)
    )


def test_shapes_and_numbers_that_do_not_fit_are_refused():
    logits, targets = batch()
    with pytest.raises(ValueError, match="need one channel"):
        class_dice(logits, targets.repeat(1, 2, 1, 1, 1))
    with pytest.raises(ValueError, match="a target is of class 4, but there are 3"):
        generalised_class_dice(logits, targets + 1)


def test_an_objective_of_classes_is_chosen_by_its_name():
    logits, targets = batch()
    mixed = class_objective(Objective("dice", entropy=0.5, tumour_weight=2.0))(logits, targets)
    parts = class_dice(logits, targets) + 0.5 * class_entropy(logits, targets, 2.0)
    assert mixed.item() == pytest.approx(parts.item())
    with pytest.raises(ModelError, match="no loss 'focal' for several classes; choose one of dice, gen"):
        class_objective(Objective("focal"))
    with pytest.raises(ModelError, match="has no parameter 'alpha'"):
        class_objective(Objective("dice", parameters={"alpha": 1}))
    with pytest.raises(ModelError, match="'sparing'"):
        class_objective(Objective("dice", sparing=1.0))


def test_scores_of_maps_are_one_less_the_losses_of_hard_predictions():
    logits, targets = batch(4)
    found = logits.argmax(1)
    hard = torch.nn.functional.one_hot(found, 1 + CLASSES).movedim(-1, 1) * 80.0
    losses = [generalised_class_dice(hard[n : n + 1], targets[n : n + 1]).item() for n in range(2)]
    scores = [generalised_dice_score(found[n].numpy(), targets[n, 0].numpy(), CLASSES) for n in range(2)]
    np.testing.assert_allclose(scores, 1 - np.array(losses), rtol=1e-5)


def test_a_class_that_the_truth_lacks_has_no_score_but_costs_the_generalised_one():
    truth = np.zeros((4, 4, 4), int)
    truth[:2] = 1
    found = truth.copy()
    assert class_dices(found, truth, 2) == [1.0, None]
    assert generalised_dice_score(found, truth, 2) == 1.0
    found[3] = 2
    assert class_dices(found, truth, 2) == [1.0, None]
    # 2 (32 + 16) / (64 + 48 + 16) with equal weights.
    assert generalised_dice_score(found, truth, 2) == pytest.approx(0.75)
