"""How long and how fast to train."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from VSClickCorrectLib.errors import ModelError

from VSClickCorrectResearch.training.experiments import Course

PRECISIONS = ("float32", "bfloat16")
# What may change between two parts of one training: how far it goes, and on what it runs.
_FREE = {"steps", "minutes", "stop_after", "threads", "workers", "device"}


@dataclass(frozen=True)
class Machine:
    """How the trainings of a table are run; what they learn is said by experiments.

    Parameters
    ----------
    threads : int
        Of the processor.
    precision : {"float32", "bfloat16"}
        As of a `Schedule`.
    """

    threads: int = 2
    precision: str = "float32"


@dataclass(frozen=True)
class Schedule:
    """How long and how fast to train.

    Parameters
    ----------
    steps : int
        Batches at most.
    val_every : int
        Batches between two looks at the validation set; there is one more look at the end. A training that
        is later given more steps sees what it would have seen at once if it ended on a multiple of this.
    learning_rate : float
        Of Adam, at the beginning.
    patience : int
        Looks without gain after which the learning rate is halved.
    minutes : float
        Training ends after this time even if steps are left; interruptions do not count.
    threads : int
        Of the processor, for the network.
    stop_after : int, optional
        Looks without gain after which training ends; never if left out.
    lowest_rate : float
        The learning rate is not halved below this.
    average : float
        Decay of the exponential moving average of weights and batch statistics, 0 to below 1; that average
        is then what is scored and kept. In the first steps the decay is lower, ``(1 + step) / (10 + step)``,
        so that the random weights of the beginning are soon forgotten. 0 takes the weights as they are.
    precision : {"float32", "bfloat16"}
        Of the network's forward and backward pass in training; weights, losses and scores are always
        single precision.
    device : str
        ``"auto"``, ``"cuda"``, ``"mps"`` or ``"cpu"``.
    milestones : tuple of int
        Batches after which the learning rate is multiplied by ``decay``; it is then not halved. None: it is
        halved when scores no longer rise.
    decay : float
        See ``milestones``.
    workers : int
        Processes that make batches ahead of the network; 0 makes each when its turn comes. They are forked,
        which Linux and macOS can. Not for a network that takes clicks: its own masks are among its inputs,
        and that of a forked process does not learn.
    taught : mapping
        What is learned, by the names of `checkpoint.EXPERIMENT`: it must not change, either, when the
        training goes on.
    """

    steps: int
    val_every: int = 100
    learning_rate: float = 1e-3
    patience: int = 2
    minutes: float = float("inf")
    threads: int = 2
    stop_after: int | None = None
    lowest_rate: float = 1e-6
    average: float = 0.0
    precision: str = "float32"
    device: str = "auto"
    workers: int = 0
    milestones: tuple[int, ...] = ()
    decay: float = 0.1
    taught: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what a person may have written.

        Raises
        ------
        ModelError
            If a number is out of its range or the precision is unknown.
        """
        for name in ("steps", "val_every", "threads"):
            if getattr(self, name) < 1:
                raise ModelError(f"{name} of a training must be at least 1, not {getattr(self, name)}.")
        if not 0 <= self.average < 1:
            raise ModelError(f"average of a training must be from 0 to below 1, not {self.average}.")
        if self.precision not in PRECISIONS:
            raise ModelError(f"the precision '{self.precision}' is unknown; choose float32 or bfloat16.")

    @classmethod
    def of(cls, course: Course, steps: int | None = None, **how: Any) -> Schedule:
        """Return an experiment's schedule.

        Parameters
        ----------
        course : Course
            The experiment's.
        steps : int, optional
            Other ones than its own.
        **how
            What an experiment does not say: minutes, threads, precision, device, workers.

        Raises
        ------
        ModelError
            As for a schedule.
        """
        return cls(
            steps or course.steps,
            val_every=course.val_every,
            learning_rate=course.learning_rate,
            patience=course.patience,
            stop_after=course.stop_after or None,
            average=course.average,
            milestones=tuple(epochs * course.epoch for epochs in course.milestones),
            decay=course.decay,
            **how,
        )

    def settings(self) -> dict[str, Any]:
        """Return what must not change when an interrupted training goes on."""
        # What says nothing without milestones is left out, so that older trainings go on.
        silent = set() if self.milestones else {"milestones", "decay"}
        own = {name: value for name, value in asdict(self).items() if name not in _FREE | silent}
        return {**own.pop("taught"), **own}
