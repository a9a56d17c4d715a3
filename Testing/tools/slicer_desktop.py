"""What slicer-core lacks of desktop Slicer's Python, as far as the module needs it."""

from __future__ import annotations

import sys
import typing
import unittest
import weakref
import xml.etree.ElementTree as ET
from contextlib import contextmanager
from types import ModuleType, SimpleNamespace

import slicer
from PySide6 import QtUiTools, QtWidgets
from pythonqt import Settings, Wrapped, bare, qt_module, wrapped
from slicer_widgets import STAND_INS


class App:
    """``slicer.app``."""

    def __init__(self, window):
        self.texts: list[str] = []
        self.started: list = []
        self.view = QtWidgets.QWidget(window)

    def connect(self, signal, action):
        assert signal == "startupCompleted()"
        self.started.append(action)

    def clipboard(self):
        return SimpleNamespace(setText=self.texts.append)

    def layoutManager(self):  # noqa: N802
        widget = SimpleNamespace(sliceView=lambda: wrapped(self.view))
        return SimpleNamespace(sliceViewNames=lambda: ("Red",), sliceWidget={"Red": widget}.__getitem__)

    def processEvents(self):  # noqa: N802
        QtWidgets.QApplication.processEvents()


def install(monkeypatch, scene) -> SimpleNamespace:
    """Make ``qt``, ``slicer.app``, ``slicer.mrmlScene`` and Slicer's Python packages importable for one test.

    Returns
    -------
    SimpleNamespace
        ``app``, ``window`` (the main window), ``status`` (texts of the status bar), ``faults`` (what
        `tryWithErrorDisplay` showed), ``answers`` (what the next dialogs are answered) and
        ``questions`` (what was to be confirmed), ``informed`` (texts shown).
    """
    window = QtWidgets.QMainWindow()
    desktop = SimpleNamespace(
        app=App(window),
        window=window,
        status=[],
        faults=[],
        answers=[],
        questions=[],
        informed=[],
        layers=[],
        dialogs=[],
    )
    desktop.progress = lambda shown: _Progress(desktop.dialogs, shown["labelText"])
    monkeypatch.setattr(slicer, "mrmlScene", scene, raising=False)
    monkeypatch.setattr(slicer, "app", desktop.app, raising=False)
    monkeypatch.setattr(Settings, "values", {})
    for name, function in _util(desktop).items():
        monkeypatch.setattr(slicer.util, name, function, raising=False)
    qt = qt_module()
    qt.QFileDialog = SimpleNamespace(
        getOpenFileName=lambda *arguments: desktop.answers.pop(0),
        getSaveFileName=lambda *arguments: desktop.answers.pop(0),
    )
    translation = {"tr": lambda text: text, "translate": lambda context, text: text}
    modules = {
        "slicer.i18n": translation,
        "slicer.parameterNodeWrapper": {
            "parameterNodeWrapper": parameter_node_wrapper,
            "WithinRange": lambda low, high: (low, high),
        },
        "slicer.ScriptedLoadableModule": {
            "ScriptedLoadableModule": Module,
            "ScriptedLoadableModuleWidget": Widget,
            "ScriptedLoadableModuleLogic": Logic,
            "ScriptedLoadableModuleTest": Test,
        },
    }
    monkeypatch.setitem(sys.modules, "qt", qt)
    for name, content in modules.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)
    return desktop


class _Progress:
    """A progress dialog, in the list of those that are open."""

    def __init__(self, dialogs, text):
        self._dialogs, self._text = dialogs, text
        dialogs.append(text)

    def setCancelButton(self, button):  # noqa: N802
        assert button is None

    def close(self):
        self._dialogs.remove(self._text)

    def deleteLater(self):  # noqa: N802
        assert self._text not in self._dialogs


def _util(desktop: SimpleNamespace) -> dict:
    @contextmanager
    def try_with_error_display(message, waitCursor=False):  # noqa: N803
        try:
            yield
        # Any, as Slicer does: it is shown, then raised again, which Qt prints where it came from an event.
        except Exception as error:
            desktop.faults.append(f"{message} {error}")
            raise

    @contextmanager
    def wait_cursor():
        yield

    return {
        "loadUI": load_ui,
        "childWidgetVariables": child_widget_variables,
        "tryWithErrorDisplay": try_with_error_display,
        "WaitCursor": wait_cursor,
        "createProgressDialog": lambda **shown: desktop.progress(shown),
        "mainWindow": lambda: wrapped(desktop.window),
        "settingsValue": lambda key, default, converter: converter(Settings.values.get(key, default)),
        "showStatusMessage": lambda text, duration=0: desktop.status.append(text),
        "setSliceViewerLayers": lambda **layers: desktop.layers.append(layers),
        "confirmOkCancelDisplay": lambda asked: desktop.questions.append(asked) or desktop.answers.pop(0),
        "infoDisplay": desktop.informed.append,
        "pip_install": lambda requirement: desktop.answers.pop(0)(),
    }


def load_ui(path: str) -> Wrapped:
    """Load a panel as `slicer.util.loadUI` does, and wire its connections, which PySide6 cannot make."""
    loader = QtUiTools.QUiLoader()
    for kind in STAND_INS:
        loader.registerCustomWidget(kind)
    widget = loader.load(path)
    assert widget is not None, path
    widget.receivers = tuple(
        widget.findChild(QtWidgets.QWidget, connection.findtext("receiver"))
        for connection in ET.parse(path).iter("connection")
    )
    return wrapped(widget)


def child_widget_variables(widget: Wrapped) -> SimpleNamespace:
    children = bare(widget).findChildren(QtWidgets.QWidget)
    return SimpleNamespace(**{child.objectName(): wrapped(child) for child in children if child.objectName()})


class Module:
    def __init__(self, parent):
        self.parent = parent


class Widget:
    """A module's widget with a layout of its own, as Slicer gives it."""

    folder = ""

    def __init__(self, parent=None):
        host = QtWidgets.QWidget()
        self.host = host
        self.parent = parent or SimpleNamespace(isEntered=False)
        box = QtWidgets.QVBoxLayout(host)
        box.setContentsMargins(0, 0, 0, 0)
        self.layout = wrapped(box)

    def setup(self):
        pass

    def resourcePath(self, name):  # noqa: N802
        return f"{self.folder}/Resources/{name}"


class Logic:
    def getParameterNode(self):  # noqa: N802
        name = type(self).__name__.removesuffix("Logic")
        node = slicer.mrmlScene.GetSingletonNode(name, "vtkMRMLScriptedModuleNode")
        if node is None:
            node = slicer.vtkMRMLScriptedModuleNode()
            node.SetSingletonTag(name)
            node = slicer.mrmlScene.AddNode(node)
        return node


class Test(unittest.TestCase):
    __test__ = False  # not for pytest to collect

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.shown: list[str] = []

    def delayDisplay(self, message):  # noqa: N802
        self.shown.append(message)


def parameter_node_wrapper(described: type) -> type:
    """Keep annotated nodes as node references and the rest as parameters, as Slicer's wrapper does.

    Like that one it remembers what it read when the node was modified last, so that a reference which cannot
    be followed yet, as while a scene is being read, is None for good.
    """

    hints = typing.get_type_hints(described)
    accesses = {
        name: _value(name, kind, getattr(described, name, kind()))
        if kind in (str, bool, int, float)
        else _node(name, kind)
        for name, kind in hints.items()
    }

    def __init__(self, node):  # noqa: N807
        self.parameterNode = node
        self.connectors = []
        own = weakref.ref(self)
        node.AddObserver("ModifiedEvent", lambda *_: own() and remember(own()))
        remember(self)

    def remember(self):
        self.remembered = {name: read(self) for name, (read, _) in accesses.items()}

    fields = {
        name: property(lambda self, name=name: self.remembered[name], write)
        for name, (_, write) in accesses.items()
    }
    methods = {
        "__init__": __init__,
        "AddObserver": lambda self, event, method, priority=0.0: self.parameterNode.AddObserver(
            event, method
        ),
        "RemoveObserver": lambda self, tag: self.parameterNode.RemoveObserver(tag),
        "connectGui": _connect_gui,
        "disconnectGui": _disconnect_gui,
        "allParameters": hints,
    }
    return type(described.__name__, (), {**methods, **fields})


# The property and the signal by which Slicer's connectors bind each class to each type.
_BINDINGS = {
    ("QCheckBox", bool): ("checked", "stateChanged(int)"),
    ("QSpinBox", int): ("value", "valueChanged(int)"),
    ("QDoubleSpinBox", float): ("value", "valueChanged(double)"),
}


def _connect_gui(self, ui):
    for widget in vars(ui).values():
        name = bare(widget).property("SlicerParameterName")
        if name:
            assert name in self.allParameters, name
            self.connectors.append(_Connector(self, widget, name))
    return len(self.connectors)


def _disconnect_gui(self, tag):
    assert tag == len(self.connectors)
    for connector in self.connectors:
        connector.live = False
        self.parameterNode.RemoveObserver(connector.tag)
    self.connectors = []


class _Connector:
    def __init__(self, parameters, widget, name):
        self.parameters, self.widget, self.name, self.live = parameters, widget, name, True
        kind = parameters.allParameters[name]
        class_name = bare(widget).metaObject().className()
        self.is_node = class_name == "qMRMLNodeComboBox"
        self.property, signal = (
            ("", "currentNodeChanged(bool)") if self.is_node else _BINDINGS[class_name, kind]
        )
        self.show()
        widget.connect(signal, self.take)
        self.tag = parameters.AddObserver("ModifiedEvent", self.show)

    def show(self, *_arguments):
        value = getattr(self.parameters, self.name)
        if self.is_node:
            self.widget.setCurrentNode(value)
        else:
            setattr(self.widget, self.property, value)

    def take(self, *_arguments):
        if self.live:
            value = self.widget.currentNode() if self.is_node else getattr(self.widget, self.property)
            setattr(self.parameters, self.name, value)


def _value(name: str, kind: type, default: typing.Any) -> tuple:
    def read(self):
        text = self.parameterNode.GetParameter(name)
        return text == "True" if kind is bool and text else kind(text or default)

    def write(self, value):
        if read(self) != value or not self.parameterNode.GetParameter(name):
            self.parameterNode.SetParameter(name, str(value))

    return read, write


def _node(name: str, kind: type) -> tuple:
    def write(self, node):
        if not (node is None or node.IsA(kind.__name__)):
            raise TypeError(f"{name} takes a {kind.__name__}, not a {type(node).__name__}")
        self.parameterNode.SetNodeReferenceID(name, node.GetID() if node else None)

    return lambda self: self.parameterNode.GetNodeReference(name), write


def application() -> QtWidgets.QApplication:
    """Return Qt's application, the same one for every test."""
    found = QtWidgets.QApplication.instance() or QtWidgets.QApplication(["Slicer"])
    found.setStyle("Fusion")
    return found
