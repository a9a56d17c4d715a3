"""A training that is done in a second, that can be killed, and as a program that torchrun can start.

``python small_training.py OUTPUT``
"""

import argparse
import os
import time
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn
from torch.optim.optimizer import register_optimizer_step_post_hook
from VSClickCorrectResearch.training.loop import Schedule, fit
from VSClickCorrectResearch.training.losses import dice_bce, generalised_dice

SEED = 7
LONG = Schedule(40, val_every=8, learning_rate=0.1, patience=0, average=0.8, threads=1, device="cpu")
SHARED = Schedule(3, val_every=1, learning_rate=0.05, threads=1, device="cpu")


def restless_network():
    """A network with all that a checkpoint could forget: batch statistics, dropout, a layout of its own."""
    torch.manual_seed(SEED)
    network = nn.Sequential(
        nn.Conv2d(2, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.Dropout(0.3), nn.Conv2d(6, 1, 1)
    )
    return network.to(memory_format=torch.channels_last)


def plain_network():
    """A network without batch statistics, in double precision."""
    torch.manual_seed(SEED)
    return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 1, 1)).double()


def batch_at(step):
    """Four samples, each with a tumour of another size."""
    inputs = torch.rand(4, 2, 8, 8, generator=torch.Generator().manual_seed(step))
    return inputs, (inputs[:, :1] > torch.tensor([0.2, 0.5, 0.8, 0.95])[:, None, None, None]).float()


def double_batch_at(step):
    """Return the same in double precision."""
    inputs, targets = batch_at(step)
    return inputs.double(), targets.double()


def score(network):
    """Return 1 less the loss on a batch that is never trained on."""
    inputs, targets = batch_at(0)
    return 1 - dice_bce(network(inputs), targets).item()


def both_kinds(logits, targets):
    """Return a loss of overlap and cross-entropy together."""
    return dice_bce(logits, targets) + generalised_dice(logits, targets)


def train_long(output, batches=batch_at, schedule=LONG):
    """Train the restless network."""
    network = restless_network()
    fit(network, batches, dice_bce, score, schedule, output, seed=SEED)
    return network


def train_hanging(output, hang_at):
    """Train it up to a step, say so and never end."""

    def hanging(step):
        if step == hang_at:
            (output / "hangs").touch()
            time.sleep(600)
        return batch_at(step)

    train_long(output, hanging)


def train_shared(output):
    """Train the plain network; return its weights, the gradients of every step and the looks at it."""
    network, found, looks = plain_network(), {}, []

    def keep_gradients(*_):
        step = len(found) // len(list(network.parameters()))
        for name, weight in network.named_parameters():
            found[f"{step}.{name}"] = weight.grad.clone()

    def count(_network):
        looks.append(len(looks))
        return float(len(looks))

    hook = register_optimizer_step_post_hook(keep_gradients)
    fit(network, double_batch_at, both_kinds, count, SHARED, output, seed=SEED)
    hook.remove()
    return network.state_dict(), found, looks


def main():
    """Train as one of the processes that share a training."""
    parser = argparse.ArgumentParser()
    parser.add_argument("output", type=Path)
    output = parser.parse_args().output
    weights, gradients, looks = train_shared(output)
    rank = os.environ["RANK"]
    save_file(weights, output / f"weights-{rank}.safetensors")
    save_file(gradients, output / f"gradients-{rank}.safetensors")
    (output / f"looks-{rank}").write_text(str(looks))


if __name__ == "__main__":
    main()
