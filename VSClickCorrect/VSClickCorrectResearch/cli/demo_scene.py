"""The scene of the demo: the same nodes and observers as in Slicer's views."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.errors import CorrectionError, VSClickError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.mrml.persistence import save_scene, save_segmentation
from VSClickCorrectLib.session.correction import InitialProposer, Proposer
from VSClickCorrectLib.session.edit import Edit

SAVED = ("scene.mrb", "tumour.seg.nrrd", "journal.jsonl")


class DemoScene:
    """A headless scene with one case, one segment and its clicks.

    Parameters
    ----------
    case : Case
        The sequences.
    start : ndarray of bool
        The mask to begin with, ``(K, J, I)``.
    corrector, initial_proposer
        As for `correct_segment`.
    """

    def __init__(
        self, case: Case, start: np.ndarray, corrector: Proposer, initial_proposer: InitialProposer
    ) -> None:
        self._headless = HeadlessScene()
        scene = self._headless.scene
        nodes = CaseNodes(scene, case.t1ce, case.t2)
        self._segmentation, segment_id, self._mask = nodes.add_mask(start, "tumour")
        self._edits: list[Edit] = []
        self._errors: list[VSClickError] = []
        self._correction = correct_segment(
            nodes.volumes,
            (self._segmentation, segment_id),
            corrector,
            initial_proposer,
            on_edit=self._edits.append,
            on_error=self._errors.append,
        )

    def __enter__(self) -> DemoScene:
        return self

    def __exit__(self, *_exception) -> None:
        self._correction.close()
        self._headless.close()

    def values(self) -> np.ndarray:
        """Return the whole mask, bool, ``(K, J, I)``."""
        return self._mask.read(self._mask.grid.box)

    def place(self, clicks: Sequence[Click]) -> list[Edit]:
        """Place points one by one, as a clinician does, and return what each changed."""
        self._edits.clear()
        for click in clicks:
            self._correction.place(click)
        if self._errors:
            raise self._errors.pop()
        return list(self._edits)

    def next_round(self) -> None:
        """Begin the next round."""
        self._correction.next_round()

    def undo_and_redo_everything(self) -> int:
        """Undo all edits, redo them, and return how many there were.

        Raises
        ------
        CorrectionError
            If the mask is not the same afterwards.
        """
        before = self.values()
        count = len(self._correction.session.history.done)
        for _ in range(count):
            self._correction.undo()
        for _ in range(count):
            self._correction.redo()
        if not np.array_equal(before, self.values()):
            raise CorrectionError("undo and redo did not restore the mask; please report this.")
        return count

    def save(self, folder: Path) -> None:
        """Write the scene, the segmentation and the journal."""
        scene, mask, journal = (folder / name for name in SAVED)
        save_scene(self._headless.scene, scene)
        save_segmentation(self._segmentation, mask)
        self._correction.session.journal.save(journal)
