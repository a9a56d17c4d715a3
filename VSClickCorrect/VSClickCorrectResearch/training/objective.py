"""What is minimised: a loss by its name, with what is added to it."""

from __future__ import annotations

import inspect
from collections.abc import Callable

from torch import Tensor
from VSClickCorrectLib.errors import ModelError

from VSClickCorrectResearch.training import losses, named_losses
from VSClickCorrectResearch.training.class_losses import class_objective
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
    if wanted.name not in _LOSSES:
        raise ModelError(f"There is no loss '{wanted.name}'; choose one of {', '.join(_LOSSES)}.")
    main = _LOSSES[wanted.name]
    known = list(inspect.signature(main).parameters)[_OPERANDS:]
    for word, value in wanted.parameters.items():
        if word not in known:
            has = f"it has {', '.join(known)}" if known else "it has none"
            raise ModelError(f"Loss '{wanted.name}' has no parameter '{word}'; {has}.")
        # To Python true is a number, too.
        if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            raise ModelError(
                f"Parameter '{word}' of loss '{wanted.name}' must be a number of at least 0, not {value!r}."
            )

    def total(logits: Tensor, targets: Tensor) -> Tensor:
        truth = targets[:, :1]
        logits = logits.reshape(truth.shape)
        value = main(logits, truth, **wanted.parameters)
        if wanted.entropy:
            value = value + wanted.entropy * losses.weighted_bce(logits, truth, wanted.tumour_weight)
        if wanted.sparing:
            value = value + wanted.sparing * losses.sparing_loss(logits, truth, targets[:, 1:])
        return value

    return total
