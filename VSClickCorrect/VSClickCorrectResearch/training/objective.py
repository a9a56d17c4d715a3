"""What is minimised: a loss by its name, with what is added to it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import partial

from torch import Tensor
from VSClickCorrectLib.errors import ModelError

from VSClickCorrectResearch.training import class_losses, losses, named_losses
from VSClickCorrectResearch.training.experiments import Experiment, Objective

Loss = Callable[[Tensor, Tensor], Tensor]
# Logits and truth, which every loss takes first.
_OPERANDS = 2

_LOSSES: dict[str, Callable[..., Tensor]] = {
    "weighted_bce": losses.weighted_bce,
    "dice": losses.dice_loss,
    "generalised_dice": losses.generalised_dice,
    "dice_bce": losses.dice_bce,
    "dice_focal": named_losses.dice_focal,
    "focal": losses.focal,
    "tversky": losses.tversky,
    "focal_tversky": losses.focal_tversky,
    "correction": named_losses.correction,
    "volumetric_correction": named_losses.volumetric_correction,
}
_CLASS_LOSSES: dict[str, Callable[..., Tensor]] = {
    "dice": class_losses.class_dice,
    "generalised_dice": class_losses.generalised_class_dice,
}


def loss_of(experiment: Experiment) -> Loss:
    """Return what an experiment minimises, one of several classes too; raises as `objective`."""
    return class_objective(experiment.loss) if experiment.classes else objective(experiment.loss)


def objective(wanted: Objective) -> Loss:
    """Return what an experiment minimises.

    Parameters
    ----------
    wanted : Objective
        The experiment's.

    Returns
    -------
    callable
        Of logits, in whatever shape the network gives, and targets ``(b, 1 or 2, slices, rows, columns)``:
        the truth and, for cuts, the mask to correct.

    Raises
    ------
    ModelError
        If there is no such loss, it has no such parameter, or that is no number of at least 0.
    """
    main = _named(wanted, _LOSSES)

    def total(logits: Tensor, targets: Tensor) -> Tensor:
        truth = targets[:, :1]
        logits = logits.reshape(truth.shape)
        value = main(logits, truth)
        if wanted.entropy:
            value = value + wanted.entropy * losses.weighted_bce(logits, truth, wanted.tumour_weight)
        if wanted.sparing:
            value = value + wanted.sparing * losses.sparing_loss(logits, truth, targets[:, 1:])
        return value

    return total


def class_objective(wanted: Objective) -> Loss:
    """Return what an experiment of several classes minimises: of logits and numbers of classes.

    Raises
    ------
    ModelError
        As `objective`, or if masks to correct are asked for.
    """
    main = _named(wanted, _CLASS_LOSSES, " for several classes")
    if wanted.sparing:
        raise ModelError("'sparing' of [loss] is for masks to correct; leave it out where there are classes.")

    def total(logits: Tensor, targets: Tensor) -> Tensor:
        value = main(logits, targets)
        if wanted.entropy:
            value = value + wanted.entropy * class_losses.class_entropy(logits, targets, wanted.tumour_weight)
        return value

    return total


def _named(wanted: Objective, known: dict[str, Callable[..., Tensor]], kind: str = "") -> Loss:
    """Return one of several losses by its name, with its parameters; raises `ModelError` as `objective`."""
    if wanted.name not in known:
        raise ModelError(f"There is no loss '{wanted.name}'{kind}; choose one of {', '.join(known)}.")
    loss, name = known[wanted.name], f"'{wanted.name}'{kind}"
    words = list(inspect.signature(loss).parameters)[_OPERANDS:]
    for word, value in wanted.parameters.items():
        if word not in words:
            has = f"it has {', '.join(words)}" if words else "it has none"
            raise ModelError(f"Loss {name} has no parameter '{word}'; {has}.")
        # To Python true is a number, too.
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ModelError(
                f"Parameter '{word}' of loss {name} must be a number of at least 0, not {value!r}."
            )
    return partial(loss, **wanted.parameters)
