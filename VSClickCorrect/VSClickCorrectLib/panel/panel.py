"""The panel of the module: its sections, what they share, and when a correction begins and ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import slicer
from slicer.i18n import tr as _

from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.panel.advanced import AdvancedSection
from VSClickCorrectLib.panel.clicks import ClicksSection
from VSClickCorrectLib.panel.desktop import Desktop
from VSClickCorrectLib.panel.result import ResultSection
from VSClickCorrectLib.panel.running import Running
from VSClickCorrectLib.panel.section import Connection, Section
from VSClickCorrectLib.panel.start import StartSection
from VSClickCorrectLib.panel.volumes import VolumesSection
from VSClickCorrectLib.panel.workbench import Workbench
from VSClickCorrectLib.panel.worklist import WorklistSection
from VSClickCorrectLib.session.edit import Edit
from VSClickCorrectLib.workflow.keys import KEYS

# After entering, so that the panel is drawn first.
WARM_UP_MS = 300


class Panel:
    """What the widgets do, with everything of Qt given as ``ui`` and ``desktop``.

    Parameters
    ----------
    ui : object
        The widgets of ``VSClickCorrect.ui`` as attributes.
    desktop : Desktop
        The services of the desktop program.
    workbench : Workbench
        The models and the correction.
    scene : vtkMRMLScene
        Slicer's scene.

    Attributes
    ----------
    parameters : VSClickCorrectParameterNode or None
        What is chosen; None while the module is not entered.
    """

    def __init__(self, ui: Any, desktop: Desktop, workbench: Workbench, scene: slicer.vtkMRMLScene) -> None:
        self.ui, self.desktop, self.workbench, self.scene = ui, desktop, workbench, scene
        self.parameters: Any = None
        self._resume = False
        self.running = Running(self)
        self.worklist = WorklistSection(self)
        self.volumes = VolumesSection(self)
        self.start = StartSection(self)
        self.clicks = ClicksSection(self)
        self.result = ResultSection(self)
        self.advanced = AdvancedSection(self)
        self.say(_("Choose the volumes, then find the tumour or choose a segment to repair."))

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections, from top to bottom."""
        return (
            self.worklist,
            self.volumes,
            self.start,
            self.running,
            self.clicks,
            self.result,
            self.advanced,
        )

    @property
    def correction(self):
        """The correction under way, None if there is none."""
        return self.workbench.correction

    def connections(self) -> Iterator[Connection]:
        """Yield what to connect."""
        for section in self.sections:
            yield from section.connections()

    def shortcuts(self) -> Iterator[tuple[str, Callable[[], None]]]:
        """Yield each key, as Qt writes it, and what it does."""
        for key in KEYS:
            yield key.name, self.clicks.actions[key.action]

    def say(self, text: object) -> None:
        """Show a sentence or an error in the status line and in the main window's status bar."""
        sentence = text.sentence if isinstance(text, VSClickError) else str(text)
        self.ui.statusLabel.text = sentence
        self.desktop.show_status(sentence)

    def set_parameters(self, parameters: Any) -> None:
        """Use these parameters from now on, or none."""
        self.parameters = parameters
        if parameters is not None:
            self.volumes.parameters_changed()
            self.refresh()

    def parameters_changed(self) -> None:
        """Follow a change of the parameters, by the panel or by somebody else."""
        if self.parameters is None:
            return
        if self.workbench.is_outdated(self.parameters):
            self._follow()
        if self.correction is not None:
            self.correction.collecting = self.parameters.collecting
        self.volumes.parameters_changed()
        self.refresh()

    def enter(self) -> None:
        """Go on where the module was left."""
        if self._resume and self.parameters is not None and self.parameters.segmentation is not None:
            self.begin()
        else:
            self.workbench.stop()
        self._resume = False
        self.desktop.later(WARM_UP_MS, self.advanced.warm_up)

    def leave(self) -> None:
        """Take no clicks, but write down what others paint in the segment; the next `enter` goes on."""
        self._resume = self.correction is not None
        self._end(self.workbench.rest)

    def forget(self) -> None:
        """Let go of a scene that is being closed."""
        self.running.cancel()
        # What was painted is written down while the case is still ours.
        self.stop()
        self.worklist.close()
        self._resume = False
        self.say("")

    def close(self) -> None:
        """Let go of everything, for good."""
        self.forget()
        self.clicks.close()

    def begin(self) -> None:
        """Correct the chosen segment; raises as `WorklistSection.check_own` and `Workbench.begin`."""
        self.stop()
        self.worklist.check_own()
        with self.desktop.waiting():
            self.workbench.begin(
                self.parameters,
                self.advanced.choice,
                self.worklist.journal_path,
                guard=self.worklist.journal_guard,
                on_edit=self._edited,
                on_error=self._refused,
                on_change=self.refresh,
                later=lambda action: self.desktop.later(0, action),
            )
        self.say(_("Click where the tumour's true border runs, or choose another kind of click."))
        self.clicks.begun()
        self.result.outdated()
        self.refresh()

    def stop(self) -> None:
        """Leave the segment alone."""
        self._end(self.workbench.stop)

    def _end(self, how: Callable[[], None]) -> None:
        for section in self.sections:
            section.stopped()
        how()
        self.refresh()

    def refresh(self) -> None:
        """Show in every section what can be done now."""
        if self.parameters is None:
            return
        for section in self.sections:
            section.refresh()

    def _follow(self) -> None:
        """Go on with the segment under other settings, or stop where another one is chosen."""
        try:
            self.begin()
        except VSClickError as error:
            self.stop()
            self.say(error)

    def _edited(self, edit: Edit) -> None:
        self.say(_sentence(edit))
        self.clicks.edited(edit)
        self.result.outdated()
        self.worklist.edited()

    def _refused(self, error: VSClickError) -> None:
        self.say(error)
        self.refresh()


def _sentence(edit: Edit) -> str:
    done = _("Done: {edit} in {time:.0f} ms.").format(edit=edit.description, time=edit.milliseconds)
    return f"{done} {edit.remark}".strip()
