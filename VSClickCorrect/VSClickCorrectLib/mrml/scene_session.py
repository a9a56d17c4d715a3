"""A correction session on volumes of the scene, which others may move or change meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

import slicer

from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.mrml.volumes import VolumeNodes, case_of, in_scene, state_of, volume_of
from VSClickCorrectLib.session.correction import CorrectionSession


class SceneSession(CorrectionSession):
    """A session whose networks see the T2 as it is now, and not as it was when the session began.

    It may be moved or resampled. A T1ce that is moved, or holds other voxels, is another matter: what belongs
    where cannot be told then, and the journal tells of another image, so clicks are refused.

    Parameters
    ----------
    volume_nodes : tuple of vtkMRMLVolumeNode or None
        T1ce and T2, of which one may be missing.
    case : Case
        What `case_of` makes of them.
    *arguments
        The other ones of `CorrectionSession`.
    """

    def __init__(self, volume_nodes: VolumeNodes, case: Case, *arguments) -> None:
        super().__init__(case, *arguments)
        self._volume_nodes = volume_nodes
        self._reference: slicer.vtkMRMLVolumeNode = volume_nodes[0] or volume_nodes[1]
        self._states = self._states_now

    def check(self, clicks: Sequence[Click]) -> None:
        """See `CorrectionSession.check`; raises as `follow_images`, too."""
        self.follow_images()
        super().check(clicks)

    def follow_images(self) -> None:
        """Make the case anew if an image is another one by now, or lies elsewhere on the T1ce.

        Raises
        ------
        CorrectionError
            If the T1ce, or the T2 that stands alone, was moved or holds other voxels since the session began.
        ImageError
            As `case_of`; the case stays as it was then.
        """
        states = self._states_now
        if states == self._states or not in_scene(*self._volume_nodes):
            return
        self._check_place()
        # To compare voxels takes long, so only where somebody may have changed them.
        touched = states[0][1] != self._states[0][1]
        if touched and volume_of(self._reference).fingerprint != self.case.reference.fingerprint:
            raise CorrectionError(
                f"'{self._reference.GetName()}' holds other voxels than when the correction began; put them "
                "back, or begin anew with a copy of the segment in another segmentation."
            )
        self.case, self._states = case_of(*self._volume_nodes), states

    @property
    def _states_now(self) -> list[tuple[bytes, int]]:
        """The states of the volumes that are there, that of the native grid first."""
        return [state_of(node) for node in self._volume_nodes if node is not None]
