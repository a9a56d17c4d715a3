"""The models, once loaded, and the correction that is under way: the module's logic, without widgets."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from slicer.i18n import tr as _

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.imaging.click import Click, ClickKind
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.imaging.measurements import Measurements, Middle, head_middle, measure
from VSClickCorrectLib.inference.adjusted import AdjustedCorrector
from VSClickCorrectLib.mrml.correction import SceneCorrection, correct_segment
from VSClickCorrectLib.mrml.start import start_of
from VSClickCorrectLib.session.correction import CorrectionSession, Proposer

# A parameter of this many slices or more means: as far as the model sees.
CARRY_ALL = 5
# A narrower image shows only part of a head.
HEAD_MM = 110.0


class Choice(NamedTuple):
    """Which models run where: the folder (empty for the shipped ones), the corrector's name, the device."""

    folder: str = ""
    corrector: str = ""
    device: str = "auto"

    @property
    def path(self) -> Path | None:
        """The folder, None for the models that ship with the product."""
        return Path(self.folder) if self.folder else None


class Workbench:
    """Loads models once and corrects one segment at a time.

    Attributes
    ----------
    corrector : Proposer or None
        Loaded by `load`; anything that proposes may be put here instead.
    correction : SceneCorrection or None
        The correction under way.
    """

    def __init__(self) -> None:
        self.corrector: Proposer | None = None
        self.segmenter: Any = None
        self.correction: SceneCorrection | None = None
        self._loaded: Choice | None = None
        self._target: tuple | None = None
        self._middle: Middle | None = None
        self._start: Measurements | None = None

    @property
    def under_way(self) -> SceneCorrection:
        """The correction under way; raises `CorrectionError` if there is none."""
        if self.correction is None:
            raise CorrectionError(
                _("no segment is being corrected; find the tumour or choose a segment under Start.")
            )
        return self.correction

    @property
    def session(self) -> CorrectionSession:
        """The session of the correction under way; raises as `under_way`."""
        return self.under_way.session

    @property
    def grid(self) -> Grid:
        """The grid of the images that are being corrected; raises as `under_way`."""
        return self.session.case.grid

    @property
    def shows_whole_head(self) -> bool:
        """Whether the images are wide enough for a head, so that its middle tells left from right."""
        corners = self.grid.index_to_ras(
            np.array(list(itertools.product(*((0, length - 1) for length in self.grid.shape))))
        )
        return float(np.ptp(corners[:, 0])) >= HEAD_MM

    def is_loaded(self, choice: Choice) -> bool:
        """Whether the models of a choice need no loading."""
        return self.corrector is not None and self._loaded in (None, choice)

    def load(self, choice: Choice) -> None:
        """Load models and run them once, so that the first click is as fast as the tenth.

        Raises
        ------
        ModelError
            If a model or the device cannot be used; those loaded before stay.
        """
        from VSClickCorrectLib.inference.corrector import Corrector
        from VSClickCorrectLib.inference.initial import InitialSegmenter
        from VSClickCorrectLib.inference.models import ModelFolder

        models = ModelFolder(choice.path)
        corrector = Corrector.load(models, choice.corrector or None, choice.device)
        self.segmenter = InitialSegmenter.load(models, choice.device)
        self.corrector, self._loaded = corrector, choice

    def begin(
        self, parameters: Any, choice: Choice, journal_path: Path | None = None, **told: Callable
    ) -> SceneCorrection:
        """Correct the chosen segment from now on; earlier clicks on it can be undone.

        Parameters
        ----------
        parameters : VSClickCorrectParameterNode
            Volumes, segment and how to correct.
        choice : Choice
            The models.
        journal_path : Path, optional
            A file in which the journal is kept too.
        told
            ``on_edit``, ``on_error``, ``on_change`` and ``later`` of `SceneCorrection`.

        Raises
        ------
        VSClickError
            If volumes, segment or models cannot be used.
        """
        self.stop()
        if not self.is_loaded(choice):
            self.load(choice)
        target = _target(parameters)
        starter = self.segmenter.propose if self.segmenter else None
        self.correction = correct_segment(
            (parameters.t1ce, parameters.t2),
            (parameters.segmentation, parameters.segmentId),
            _adjusted(self.corrector, parameters),
            starter,
            journal_path,
            parameters.merge,
            **told,
        )
        self.correction.kind = ClickKind.parse(parameters.kind)
        self._target = target
        # Clicks of an earlier time may still wait.
        self.correction.collecting = parameters.collecting = (
            self.correction.collecting or parameters.collecting
        )
        self._look_at_start(parameters)
        self._warm_up()
        return self.correction

    def stop(self) -> None:
        """Leave the segment alone; what was done stays, and can be undone after the next `begin`."""
        if self.correction is not None:
            self.correction.close()
        self.correction = self._target = self._start = None

    def is_outdated(self, parameters: Any) -> bool:
        """Whether the correction under way is no longer the one that the parameters describe."""
        return self.correction is not None and self._target != _target(parameters)

    def read(self) -> tuple[Box | None, np.ndarray | None]:
        """Return the segment as it is now: the box that holds it and its voxels, None where it is empty.

        Raises
        ------
        VSClickError
            If nothing is being corrected or the segment has gone.
        """
        mask = self.session.mask
        box = mask.extent()
        return box, mask.read(box) if box is not None else None

    def values(self) -> np.ndarray:
        """Return the whole segment, ``(K, J, I)`` bool; raises as `read`."""
        box, inside = self.read()
        values = np.zeros(self.grid.shape, bool)
        if box is not None and inside is not None:
            values[box.slices] = inside
        return values

    def measure(self) -> tuple[Measurements, Measurements | None]:
        """Measure the segment and the mask with which the correction began, if that is known."""
        box, inside = self.read()
        return measure(self.grid, box, inside, self._middle), self._start

    def _warm_up(self) -> None:
        """Let the network see this image once, which prepares what every click needs of it."""
        session = self.session
        session.corrector.propose(session.case, session.mask, [Click(tuple(self.grid.center_ras))])

    def _look_at_start(self, parameters: Any) -> None:
        case = self.session.case
        volume = case.t1ce or case.t2
        self._middle = head_middle(volume) if volume is not None else None
        kept = start_of(parameters.segmentation, parameters.segmentId, parameters.t1ce or parameters.t2)
        self._start = measure(case.grid, *kept, self._middle) if kept else None


def _target(parameters: Any) -> tuple:
    return (
        parameters.t1ce,
        parameters.t2,
        parameters.segmentation,
        parameters.segmentId,
        parameters.merge,
        parameters.threshold,
        parameters.carry,
    )


def _adjusted(corrector: Proposer | None, parameters: Any) -> Proposer:
    assert corrector is not None  # noqa: S101, only mypy does not know it
    threshold = parameters.threshold or None
    carry = parameters.carry if parameters.carry < CARRY_ALL else None
    if threshold is None and carry is None:
        return corrector
    return AdjustedCorrector(corrector, threshold, carry)
