"""What is chosen in the scene, and what the workflow works on: one follows the other."""

from __future__ import annotations

from typing import Any

from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.workflow.correction_settings import CorrectionSettings
from VSClickCorrectLib.workflow.workflow import Workflow


class SceneParameters:
    """Keeps the scene's parameter node and the workbench alike.

    Parameters
    ----------
    flow : Workflow
        Whose workbench.

    Attributes
    ----------
    node : VSClickCorrectParameterNode or None
        What is chosen; None while the module is not entered.
    """

    def __init__(self, flow: Workflow) -> None:
        self.node: Any = None
        self._flow, self._workbench = flow, flow.workbench
        self._writing = self._behind = False
        flow.workbench.chosen.connect(self._chosen)
        flow.workbench.changed.connect(self._changed)

    def use(self, node: Any) -> None:
        """Use this node from now on, or none."""
        self.node = node
        if node is not None and self._behind:
            self._chosen()
        self._behind = False
        self.follow()

    def forget(self) -> None:
        """Forget what was chosen while no node was used; its scene is being closed."""
        self._behind = False

    def follow(self) -> None:
        """Follow a change of the node, by the panel or by somebody else."""
        node = self.node
        if node is None or self._writing:
            return
        self._writing = True
        try:
            self._workbench.mode.kind = ClickKind.parse(node.kind)
            self._workbench.mode.collecting = node.collecting
        finally:
            self._writing = False
        volumes, segment = (node.t1ce, node.t2), (node.segmentation, node.segmentId)
        settings = CorrectionSettings(node.merge, node.threshold, node.carry)
        self._flow.host.start(self._workbench.choose(volumes, segment, settings))

    def _chosen(self) -> None:
        """Let the node refer to what the workflow has chosen."""
        if self.node is None:
            self._behind = True
            return
        self._writing = True
        try:
            self.node.t1ce, self.node.t2 = self._workbench.volumes
            self.node.segmentation, self.node.segmentId = self._workbench.segment
        finally:
            self._writing = False

    def _changed(self) -> None:
        if self.node is not None and not self._writing:
            self.node.kind = self._workbench.mode.kind.value
            self.node.collecting = self._workbench.mode.collecting
