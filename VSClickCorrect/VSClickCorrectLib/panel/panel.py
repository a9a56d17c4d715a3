"""The panel of the module: its sections over one workflow, and what entering and leaving it means."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import slicer
from slicer.i18n import tr as _

from VSClickCorrectLib.errors import as_sentence
from VSClickCorrectLib.mrml.case_nodes import CaseNodes
from VSClickCorrectLib.mrml.segment_correction import SceneCorrection
from VSClickCorrectLib.panel.advanced import AdvancedSection
from VSClickCorrectLib.panel.clicks import ClicksSection
from VSClickCorrectLib.panel.desktop import Desktop
from VSClickCorrectLib.panel.follow_up_section import FollowUpSection
from VSClickCorrectLib.panel.packages import unfit_packages
from VSClickCorrectLib.panel.parameters import SceneParameters
from VSClickCorrectLib.panel.placing import Placing
from VSClickCorrectLib.panel.qt_host import PanelHost
from VSClickCorrectLib.panel.result import ResultSection
from VSClickCorrectLib.panel.running import RunningSection
from VSClickCorrectLib.panel.section import Connection, Section
from VSClickCorrectLib.panel.start_section import StartSection
from VSClickCorrectLib.panel.volumes import VolumesSection
from VSClickCorrectLib.panel.worklist_section import WorklistSection
from VSClickCorrectLib.workflow.keys import PANEL_KEYS, keys_text
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.workflow.workflow import Workflow

# After entering, so that the panel is drawn first.
WARM_UP_MS = 300
# Qt's names of keys that browsers call otherwise.
_QT_NAMES = {"Escape": "Esc"}


class Panel:
    """Binds the widgets to the workflow, with everything of Qt given as ``ui`` and ``desktop``.

    Parameters
    ----------
    ui : object
        The widgets of ``VSClickCorrect.ui`` as attributes.
    desktop : Desktop
        The services of the desktop program.
    scene : vtkMRMLScene
        Slicer's scene.

    Attributes
    ----------
    flow : Workflow
        What is done.
    """

    def __init__(self, ui: Any, desktop: Desktop, scene: slicer.vtkMRMLScene) -> None:
        self.ui, self.desktop, self.scene = ui, desktop, scene
        self.flow = Workflow(PanelHost(desktop, self.say), scene, self._show_case)
        self._parameters = SceneParameters(self.flow)
        self.set_parameters, self.parameters_changed = self._parameters.use, self._parameters.follow
        self.placing = Placing(scene)
        parts = ui, desktop, self.flow
        self.worklist = WorklistSection(*parts)
        self.volumes = VolumesSection(*parts)
        self.start = StartSection(*parts)
        self.running = RunningSection(*parts)
        self.clicks = ClicksSection(*parts, self.placing)
        self.result = ResultSection(*parts, self.placing)
        self.follow_up = FollowUpSection(*parts)
        self.advanced = AdvancedSection(*parts, self._parameters)
        for part in (self.flow.workbench, self.flow.jobs, self.flow.registration, self.flow.worklist):
            part.changed.connect(self.refresh)
        self.say(_("Choose the volumes, then find the tumour or choose a segment to repair."))

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections, from top to bottom."""
        before_clicks = self.worklist, self.volumes, self.start, self.running
        return *before_clicks, self.clicks, self.result, self.follow_up, self.advanced

    @property
    def parameters(self) -> Any:
        """What is chosen, a ``VSClickCorrectParameterNode``; None while the module is not entered."""
        return self._parameters.node

    @property
    def correction(self) -> SceneCorrection | None:
        """The correction under way, None if there is none."""
        return self.flow.workbench.correction

    def connections(self) -> Iterator[Connection]:
        """Yield what to connect."""
        for section in self.sections:
            yield from section.connections()

    def shortcuts(self) -> Iterator[tuple[str, bool, Callable[[], None]]]:
        """Yield each key, as Qt writes it, whether it repeats while it is held, and what it does."""
        actions = {
            **self.clicks.actions,
            **self.worklist.actions,
            "candidate": self.start.next_candidate,
            "help": lambda: self.desktop.inform(keys_text(PANEL_KEYS)),
        }
        for key in PANEL_KEYS:
            yield _QT_NAMES.get(key.name, key.name), key.repeats, actions[key.action]

    def say(self, text: object) -> None:
        """Show a sentence or an error in the status line and in the main window's status bar."""
        sentence = as_sentence(str(text))
        self.ui.statusLabel.text = self.ui.statusLabel.toolTip = sentence
        self.desktop.show_status(sentence)

    def enter(self) -> None:
        """Go on where the module was left."""
        self.desktop.later(WARM_UP_MS, self._warm_up)
        self.flow.host.start(self.flow.workbench.resume())

    def take_up(self) -> None:
        """Go on with the clicks that a scene brought, if networks can run here."""
        if not unfit_packages():
            self.flow.host.start(self.flow.workbench.take_up())

    def leave(self) -> None:
        """Take no clicks, but write down what others paint in the segment; the next `enter` goes on."""
        self.flow.workbench.rest()

    def forget(self) -> None:
        """Let go of a scene that is being closed."""
        # First: what was painted is kept while the case is still ours, and there.
        try:
            self.worklist.close()
        finally:
            self.flow.workbench.forget()
            self._parameters.forget()
            self.say("")

    def close(self) -> None:
        """Let go of everything, for good."""
        self.placing.close()
        self.flow.warm.close()
        # Last: what cannot be kept of a worklist's case, with a lock that is lost for instance, is told.
        self.forget()

    def refresh(self) -> None:
        """Show in every section what can be done now."""
        if self.parameters is not None:
            for section in self.sections:
                section.refresh()

    def _warm_up(self) -> None:
        self.advanced.warm_up()
        if self.parameters is not None:
            self.take_up()

    def _show_case(self, case: OpenedCase) -> CaseNodes:
        nodes = CaseNodes(self.scene, case.t1ce, case.t2, case.name)
        if case.mask is not None:
            nodes.put_mask(case.mask)
        self.desktop.show_volumes(nodes.reference, nodes.t2)
        return nodes
