"""The module as Slicer wants it: a panel, thin, over the library beside this file."""

import importlib.util
from contextlib import contextmanager

import qt
import slicer
import vtk
from slicer import vtkMRMLMarkupsFiducialNode, vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

# Only what is light; the rest is imported at first use, so that Slicer starts as fast as without this module.
from VSClickCorrectLib.errors import VSClickError
from VSClickCorrectLib.imaging.click import ClickKind

PACKAGES = ("torch", "safetensors")
TORCH_VERSION = ">=2.4"


class VSClickCorrect(ScriptedLoadableModule):
    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("VS Click Correct")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = []
        self.parent.contributors = ["VSClickCorrect contributors"]
        self.parent.helpText = _(
            "Segment a vestibular schwannoma in contrast-enhanced T1 and T2 MRI and correct the result with "
            "a few clicks. Each click mends its surroundings and can be undone exactly. For research only."
        )
        self.parent.acknowledgementText = _(
            "The method builds on Jakub Povinec's thesis <i>Segmentation of Brain Magnetic Resonance Images "
            "using Deep Neural Networks</i> (Slovak University of Technology in Bratislava, 2024). It was "
            "made for the VS-SEG dataset of The Cancer Imaging Archive "
            '(<a href="https://doi.org/10.7937/TCIA.9YTJ-5Q73">doi 10.7937/TCIA.9YTJ-5Q73</a>, CC BY 4.0).'
        )


@parameterNodeWrapper
class VSClickCorrectParameterNode:
    t1ce: vtkMRMLScalarVolumeNode
    t2: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    segmentId: str
    clicks: vtkMRMLMarkupsFiducialNode
    kind: str = ClickKind.BOUNDARY.value


class VSClickCorrectWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameters = None
        self._guiTag = None
        self._resume = False

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        panel = slicer.util.loadUI(self.resourcePath("UI/VSClickCorrect.ui"))
        self.layout.addWidget(panel)
        self.ui = slicer.util.childWidgetVariables(panel)
        panel.setMRMLScene(slicer.mrmlScene)
        self.logic = VSClickCorrectLogic()
        self.ui.placeWidget.placeMultipleMarkups = slicer.qSlicerMarkupsPlaceWidget.ForcePlaceMultipleMarkups
        self.ui.placeWidget.deleteButton().hide()
        self._connectButtons()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.setParameterNode(self.logic.getParameterNode())

    def _connectButtons(self):
        self.ui.initialButton.connect("clicked()", self.onInitialMask)
        self.ui.segmentSelector.connect("currentNodeChanged(bool)", self._update)
        self.ui.segmentSelector.connect("currentSegmentChanged(QString)", self._update)
        self.ui.correctButton.connect("clicked()", self.onCorrectSegment)
        self.ui.boundaryButton.connect("clicked()", lambda: self._setKind(ClickKind.BOUNDARY))
        self.ui.includeButton.connect("clicked()", lambda: self._setKind(ClickKind.INCLUDE))
        self.ui.excludeButton.connect("clicked()", lambda: self._setKind(ClickKind.EXCLUDE))
        self.ui.undoButton.connect("clicked()", self.onUndo)
        self.ui.redoButton.connect("clicked()", self.onRedo)
        self.ui.nextRoundButton.connect("clicked()", self.onNextRound)

    def cleanup(self):
        self.exit()
        self.removeObservers()

    def enter(self):
        self.setParameterNode(self.logic.getParameterNode())
        if self._resume:
            with self._reporting(_("The correction could not go on.")):
                self._begin()

    def exit(self):
        self._resume = self.logic.correction is not None
        self._stop()
        self.setParameterNode(None)

    def onSceneStartClose(self, caller=None, event=None):
        self.exit()
        self._resume = False
        self._say("")

    def onSceneEndClose(self, caller=None, event=None):
        if self.parent.isEntered:
            self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, parameters):
        if self._parameters:
            self._parameters.disconnectGui(self._guiTag)
            self.removeObserver(self._parameters, vtk.vtkCommand.ModifiedEvent, self.onParametersChanged)
        self._parameters = parameters
        if self._parameters:
            self._guiTag = self._parameters.connectGui(self.ui)
            self.addObserver(self._parameters, vtk.vtkCommand.ModifiedEvent, self.onParametersChanged)
            self._update()

    def onParametersChanged(self, caller=None, event=None):
        if self.logic.isOutdated(self._parameters):
            self._stop()
            self._say(_("The volumes or the segment changed; begin again with a button under Start."))
        self._update()

    def onInitialMask(self):
        with self._reporting(_("The initial mask could not be made.")):
            if not self._installPackages():
                return
            with self._progressDialog(_("Initial mask")) as callbacks:
                initial = self.logic.makeInitialMask(self._parameters, *callbacks)
            self.ui.segmentSelector.setCurrentNode(self._parameters.segmentation)
            self.ui.segmentSelector.setCurrentSegmentID(self._parameters.segmentId)
            self._begin()
            if not initial.found:
                self._say(_("No tumour was found; place an include click on it."))

    def onCorrectSegment(self):
        with self._reporting(_("The segment cannot be corrected.")):
            if not self._installPackages():
                return
            self._parameters.segmentation = self.ui.segmentSelector.currentNode()
            self._parameters.segmentId = self.ui.segmentSelector.currentSegmentID()
            self._begin()

    def onUndo(self):
        self._do(self.logic.correction.undo, _("Undone: {0.description}."))

    def onRedo(self):
        self._do(self.logic.correction.redo, _("Done again: {0.description}."))

    def onNextRound(self):
        self._do(self.logic.correction.next_round, _("Round {0} begins."))

    def onEdit(self, edit):
        self._say(_("Done: {0.description} in {0.milliseconds:.0f} ms.").format(edit))
        self._update()

    def _do(self, action, sentence):
        with self._reporting(_("That could not be done.")):
            self._say(sentence.format(action()))

    def _begin(self):
        with slicer.util.WaitCursor():
            self.logic.begin(self._parameters, self.onEdit, self._say)
        self._say(_("Click where the tumour's true border runs, or choose another kind of click."))

    def _stop(self):
        if self.logic.correction:
            self.ui.placeWidget.setPlaceModeEnabled(False)
            self.ui.placeWidget.setCurrentNode(None)
        self.logic.stop()

    def _setKind(self, kind):
        self.logic.setKind(self._parameters, kind)
        self.ui.placeWidget.setPlaceModeEnabled(True)

    def _update(self, selected=None):
        """Show what can be done now."""
        if self._parameters is None:
            return
        hasVolume = bool(self._parameters.t1ce or self._parameters.t2)
        selector = self.ui.segmentSelector
        hasSegment = bool(selector.currentNode() and selector.currentSegmentID())
        self.ui.initialButton.enabled = hasVolume
        self.ui.correctButton.enabled = hasVolume and hasSegment
        self.ui.clicksCollapsibleButton.enabled = self.logic.correction is not None
        if self.logic.correction:
            self._updateCorrection(self.logic.correction)

    def _updateCorrection(self, correction):
        undo, redo = correction.next_undo, correction.next_redo
        self.ui.undoButton.enabled = undo is not None
        self.ui.undoButton.toolTip = _("Undo: {edit}").format(edit=undo.description) if undo else ""
        self.ui.redoButton.enabled = redo is not None
        self.ui.redoButton.toolTip = _("Do again: {edit}").format(edit=redo.description) if redo else ""
        self.ui.roundLabel.text = _("Round {number}").format(number=correction.session.round)
        self.ui.placeWidget.setCurrentNode(self._parameters.clicks)
        kinds = {"include": self.ui.includeButton, "exclude": self.ui.excludeButton}
        kinds.get(self._parameters.kind, self.ui.boundaryButton).checked = True

    def _say(self, message):
        self.ui.statusLabel.text = str(message)

    @contextmanager
    def _reporting(self, failure):
        """Show the library's sentences in the status line, and faults as Slicer shows them."""
        with slicer.util.tryWithErrorDisplay(failure):
            try:
                yield
            except VSClickError as error:
                self._say(error)
            finally:
                self._update()

    @contextmanager
    def _progressDialog(self, title):
        """Give the two callbacks of `InitialSegmenter.segment`; both keep the window alive."""
        dialog = slicer.util.createProgressDialog(
            windowTitle=title, labelText=_("loading the models"), windowModality=qt.Qt.ApplicationModal
        )

        def progress(fraction, message):
            dialog.labelText = _(message)
            dialog.value = round(100 * fraction)
            slicer.app.processEvents()

        def cancelled():
            slicer.app.processEvents()
            return dialog.wasCanceled

        try:
            slicer.app.processEvents()
            yield progress, cancelled
        finally:
            dialog.close()
            dialog.deleteLater()

    def _installPackages(self):
        """Ask for what is missing and return whether everything is there now."""
        if "torch" in self.logic.missingPackages():
            if importlib.util.find_spec("PyTorchUtils") is None:
                self._say(_("PyTorch is needed; install the PyTorch extension and restart Slicer."))
                return False
            import PyTorchUtils

            PyTorchUtils.PyTorchUtilsLogic().installTorch(
                askConfirmation=True, torchVersionRequirement=TORCH_VERSION
            )
        if "safetensors" in self.logic.missingPackages() and slicer.util.confirmOkCancelDisplay(
            _("The models are read with the Python package safetensors, under 1 MB. Install it now?")
        ):
            slicer.util.pip_install("safetensors")
        missing = self.logic.missingPackages()
        if missing:
            self._say(_("Not installed: {packages}.").format(packages=", ".join(missing)))
        return not missing


class VSClickCorrectLogic(ScriptedLoadableModuleLogic):
    """Without Qt: the models, once loaded, and the correction that is under way."""

    def __init__(self):
        ScriptedLoadableModuleLogic.__init__(self)
        self.corrector = None
        self.segmenter = None
        self.correction = None
        self._target = None

    def getParameterNode(self):
        return VSClickCorrectParameterNode(super().getParameterNode())

    def missingPackages(self):
        importlib.invalidate_caches()
        return [name for name in PACKAGES if importlib.util.find_spec(name) is None]

    def loadModels(self, folder=None):
        """Load the models of a folder, or those that ship with the extension."""
        from VSClickCorrectLib.inference.corrector import Corrector
        from VSClickCorrectLib.inference.initial import InitialSegmenter
        from VSClickCorrectLib.inference.models import ModelFolder

        models = ModelFolder(folder)
        self.segmenter = InitialSegmenter.load(models)
        self.corrector = Corrector.load(models)

    def makeInitialMask(self, parameters, progress, cancelled):
        """Add a segmentation with the tumour that the networks find, and choose it."""
        from VSClickCorrectLib.mrml.initial import add_initial_mask

        if self.segmenter is None:
            self.loadModels()
        volumes, name = (parameters.t1ce, parameters.t2), _("Vestibular schwannoma")
        initial, segment = add_initial_mask(
            slicer.mrmlScene, volumes, self.segmenter, name, progress, cancelled
        )
        parameters.segmentation, parameters.segmentId = segment
        return initial

    def begin(self, parameters, onEdit=lambda edit: None, onError=lambda error: None):
        """Correct the chosen segment at each click from now on; earlier clicks on it can be undone."""
        from VSClickCorrectLib.mrml.correction import correct_segment

        self.stop()
        if self.corrector is None:
            self.loadModels()
        t1ce, t2, segmentation, segmentId = target = self._targetOf(parameters)
        starter = self.segmenter.propose if self.segmenter else None
        self.correction = correct_segment(
            (t1ce, t2),
            (segmentation, segmentId),
            self.corrector,
            starter,
            on_edit=onEdit,
            on_error=onError,
            later=lambda action: qt.QTimer.singleShot(0, action),
        )
        self._target = target
        self.setKind(parameters, ClickKind(parameters.kind))

    def stop(self):
        """Leave the segment alone; what was done stays, and can be undone after the next `begin`."""
        if self.correction:
            self.correction.close()
        self.correction = None

    def isOutdated(self, parameters):
        """Whether the correction under way is no longer the one that the parameters describe."""
        return self.correction is not None and self._target != self._targetOf(parameters)

    def setKind(self, parameters, kind):
        """Give the clicks to come their kind."""
        parameters.kind = kind.value
        self.correction.kind = kind
        parameters.clicks = self.correction.click_node()

    def _targetOf(self, p):
        return p.t1ce, p.t2, p.segmentation, p.segmentId


class VSClickCorrectTest(ScriptedLoadableModuleTest):
    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        self.setUp()
        self.test_ClicksCorrectASegment()

    def test_ClicksCorrectASegment(self):
        import numpy as np
        from VSClickCorrectLib.simulation.synthesis import small_case
        from VSClickCorrectLib.simulation.user import border_clicks

        self.delayDisplay(_("Making a synthetic case"))
        case = small_case()
        logic, edits, errors = self._logic(case), [], []
        parameters, mask = self._scene(logic, case)
        start = mask.read(case.grid.box)
        logic.begin(parameters, edits.append, errors.append)
        self.delayDisplay(_("Placing three clicks"))
        for click in border_clicks(case.grid, case.truth, start, 3):
            parameters.clicks.AddControlPointWorld(*click.position_ras)
        self.assertEqual((len(edits), errors), (3, []))
        self.assertFalse(np.array_equal(mask.read(case.grid.box), start))
        for edit in reversed(edits):
            self.assertIs(logic.correction.undo(), edit)
        np.testing.assert_array_equal(mask.read(case.grid.box), start)
        logic.stop()
        parameters.clicks.AddControlPointWorld(*case.site_ras)
        self.assertEqual((len(edits), errors), (3, []))
        np.testing.assert_array_equal(mask.read(case.grid.box), start)
        self.delayDisplay(_("Test passed"))

    def _logic(self, case):
        """Return the logic with the models of the extension, or with the truth where torch is missing."""
        from VSClickCorrectLib.simulation.oracle import Oracle

        logic = VSClickCorrectLogic()
        if logic.missingPackages():
            self.delayDisplay(_("PyTorch is not installed: the truth stands in for the network"))
            logic.corrector = Oracle(case.truth)
        else:
            logic.loadModels()
        return logic

    def _scene(self, logic, case):
        """Put the case and a spoiled mask into the scene."""
        import numpy as np
        from VSClickCorrectLib.mrml.examples import add_example
        from VSClickCorrectLib.simulation.errors import shifted

        spoiled = shifted(case.truth, case.grid.spacing[::-1], np.random.default_rng(1))
        example, parameters = add_example(slicer.mrmlScene, case, spoiled), logic.getParameterNode()
        parameters.t1ce, parameters.t2, parameters.kind = example.t1ce, example.t2, "boundary"
        parameters.segmentation, parameters.segmentId = example.segmentation, example.segment_id
        return parameters, example.mask
