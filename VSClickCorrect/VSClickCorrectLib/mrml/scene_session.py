"""A correction session on volumes of the scene, which others may move meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import slicer

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.mrml.volumes import case_of, grid_of, in_scene, place_of
from VSClickCorrectLib.session.correction import CorrectionSession


class SceneSession(CorrectionSession):
    """A session whose networks see the T2 where it lies, and not where it lay when the session began.

    A T1ce that is moved is another matter: what belongs where cannot be told then, so clicks are refused.

    Parameters
    ----------
    volume_nodes : tuple of vtkMRMLVolumeNode or None
        T1ce and T2, of which one may be missing.
    case : Case
        What `case_of` makes of them.
    *arguments
        The other ones of `CorrectionSession`.
    """

    def __init__(
        self,
        volume_nodes: tuple[slicer.vtkMRMLVolumeNode | None, slicer.vtkMRMLVolumeNode | None],
        case: Case,
        *arguments,
    ) -> None:
        super().__init__(case, *arguments)
        self._volume_nodes = volume_nodes
        self._place = self._place_now

    def check(self, clicks: Sequence[Click]) -> None:
        """See `CorrectionSession.check`; raises as `follow_images`, too."""
        self.follow_images()
        super().check(clicks)

    def follow_images(self) -> None:
        """Make the case anew if the T2 was moved on the T1ce; raises as `case_of`, and it stays then."""
        place, t1ce = self._place_now, self._volume_nodes[0]
        if place is not None and place != self._place and grid_of(t1ce).matches(self.case.grid):
            self.case, self._place = case_of(*self._volume_nodes), place

    @property
    def _place_now(self) -> bytes | None:
        """Where the T2 lies, None unless it is there beside a T1ce."""
        t2 = self._volume_nodes[1]
        there = None not in self._volume_nodes and in_scene(*self._volume_nodes)
        return place_of(t2) if there else None
