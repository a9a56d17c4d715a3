"""The module as Slicer wants it: a panel over the library beside this file, and all that is Qt's."""

from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import qt
import slicer
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

# Only what is light; the rest is imported at first use, so that Slicer starts as fast as without this module.
from VSClickCorrectLib.errors import VSClickError, enough_memory
from VSClickCorrectLib.panel.help_text import help_text

ICONS = Path(__file__).parent / "Resources" / "Icons"
SETTINGS = "VSClickCorrect/"


class VSClickCorrect(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("VS Click Correct")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = []
        self.parent.contributors = ["VSClickCorrect contributors"]
        self.parent.helpText = help_text()
        self.parent.acknowledgementText = _(
            "The method builds on Jakub Povinec's thesis <i>Segmentation of Brain Magnetic Resonance Images "
            "using Deep Neural Networks</i> (Slovak University of Technology in Bratislava, 2024). It was "
            "made for the VS-SEG dataset of The Cancer Imaging Archive "
            '(<a href="https://doi.org/10.7937/TCIA.9YTJ-5Q73">doi 10.7937/TCIA.9YTJ-5Q73</a>, CC BY 4.0).'
        )
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    import SampleData
    from VSClickCorrectLib.panel import sample_sources

    sample_sources.register(SampleData.SampleDataLogic, ICONS)


@parameterNodeWrapper
class VSClickCorrectParameterNode:
    t1ce: vtkMRMLScalarVolumeNode
    t2: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    segmentId: str
    kind: str = "boundary"
    keepPlacing: bool = True
    collecting: bool = False
    merge: str = "progressive"
    threshold: Annotated[float, WithinRange(0, 0.95)] = 0
    carry: Annotated[int, WithinRange(0, 5)] = 5


class VSClickCorrectWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None
        self._guiTag = None
        self.shortcuts = []

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        from VSClickCorrectLib.panel.panel import Panel

        widget = slicer.util.loadUI(self.resourcePath("UI/VSClickCorrect.ui"))
        self.layout.addWidget(widget)
        self.ui = slicer.util.childWidgetVariables(widget)
        widget.setMRMLScene(slicer.mrmlScene)
        for kind in ("boundary", "include", "exclude"):
            getattr(self.ui, f"{kind}Button").setIcon(icon(kind))
        self.logic = VSClickCorrectLogic()
        self.panel = Panel(self.ui, SlicerDesktop(self._reported), slicer.mrmlScene)
        for name, signal, slot in self.panel.connections():
            getattr(self.ui, name).connect(signal, self._reported(slot))
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        for event in (scene.StartImportEvent, scene.StartRestoreEvent):
            self.addObserver(scene, event, self.onSceneChanging)
        for event in (scene.EndCloseEvent, scene.EndImportEvent, scene.EndRestoreEvent):
            self.addObserver(scene, event, self.onSceneThere)
        if self.parent.isEntered:  # reloaded while it is open, which enters nothing
            self.enter()
        else:
            self.setParameterNode(self.logic.getParameterNode())

    def cleanup(self):
        self.logic = None
        self._removeShortcuts()
        if self.panel:
            self.setParameterNode(None)
            self._reported(self.panel.close)()
        self.removeObservers()

    # Slicer enters, leaves and cleans up a module whose `setup` has failed, too, of which it has told.
    def enter(self):
        if self.panel:
            self._addShortcuts()
            self.setParameterNode(self.logic.getParameterNode())
            with self.reporting():
                self.panel.enter()

    def exit(self):
        if self.panel:
            self._removeShortcuts()
            self.panel.leave()
            self.setParameterNode(None)

    def onSceneStartClose(self, caller=None, event=None):
        with self.reporting():
            self.panel.forget()
        self.setParameterNode(None)

    def onSceneChanging(self, caller=None, event=None):
        # References of a scene that is being read lead nowhere yet, and widgets would write that down.
        self.setParameterNode(None)

    def onSceneThere(self, caller=None, event=None):
        # Once the widgets know the scene's nodes, too.
        self.panel.desktop.later(0, self.takeUpScene)

    def takeUpScene(self):
        # Slicer may have let go of the widget meanwhile.
        if self.logic and self.parent.isEntered:
            self.setParameterNode(self.logic.getParameterNode())
            self.panel.take_up()

    def setParameterNode(self, parameters):
        old = self.panel.parameters
        if old:
            old.disconnectGui(self._guiTag)
            self.removeObserver(old, vtk.vtkCommand.ModifiedEvent, self.onParametersChanged)
        if parameters:
            self._guiTag = parameters.connectGui(self.ui)
            self.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, self.onParametersChanged)
        self.panel.set_parameters(parameters)

    def onParametersChanged(self, caller=None, event=None):
        with self.reporting():
            self.panel.parameters_changed()

    @contextmanager
    def reporting(self):
        """Show the library's sentences in the status line, and faults as Slicer shows them."""
        with slicer.util.tryWithErrorDisplay(_("VS Click Correct could not do that.")):
            try:
                with enough_memory():
                    yield
            except VSClickError as error:
                self.panel.say(error)
                self.panel.refresh()

    def _reported(self, action):
        def run(*arguments):
            with self.reporting():
                action()

        return run

    def _addShortcuts(self):
        self._removeShortcuts()
        window = slicer.util.mainWindow()
        # Slicer may run without one, in tests for instance.
        for keys, repeats, action in self.panel.shortcuts() if window else ():
            shortcut = qt.QShortcut(qt.QKeySequence(keys), window)
            shortcut.setAutoRepeat(repeats)
            shortcut.connect("activated()", self._reported(action))
            self.shortcuts.append(shortcut)

    def _removeShortcuts(self):
        for shortcut in self.shortcuts:
            shortcut.setEnabled(False)
            shortcut.setParent(None)
            shortcut.deleteLater()
        self.shortcuts = []


def icon(name):
    return qt.QIcon(str(ICONS / f"{name}.png"))


class SlicerDesktop:
    """What the panel needs of Qt and of Slicer's windows (see `panel.desktop.Desktop`)."""

    def __init__(self, reported):
        self._reported = reported

    def later(self, milliseconds, action):
        qt.QTimer.singleShot(milliseconds, self._reported(action))

    def waiting(self):
        return slicer.util.WaitCursor()

    def cell(self, text, icon_name=""):
        item = qt.QTableWidgetItem(text)
        if icon_name:
            item.setIcon(icon(icon_name))
        return item

    def ask_to_save(self, title, path, filters):
        return qt.QFileDialog.getSaveFileName(slicer.util.mainWindow(), title, path, filters)

    def ask_to_open(self, title, path, filters):
        return qt.QFileDialog.getOpenFileName(slicer.util.mainWindow(), title, path, filters)

    def confirm(self, question):
        return slicer.util.confirmOkCancelDisplay(question)

    def inform(self, text):
        slicer.util.infoDisplay(text)

    def copy(self, text):
        slicer.app.clipboard().setText(text)

    def setting(self, name):
        return slicer.util.settingsValue(SETTINGS + name, "", str)

    def keep_setting(self, name, value):
        qt.QSettings().setValue(SETTINGS + name, value)

    def show_status(self, text):
        slicer.util.showStatusMessage(text, 10000)

    def show_volumes(self, background, foreground):
        slicer.util.setSliceViewerLayers(
            background=background, foreground=foreground, foregroundOpacity=0, fit=True
        )

    def focus_views(self):
        manager = slicer.app.layoutManager()
        for name in manager.sliceViewNames() if manager else ():
            view = manager.sliceWidget(name).sliceView()
            if view.visible:
                view.setFocus()
                return

    def install_packages(self, say):
        from VSClickCorrectLib.panel.installation import install_packages

        return install_packages(self.confirm, say)


class VSClickCorrectLogic(ScriptedLoadableModuleLogic):
    def getParameterNode(self):
        return VSClickCorrectParameterNode(super().getParameterNode())


class VSClickCorrectTest(ScriptedLoadableModuleTest):
    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_OneCase()
        self.setUp()
        self.test_ShortcutsEndWithTheModule()

    def test_OneCase(self):
        from VSClickCorrectLib.panel.self_test import SelfTest

        widget = self._enteredWidget()
        self.delayDisplay(_("Correcting the sample case"))
        SelfTest(self, widget.panel, slicer.app.processEvents).play()
        self.assertFalse(widget.panel.flow.jobs.busy)
        self.delayDisplay(_("Test passed"))

    def test_ShortcutsEndWithTheModule(self):
        widget = self._enteredWidget()
        if not slicer.util.mainWindow():
            self.skipTest(_("Slicer runs without a main window"))
        self.assertEqual(len(widget.shortcuts), len(list(widget.panel.shortcuts())))
        slicer.util.selectModule("Data")
        self.assertEqual(widget.shortcuts, [])
        slicer.util.selectModule("VSClickCorrect")
        self.assertEqual(len(widget.shortcuts), len(list(widget.panel.shortcuts())))
        self.delayDisplay(_("Test passed"))

    def _enteredWidget(self):
        widget = slicer.modules.vsclickcorrect.widgetRepresentation().self()
        if slicer.util.mainWindow():
            slicer.util.selectModule("VSClickCorrect")
        else:
            widget.enter()
        return widget
