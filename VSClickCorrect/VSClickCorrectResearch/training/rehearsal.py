"""Whether the parts of an experiment fit each other, found out before any case is read."""

from __future__ import annotations

import inspect

import torch
from torch import Tensor, nn
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.preprocessing import MULTIPLE
from VSClickCorrectLib.inference.corrector import network_input
from VSClickCorrectLib.inference.model_entry import check_network
from VSClickCorrectLib.networks.registry import dimensions, halvings
from VSClickCorrectLib.networks.unet3d import UNet3D

from VSClickCorrectResearch.training.experiments import Experiment
from VSClickCorrectResearch.training.objective import Loss

# Channels of a network that sees volumes: T1ce and T2; mask, include and exclude clicks besides.
_CHANNELS = {"locator": 2, "initial": 2, "click": 5}
_SIDE = 16
# The product's windows of volumes are divisible by two so often, see `geometry.preprocessing.MULTIPLE`.
_MOST_HALVINGS = MULTIPLE.bit_length() - 1


def rehearse(experiment: Experiment, network: nn.Module, loss: Loss) -> None:
    """Take one step's way with an empty example: inputs, network, loss.

    Parameters
    ----------
    experiment : Experiment
        What is to be trained.
    network : nn.Module
        Its network, which stays as it is.
    loss : callable
        Its loss, of logits and targets.

    Raises
    ------
    ModelError
        If the network does not suit its role, cannot halve what it is shown as often as it does, cannot see
        what its role sees, does not give one output for each voxel of the target, or the loss cannot be
        computed; the message says which.
    """
    _check_classes(experiment)
    check_network(experiment.role, experiment.network["name"], experiment.parameters, experiment.geometry)
    _check_sides(experiment)
    channels, targets = _example(experiment)
    if experiment.role == "corrector":
        channels = network_input(channels, dimensions(experiment.network["name"]))
    training = network.training
    try:
        with torch.no_grad():
            logits = network.eval()(channels)
            _check_outputs(experiment, logits, targets)
            loss(logits, targets)
    except (RuntimeError, TypeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ModelError(f"'{experiment.name}' cannot be trained: {reason}.") from None
    finally:
        network.train(training)


def _check_sides(experiment: Experiment) -> None:
    name, times = experiment.network["name"], halvings(experiment.network["name"], experiment.parameters)
    if experiment.role == "corrector":
        cuts = PatchGeometry(**experiment.geometry)
        sides: dict[str, tuple[int, ...]] = {"size of [geometry]": (cuts.size,)}
        if dimensions(name) == 3:
            sides["slices of [geometry]"] = (cuts.slices,)
    else:
        examples = experiment.examples
        sides = {"crop of [examples]": examples.crop, "cubes of [examples]": examples.cubes}
        if times > _MOST_HALVINGS:
            raise ModelError(
                f"'{experiment.name}': the network '{name}' halves its sides {times} times, but volumes are "
                f"shown in multiples of {MULTIPLE}; give it at most {_MOST_HALVINGS + 1} channels."
            )
    for word, values in sides.items():
        if any(value % 2**times for value in values):
            raise ModelError(
                f"'{experiment.name}': the network '{name}' halves its sides {times} times; "
                f"make {word} divisible by {2**times}."
            )


def _example(experiment: Experiment) -> tuple[Tensor, Tensor]:
    """Return empty channels and targets, as `Task.batch_at` gives them."""
    if experiment.role != "corrector":
        shape = [min(side, _SIDE + side % MULTIPLE) for side in experiment.examples.crop]
        channels = len(experiment.channels) or _CHANNELS[experiment.role]
        return torch.zeros(1, channels, *shape), torch.zeros(1, 1, *shape)
    cuts = PatchGeometry(**experiment.geometry)
    shape = [cuts.slices, cuts.size, cuts.size]
    return torch.zeros(1, 3 + cuts.click_map, *shape), torch.zeros(1, 2, *shape)


def _check_classes(experiment: Experiment) -> None:
    """Refuse a network of several classes whose inputs or outputs are not as many as are named."""
    names, parameters = experiment.classes, inspect.signature(UNet3D).parameters
    if not names:
        return
    wanted = {"in_channels": len(experiment.channels), "out_channels": 1 + len(names)}
    reasons = {"in_channels": f"{wanted['in_channels']} channels", "out_channels": f"{len(names)} classes"}
    for word, count in wanted.items():
        there = experiment.parameters.get(word, parameters[word].default)
        if there != count:
            more = " and the background" if word == "out_channels" else ""
            raise ModelError(
                f"'{experiment.name}': {word} of [network] is {there}, but {reasons[word]}{more} need "
                f"{count}; mend one of the two."
            )


def _check_outputs(experiment: Experiment, logits: Tensor, targets: Tensor) -> None:
    if experiment.classes:
        return
    if logits.numel() != targets[:, :1].numel():
        raise ModelError(
            f"'{experiment.name}': the network gives {tuple(logits.shape)[1:]}, but one number is wanted for "
            f"each voxel of {tuple(targets.shape)[2:]}; mend out_channels of [network]."
        )
