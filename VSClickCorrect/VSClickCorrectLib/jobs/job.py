"""Seconds of work in a child process, watched from an event loop that must not stand still."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Generic, TypeVar, cast

from VSClickCorrectLib.errors import Cancelled, VSClickError
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.io.registration import SEQUENCES, Registration
from VSClickCorrectLib.jobs.exchange import last_progress, read_result, write_task
from VSClickCorrectLib.jobs.learning_task import Adaptation, Adapted
from VSClickCorrectLib.jobs.prepared import Preparation
from VSClickCorrectLib.jobs.process import Child
from VSClickCorrectLib.jobs.warm import WarmChild

Result = TypeVar("Result", InitialMask, Registration, Adapted)


@dataclass(frozen=True)
class JobState:
    """How far a job is.

    Parameters
    ----------
    fraction : float
        Between 0 and 1.
    message : str
        What is going on.
    done : bool
        Whether `Job.result` answers at once.
    """

    fraction: float
    message: str
    done: bool


class Job(Generic[Result]):
    """Work that goes on in a child process, because threads starve while Slicer waits for events.

    The volumes go over as files in a temporary folder, which is removed when the job is cancelled or
    dropped, or when its result was read. Where this process ends, the child ends too.

    Parameters
    ----------
    child : Child
        With the task in its folder; it belongs to the job from now on.
    """

    def __init__(self, child: Child) -> None:
        self._child = child
        self._cancelled = False
        self._outcome: Result | VSClickError | None = None

    @staticmethod
    def start_segmentation(
        case: Case, choice: Choice, warm: WarmChild | None = None, python: Path | None = None
    ) -> Job[InitialMask]:
        """Begin to find the tumour; see `InitialSegmenter.segment`.

        Parameters
        ----------
        case : Case
            The sequences.
        choice : Choice
            Which networks.
        warm : WarmChild, optional
            Does it, if it has loaded these networks; it is nobody else's then.
        python : Path, optional
            As for `Child`, whose errors are raised.
        """

        def write(folder: Path) -> None:
            write_task(folder, "segmentation", choice._asdict(), case.present)

        if warm is None or not warm.is_ready_for(choice):
            return Job(Child(write, python))
        warm.wake(write)
        return Job(warm)

    @staticmethod
    def start_registration(t1ce: Volume, t2: Volume, names: tuple[str, str] = SEQUENCES) -> Job[Registration]:
        """Begin to register a T2 to the T1ce; see `io.registration.register`."""
        told, volumes = {"names": names}, {"t1ce": t1ce, "t2": t2}
        return Job(Child(lambda folder: write_task(folder, "registration", told, volumes)))

    @staticmethod
    def start_preparation(preparation: Preparation) -> Job[InitialMask]:
        """Begin to make an initial mask ahead; see `jobs.preparation.prepare`."""
        return Job(Child(lambda folder: write_task(folder, "preparation", asdict(preparation))))

    @staticmethod
    def start_adaptation(adaptation: Adaptation) -> Job[Adapted]:
        """Begin to adapt networks; see `jobs.adaptation.adapt`."""
        return Job(Child(lambda folder: write_task(folder, "adaptation", asdict(adaptation))))

    def poll(self) -> JobState:
        """Return how far the job is, at once."""
        if self._outcome is not None or self._cancelled:
            return JobState(1.0, "cancelled" if self._cancelled else "done", True)
        done = self._child.status is not None
        fraction, message = last_progress(self._child.folder)
        return JobState(1.0 if done else fraction, message, done)

    def result(self) -> Result:
        """Return what was computed; wait for it where `poll` does not say that it is done.

        Raises
        ------
        Cancelled
            If the job was cancelled.
        VSClickError
            What the computation raised in the child.
        ModelError
            If the child ended without a word, for instance because memory ran out.
        """
        if self._cancelled:
            raise Cancelled("the computation was cancelled.")
        if self._outcome is None:
            status = self._child.wait()
            self._outcome = cast("Result | VSClickError", read_result(self._child.folder, status))
            self._child.end()
        if isinstance(self._outcome, VSClickError):
            raise self._outcome
        return self._outcome

    def cancel(self) -> None:
        """End the child at once; cancelling twice, or after the end, does no harm."""
        if self._outcome is None:
            self._cancelled = True
        self._child.end()
