"""The scripted module as far as it can be checked without desktop Slicer."""

import ast
import importlib.util
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("slicer")

FOLDER = Path(__file__).resolve().parents[1] / "VSClickCorrect"
SOURCE = FOLDER / "VSClickCorrect.py"
TREE = ast.parse(SOURCE.read_text(encoding="utf-8"))
PANEL = ET.parse(FOLDER / "Resources" / "UI" / "VSClickCorrect.ui").getroot()
WIDGETS = {widget.get("name"): widget for widget in PANEL.iter("widget")}
# What the classes on the panel have in Slicer 5.10 and 5.12, as far as it is used.
SIGNALS = {
    "QPushButton": {"clicked()"},
    "QToolButton": {"clicked()"},
    "qMRMLSegmentSelectorWidget": {"currentNodeChanged(bool)", "currentSegmentChanged(QString)"},
}
MEMBERS = {
    "QLabel": {"text"},
    "QPushButton": {"enabled", "toolTip", "connect"},
    "QToolButton": {"checked", "connect"},
    "ctkCollapsibleButton": {"enabled"},
    "qMRMLSegmentSelectorWidget": {
        "connect",
        "currentNode",
        "currentSegmentID",
        "setCurrentNode",
        "setCurrentSegmentID",
    },
    "qSlicerMarkupsPlaceWidget": {
        "deleteButton",
        "placeMultipleMarkups",
        "setCurrentNode",
        "setPlaceModeEnabled",
    },
}
SCENE_WIDGETS = {"qMRMLNodeComboBox", "qMRMLSegmentSelectorWidget", "qSlicerMarkupsPlaceWidget"}


def ui_name(node):
    """Return X of the expression ``self.ui.X``, else None."""
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "self.ui":
        return node.attr
    return None


def connections():
    """Yield widget, signal and slot of every ``self.ui.X.connect("signal", slot)``."""
    for node in ast.walk(TREE):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr == "connect"
        ):
            yield ui_name(node.func.value), node.args[0].value, node.args[1]


def test_every_widget_the_code_uses_is_on_the_panel():
    used = {ui_name(node) for node in ast.walk(TREE)} - {None}
    assert len(used) > 10
    assert used <= set(WIDGETS)


def test_every_member_the_code_uses_belongs_to_the_widget():
    used = [(ui_name(n.value), n.attr) for n in ast.walk(TREE) if isinstance(n, ast.Attribute)]
    wrong = [
        (name, member) for name, member in used if name and member not in MEMBERS[WIDGETS[name].get("class")]
    ]
    assert wrong == []


def test_every_connected_signal_belongs_to_the_widget_and_has_a_slot():
    methods = {node.name for node in ast.walk(TREE) if isinstance(node, ast.FunctionDef)}
    found = list(connections())
    for name, signal, slot in found:
        assert signal in SIGNALS[WIDGETS[name].get("class")], name
        called = slot.body.func if isinstance(slot, ast.Lambda) else slot
        assert called.attr in methods
    buttons = {n for n, w in WIDGETS.items() if w.get("class") in ("QPushButton", "QToolButton")}
    assert buttons == {name for name, _, _ in found if name.endswith("Button")}


def test_scene_reaches_every_widget_that_shows_nodes():
    assert (PANEL.find("widget").get("class"), PANEL.find("class").text) == ("qMRMLWidget", "VSClickCorrect")
    wired = {
        c.findtext("receiver")
        for c in PANEL.iter("connection")
        if c.findtext("sender") == "VSClickCorrect"
        and c.findtext("signal") == "mrmlSceneChanged(vtkMRMLScene*)"
        and c.findtext("slot") == "setMRMLScene(vtkMRMLScene*)"
    }
    assert wired == {name for name, widget in WIDGETS.items() if widget.get("class") in SCENE_WIDGETS}


def test_panel_declares_every_class_that_is_not_of_qt():
    used = {widget.get("class") for widget in PANEL.iter("widget")}
    declared = {c.findtext("class") for c in PANEL.iter("customwidget")}
    assert {name for name in used if not name.startswith("Q")} <= declared


def test_nothing_visible_is_left_untranslated():
    """A sentence in the code is visible, unless it is a docstring."""
    translated = {
        id(part)
        for node in ast.walk(TREE)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_"
        for part in ast.walk(node)
    }
    docstrings = {id(n.value) for n in ast.walk(TREE) if isinstance(n, ast.Expr)}
    sentences = [
        n.value
        for n in ast.walk(TREE)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and " " in n.value.strip()
        if id(n) not in translated | docstrings
    ]
    assert sentences == ["VSClickCorrect contributors"]


@pytest.fixture
def headless():
    from VSClickCorrectLib.mrml.scene import HeadlessScene

    with HeadlessScene() as headless:
        yield headless


@pytest.fixture
def module(headless, monkeypatch):
    """The module file, imported as Slicer imports it, with stand-ins for what slicer-core lacks."""
    from slicer_desktop import install

    install(monkeypatch, headless.scene)
    spec = importlib.util.spec_from_file_location("VSClickCorrect", SOURCE)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "VSClickCorrect", module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def logic(module, small):
    """The logic with an oracle in place of the networks."""
    from VSClickCorrectLib.simulation.oracle import Oracle

    logic = module.VSClickCorrectLogic()
    logic.corrector = Oracle(small.truth)
    return logic


@pytest.fixture
def example(headless, logic, small):
    """The small case in the scene, chosen in the parameter node, with a mask that is empty."""
    from VSClickCorrectLib.mrml.examples import add_example

    example = add_example(headless.scene, small, np.zeros(small.grid.shape, bool))
    parameters = logic.getParameterNode()
    parameters.t1ce, parameters.t2 = example.t1ce, example.t2
    parameters.segmentation, parameters.segmentId = example.segmentation, example.segment_id
    return example


class FoundByHand:
    """An initial segmenter that finds a block of voxels."""

    def segment(self, case, progress, cancelled):
        from VSClickCorrectLib.errors import Cancelled
        from VSClickCorrectLib.imaging.box import Box
        from VSClickCorrectLib.inference.initial import InitialMask

        progress(0.5, "half")
        if cancelled():
            raise Cancelled("cancelled.")
        return InitialMask(Box((1, 2, 3), (3, 5, 7)), np.ones((2, 3, 4), bool), 0.9)

    def propose(self, case, click):
        raise AssertionError("no click here starts anew")


def test_module_says_what_slicer_wants_to_know(module):
    parent = SimpleNamespace()
    module.VSClickCorrect(parent)
    assert (parent.categories, parent.dependencies) == (["Segmentation"], [])
    assert "VS-SEG" in parent.acknowledgementText
    assert "thesis" in parent.acknowledgementText


def test_panel_is_tied_to_parameters_that_exist(module):
    tied = {p.findtext("string") for p in PANEL.iter("property") if p.get("name") == "SlicerParameterName"}
    assert tied == {"t1ce", "t2"}
    assert tied <= set(vars(module.VSClickCorrectParameterNode.allParameters))


def test_parameters_stay_in_the_scene(logic, example):
    again = logic.getParameterNode()
    assert (again.t1ce, again.segmentation) == (example.t1ce, example.segmentation)
    assert (again.segmentId, again.kind, again.clicks) == (example.segment_id, "boundary", None)


def test_clicks_of_the_chosen_kind_correct_the_segment(module, logic, example, small):
    parameters, edits = logic.getParameterNode(), []
    logic.begin(parameters, edits.append)
    logic.setKind(parameters, module.ClickKind.INCLUDE)
    parameters.clicks.AddControlPointWorld(*small.site_ras)
    assert [click.kind.value for edit in edits for click in edit.clicks] == ["include"]
    np.testing.assert_array_equal(example.mask.read(small.grid.box), small.truth)


def test_stopped_correction_hears_no_click_and_can_be_taken_up_again(logic, example, small):
    parameters, edits, errors = logic.getParameterNode(), [], []
    parameters.kind = "include"
    logic.begin(parameters, edits.append, errors.append)
    parameters.clicks.AddControlPointWorld(*small.site_ras)
    stopped = logic.correction  # kept, as dropping it would close it too
    logic.stop()
    parameters.clicks.AddControlPointWorld(*small.site_ras)
    assert (len(edits), errors, stopped.session.round) == (1, [], 1)
    assert parameters.clicks.GetNthControlPointDescription(1) == ""
    logic.begin(parameters)
    logic.correction.undo()
    assert example.mask.extent() is None


def test_beginning_twice_applies_a_click_once(logic, example, small):
    parameters, edits = logic.getParameterNode(), []
    logic.begin(parameters, edits.append)
    logic.begin(parameters, edits.append)
    parameters.clicks.AddControlPointWorld(*small.site_ras)
    assert len(edits) == 1


def test_failed_click_is_reported_and_changes_nothing(logic, example):
    parameters, edits, errors = logic.getParameterNode(), [], []
    logic.begin(parameters, edits.append, errors.append)
    parameters.clicks.AddControlPointWorld(1e4, 0, 0)
    assert (edits, len(errors)) == ([], 1)
    assert "outside" in str(errors[0])
    assert example.mask.extent() is None


@pytest.mark.parametrize("removed", ["t1ce", "t2", "segmentation"])
def test_correction_is_outdated_once_a_node_is_gone(logic, example, headless, removed):
    parameters = logic.getParameterNode()
    assert not logic.isOutdated(parameters)
    logic.begin(parameters)
    assert not logic.isOutdated(parameters)
    headless.scene.RemoveNode(getattr(parameters, removed))
    assert logic.isOutdated(parameters)


def test_nothing_to_work_on_is_said_in_a_sentence(module, logic, example):
    parameters = logic.getParameterNode()
    parameters.segmentation = None
    with pytest.raises(module.VSClickError, match="no segmentation to correct"):
        logic.begin(parameters)
    assert logic.correction is None
    parameters.t1ce = parameters.t2 = None
    with pytest.raises(module.VSClickError, match="no image was given"):
        initial_mask(logic, parameters)


def initial_mask(logic, parameters, cancelled=lambda: False):
    logic.segmenter = FoundByHand()
    said = []
    initial = logic.makeInitialMask(parameters, lambda *step: said.append(step), cancelled)
    assert said == [(0.5, "half")]
    return initial


def test_initial_mask_becomes_the_chosen_segment(logic, example, small):
    from VSClickCorrectLib.imaging.box import Box
    from VSClickCorrectLib.mrml.segment_mask import SegmentMask

    parameters = logic.getParameterNode()
    assert initial_mask(logic, parameters).found
    assert parameters.segmentation is not example.segmentation
    mask = SegmentMask(parameters.segmentation, parameters.segmentId, example.t1ce)
    assert mask.extent() == Box((1, 2, 3), (3, 5, 7))
    assert mask.read(small.grid.box).sum() == 24


def test_cancelled_initial_mask_leaves_the_scene_as_it_was(module, logic, example, headless):
    parameters = logic.getParameterNode()
    with pytest.raises(module.VSClickError, match="cancelled"):
        initial_mask(logic, parameters, cancelled=lambda: True)
    assert headless.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 1
    assert parameters.segmentation == example.segmentation


def test_missing_packages_are_named(module, logic, monkeypatch):
    assert logic.missingPackages() == []
    monkeypatch.setattr(module, "PACKAGES", ("torch", "no_such_package"))
    assert logic.missingPackages() == ["no_such_package"]


def test_models_of_a_folder_of_ones_own_are_loaded(logic, bright_models):
    logic.loadModels(bright_models)
    assert logic.corrector.entry.role == "corrector"
    assert logic.segmenter.entries[1].role == "initial"


@pytest.fixture
def self_test(module, small, monkeypatch):
    """The test inside Slicer, on the case that is already made."""
    monkeypatch.setattr("VSClickCorrectLib.simulation.synthesis.small_case", lambda: small)
    return module.VSClickCorrectTest()


def test_self_test_passes_without_torch(module, self_test, monkeypatch):
    monkeypatch.setattr(module.VSClickCorrectLogic, "missingPackages", lambda self: ["torch"])
    monkeypatch.setattr(module.VSClickCorrectLogic, "loadModels", None)
    self_test.runTest()
    assert self_test.shown[-1] == "Test passed"


def test_self_test_passes_with_the_shipped_models(self_test, shipped_models):
    self_test.runTest()
    assert self_test.shown[-1] == "Test passed"
