"""The models, once loaded, and the correction that is under way: the module's logic, without widgets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from slicer.i18n import tr as _

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.imaging.box import Box
from VSClickCorrectLib.imaging.click import Click, ClickKind
from VSClickCorrectLib.imaging.grid import Grid
from VSClickCorrectLib.inference.adjusted import AdjustedCorrector
from VSClickCorrectLib.mrml.correction import SceneCorrection, correct_segment
from VSClickCorrectLib.mrml.measuring import Measured, SegmentMeasuring
from VSClickCorrectLib.session.correction import CorrectionSession, Proposer

# A parameter of this many slices or more means: as far as the model sees.
CARRY_ALL = 5


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
        self._resting: SceneCorrection | None = None
        self._loaded: Choice | None = None
        self._target: tuple | None = None
        self._measuring: SegmentMeasuring | None = None

    @property
    def under_way(self) -> SceneCorrection:
        """The correction under way; raises `CorrectionError` if there is none."""
        if self.correction is None:
            raise _nothing_under_way()
        return self.correction

    @property
    def session(self) -> CorrectionSession:
        """The session of the correction under way; raises as `under_way`."""
        return self.under_way.session

    @property
    def grid(self) -> Grid:
        """The grid of the images that are being corrected; raises as `under_way`."""
        return self.session.case.grid

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
        from VSClickCorrectLib.inference.models import ModelFolder
        from VSClickCorrectLib.inference.networks import Networks

        networks = Networks.load(ModelFolder(choice.path), choice.device, choice.corrector or None)
        self.corrector, self.segmenter, self._loaded = networks.corrector, networks.segmenter, choice

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
        segment, reference = (parameters.segmentation, parameters.segmentId), parameters.t1ce or parameters.t2
        self._measuring = SegmentMeasuring(*segment, reference)
        self._warm_up()
        return self.correction

    def rest(self) -> None:
        """Take no clicks until the next `begin`; what is painted in the segment is still written down."""
        resting, self.correction = self.correction, None
        self.stop()
        if resting is not None:
            resting.rest()
        self._resting = resting

    def stop(self) -> None:
        """Leave the segment alone; what was done stays, and can be undone after the next `begin`."""
        for correction in (self.correction, self._resting):
            if correction is not None:
                correction.close()
        self.correction = self._resting = self._target = self._measuring = None

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

    def measure(self) -> Measured:
        """Measure the segment, and its change since the start; raises as `read`."""
        if self._measuring is None:
            raise _nothing_under_way()
        return self._measuring.measure()

    def _warm_up(self) -> None:
        """Let the network see this image once, which prepares what every click needs of it."""
        session = self.session
        session.corrector.propose(session.case, session.mask, [Click(tuple(self.grid.center_ras))])


def _nothing_under_way() -> CorrectionError:
    return CorrectionError(
        _("no segment is being corrected; find the tumour or choose a segment under Start.")
    )


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
