"""The case that is open, its nodes and its correction: what all parts of the page work on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from trame_slicer.core import SlicerApp
from undo_stack import Signal

from VSClickCorrectLib.app.memory import give_back
from VSClickCorrectLib.app.opened_case import OpenedCase, ShownCase
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.errors import CorrectionError, ImageError
from VSClickCorrectLib.inference.networks import Networks
from VSClickCorrectLib.mrml.correction import SceneCorrection, correct_segment
from VSClickCorrectLib.mrml.painting import Later
from VSClickCorrectLib.session.edit import Edit
from VSClickCorrectLib.session.journal import Guard


class Workspace:
    """Holds one case at a time; everything here happens on the main thread, where MRML lives.

    Parameters
    ----------
    slicer_app : SlicerApp
        Its scene gets the nodes.
    status : Status
        Told why a click could not be used.
    later, soon : callable
        Calls a function once the present event is over; once the views had time to draw.
    """

    closing = Signal()
    """The open case, or its mask, is about to go."""
    restarting = Signal()
    """The open case is about to begin anew with another mask."""
    opened = Signal()
    """Another case, or another mask of the case, was opened."""
    changed = Signal()
    """Clicks, rounds or mask changed."""
    settled = Signal()
    """Once the picture of what changed is on its way: for what may come after it."""

    def __init__(self, slicer_app: SlicerApp, status: Status, later: Later, soon: Later) -> None:
        self._scene = slicer_app.scene
        self._status = status
        self._later = later
        self._soon = soon
        self._settling = False
        self._journal_path: Path | None = None
        self._guard: Guard = lambda: None
        self.nodes: ShownCase | None = None
        self.correction: SceneCorrection | None = None
        self.last_edit: Edit | None = None

    def open(self, case: OpenedCase, journal_path: Path | None = None, guard: Guard = lambda: None) -> None:
        """Replace the open case.

        Parameters
        ----------
        case : OpenedCase
            The case to open.
        journal_path : Path, optional
            The file of its journal, which may hold earlier work; else the journal is kept in the scene alone.
        guard : callable, optional
            The journal's guard.

        Raises
        ------
        ImageError
            If its sequences cannot be used together; the case before then stays open.
        """
        case.checked()
        self.close()
        self.nodes = ShownCase(self._scene, case)
        self._journal_path, self._guard = journal_path, guard
        self.opened.emit()
        self._change()

    def restart(self, values: np.ndarray) -> None:
        """Begin anew with another mask of the open case, ``(K, J, I)`` bool on its grid."""
        self._stop()
        nodes = self.case
        self.restarting.emit()
        nodes.restart(values)
        self.opened.emit()
        self._change()

    def correct(self, networks: Networks) -> None:
        """Correct the open case's segment at each click from now on.

        Raises
        ------
        VSClickError
            If the volumes, the segment or the journal cannot be used.
        """
        self._stop()
        nodes = self.case
        self.correction = correct_segment(
            nodes.volumes,
            nodes.segment,
            networks.corrector,
            networks.segmenter.propose,
            on_edit=self._on_edit,
            on_error=self._status.fail,
            on_change=self._change,
            later=self._later,
            journal_path=self._journal_path,
            guard=self._guard,
        )
        self._change()

    def settle(self) -> None:
        """Let what waits for the views follow now: measurements, strip and worklist."""
        if self._settling:
            self._settling = False
            if self.nodes is not None:
                self.settled.emit()

    def close(self) -> None:
        """Take the open case out of the scene."""
        self._stop()
        if self.nodes is not None:
            self.closing.emit()
            nodes, self.nodes = self.nodes, None
            nodes.remove()
            give_back()

    @property
    def case(self) -> ShownCase:
        """The open case's nodes; raises `ImageError` if no case is open."""
        if self.nodes is None:
            raise ImageError("no case is open; open one first.")
        return self.nodes

    @property
    def clicks(self) -> SceneCorrection:
        """The correction that is under way; raises `CorrectionError` if there is none yet."""
        if self.correction is None:
            raise CorrectionError("clicks cannot be placed yet; wait until a case is ready.")
        return self.correction

    def _change(self) -> None:
        self.changed.emit()
        if not self._settling:
            self._settling = True
            self._soon(self.settle)

    def _stop(self) -> None:
        if self.correction is not None:
            self.correction.close()
        self.correction, self.last_edit = None, None

    def _on_edit(self, edit: Edit) -> None:
        self.last_edit = edit
        done = f"{edit.description}, in {edit.milliseconds:.0f} ms."
        self._status.say(f"{done} {edit.remark}".strip())
