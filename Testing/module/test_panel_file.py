"""The panel's file and the code that uses it, compared by name, member and signal."""

import ast
import xml.etree.ElementTree as ET

import pytest
import slicer_widgets
from module_files import MODULE

UI = MODULE / "Resources" / "UI" / "VSClickCorrect.ui"
PANEL = ET.parse(UI).getroot()
WIDGETS = {widget.get("name"): widget for widget in PANEL.iter("widget")}
SOURCES = [MODULE / "VSClickCorrect.py", *sorted((MODULE / "VSClickCorrectLib" / "panel").glob("*.py"))]
TREES = {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in SOURCES}

# What the classes have in Slicer 5.10 and 5.12, as far as it is used; looked up in their headers.
BUTTON = {"checked", "click", "connect", "enabled", "setIcon", "text", "toolTip"}
MEMBERS = {
    "QCheckBox": BUTTON | {"visible"},
    "QComboBox": {"addItems", "blockSignals", "clear", "connect", "currentIndex", "enabled"},
    "QDoubleSpinBox": {"connect", "value"},
    "QLabel": {"text", "toolTip"},
    "QLineEdit": {"connect", "enabled", "text"},
    "QProgressBar": {"maximum", "value"},
    "QPushButton": BUTTON | {"visible"},
    "QSpinBox": {"connect", "value"},
    "QTableWidget": {
        "blockSignals",
        "clearSelection",
        "connect",
        "rowCount",
        "scrollToBottom",
        "selectRow",
        "selectedItems",
        "setColumnWidth",
        "setItem",
        "setRowCount",
    },
    "QToolButton": BUTTON,
    "QWidget": {"enabled", "visible"},
    "ctkCollapsibleButton": {"collapsed", "enabled", "text"},
    "ctkPathLineEdit": {"connect", "currentPath", "setCurrentPath"},
    "qMRMLNodeComboBox": {
        "addEnabled",
        "connect",
        "currentNode",
        "nodeTypes",
        "noneEnabled",
        "removeEnabled",
        "setCurrentNode",
        "setMRMLScene",
        "showChildNodeTypes",
    },
    "qMRMLSegmentSelectorWidget": {
        "connect",
        "currentNode",
        "currentSegmentID",
        "setCurrentNode",
        "setCurrentSegmentID",
        "setMRMLScene",
    },
    "qMRMLWidget": {"setMRMLScene"},
}
SIGNALS = {
    "QCheckBox": {"clicked()"},
    "QComboBox": {"activated(int)", "currentIndexChanged(int)"},
    "QLineEdit": {"editingFinished()", "returnPressed()", "textChanged(QString)"},
    "QPushButton": {"clicked()"},
    "QTableWidget": {"itemSelectionChanged()"},
    "QToolButton": {"clicked()"},
    "ctkCollapsibleButton": {"contentsCollapsed(bool)"},
    "ctkPathLineEdit": {"currentPathChanged(QString)"},
    "qMRMLNodeComboBox": {"currentNodeChanged(bool)"},
    "qMRMLSegmentSelectorWidget": {"currentNodeChanged(bool)", "currentSegmentChanged(QString)"},
    "qMRMLWidget": set(),
}
SCENE_WIDGETS = {"qMRMLNodeComboBox", "qMRMLSegmentSelectorWidget"}
BOUND = {"t1ce", "t2", "keepPlacing", "collecting", "threshold", "carry"}


def class_of(name):
    return WIDGETS[name].get("class")


def nodes(kind):
    return [node for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, kind)]


def ui_name(node):
    """Return X of an expression ``self.ui.X``, else None."""
    if isinstance(node, ast.Attribute) and ast.unparse(node.value) in ("self.ui", "self.panel.ui"):
        return node.attr
    return None


def connections():
    """Return widget and signal of every ``Connection("widget", "signal", slot)``."""
    calls = [node for node in nodes(ast.Call) if ast.unparse(node.func) == "Connection"]
    return [(call.args[0].value, call.args[1].value) for call in calls]


def test_every_widget_the_code_uses_is_on_the_panel():
    used = {ui_name(node) for node in nodes(ast.Attribute)} - {None}
    assert len(used) > 30
    assert used | {name for name, _ in connections()} <= set(WIDGETS)


def test_every_member_the_code_uses_belongs_to_the_widget():
    used = [(ui_name(node.value), node.attr) for node in nodes(ast.Attribute)]
    wrong = [(name, member) for name, member in used if name and member not in MEMBERS[class_of(name)]]
    assert wrong == []


def test_every_connected_signal_belongs_to_the_widget():
    wrong = [(name, signal) for name, signal in connections() if signal not in SIGNALS[class_of(name)]]
    assert wrong == []


def test_every_button_is_connected():
    buttons = {name for name in WIDGETS if class_of(name) in ("QPushButton", "QToolButton")}
    assert buttons == {name for name, _ in connections() if name.endswith("Button")}


@pytest.mark.parametrize("kind", slicer_widgets.STAND_INS, ids=lambda kind: kind.__name__)
def test_stand_ins_have_nothing_that_slicer_has_not(kind):
    ours = ("staticMetaObject", "receivers")
    own = {name for name in vars(kind) if not name.startswith("_") and name not in ours}
    qt = {name for name in own if hasattr(kind.__mro__[1], name)}
    signals = {signal.split("(")[0] for signal in SIGNALS[kind.__name__]}
    assert own - qt - signals <= MEMBERS[kind.__name__]


def test_scene_reaches_every_widget_that_shows_nodes():
    assert (PANEL.find("widget").get("class"), PANEL.find("class").text) == ("qMRMLWidget", "VSClickCorrect")
    wired = {
        c.findtext("receiver")
        for c in PANEL.iter("connection")
        if c.findtext("sender") == "VSClickCorrect"
        and c.findtext("signal") == "mrmlSceneChanged(vtkMRMLScene*)"
        and c.findtext("slot") == "setMRMLScene(vtkMRMLScene*)"
    }
    assert wired == {name for name in WIDGETS if class_of(name) in SCENE_WIDGETS}


def test_panel_declares_every_class_that_is_not_of_qt():
    used = {widget.get("class") for widget in PANEL.iter("widget")}
    declared = {c.findtext("class") for c in PANEL.iter("customwidget")}
    assert {name for name in used if not name.startswith("Q")} == declared


def test_everything_a_person_can_touch_has_a_tooltip():
    inert = {"QScrollArea", "QWidget", "qMRMLWidget"}
    names = [name for name in WIDGETS if class_of(name) not in inert]
    without = [name for name in names if not tooltip(name) and not is_caption(name)]
    assert without == []


def tooltip(name):
    return next((p.findtext("string") for p in WIDGETS[name].iterfind("property[@name='toolTip']")), "")


def is_caption(name):
    """Whether a label only names what stands beside it, which has the tooltip."""
    text = next((p.findtext("string") for p in WIDGETS[name].iterfind("property[@name='text']")), "")
    return class_of(name) == "QLabel" and text.endswith(":")


def test_parameters_are_bound_by_the_panel():
    bound = {p.findtext("string") for p in PANEL.iter("property") if p.get("name") == "SlicerParameterName"}
    assert bound == BOUND


@pytest.mark.parametrize("name", [name for name in TREES if name != "self_test.py"])
def test_nothing_visible_is_left_untranslated(name):
    """A sentence in the code is visible, unless it is a docstring."""
    tree = TREES[name]
    translated = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "_"
        for part in ast.walk(node)
    }
    docstrings = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
    sentences = [
        n.value
        for n in ast.walk(tree)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and " " in n.value.strip()
        if id(n) not in translated | docstrings
    ]
    assert sentences == (["VSClickCorrect contributors"] if name == "VSClickCorrect.py" else [])


def test_only_the_module_file_imports_qt():
    for path in MODULE.glob("VSClickCorrect*/**/*.py"):
        text = path.read_text(encoding="utf-8")
        assert "import qt" not in text, path
        assert "import ctk" not in text, path
    assert len((MODULE / "VSClickCorrect.py").read_text(encoding="utf-8").splitlines()) < 300


# Looked up in util.py, qSlicerApplication.h and the wrapped classes of Slicer 5.10 and 5.12.
SLICER = {
    "slicer.app": {"clipboard", "connect", "layoutManager", "processEvents"},
    "slicer.util": {
        "WaitCursor",
        "childWidgetVariables",
        "confirmOkCancelDisplay",
        "createProgressDialog",
        "infoDisplay",
        "loadUI",
        "mainWindow",
        "pip_install",
        "selectModule",
        "setSliceViewerLayers",
        "settingsValue",
        "showStatusMessage",
        "tryWithErrorDisplay",
    },
    "qt": {"QFileDialog", "QIcon", "QKeySequence", "QSettings", "QShortcut", "QTableWidgetItem", "QTimer"},
}


@pytest.mark.parametrize("place", SLICER)
def test_what_is_used_of_slicer_is_in_every_version_that_is_meant(place):
    used = {node.attr for node in nodes(ast.Attribute) if ast.unparse(node.value) == place}
    assert used == SLICER[place]
