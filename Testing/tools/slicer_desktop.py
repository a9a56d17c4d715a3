"""What slicer-core lacks of desktop Slicer's Python, as far as a module's logic needs it."""

from __future__ import annotations

import sys
import typing
import unittest
from types import ModuleType, SimpleNamespace

import slicer


def install(monkeypatch, scene) -> None:
    """Make ``qt``, ``slicer.mrmlScene`` and the Python packages of desktop Slicer importable for one test."""
    monkeypatch.setattr(slicer, "mrmlScene", scene, raising=False)
    translation = {"tr": lambda text: text, "translate": lambda context, text: text}
    modules = {
        "qt": {},
        "slicer.i18n": translation,
        "slicer.parameterNodeWrapper": {"parameterNodeWrapper": parameter_node_wrapper},
        "slicer.ScriptedLoadableModule": {
            "ScriptedLoadableModule": Module,
            "ScriptedLoadableModuleWidget": Widget,
            "ScriptedLoadableModuleLogic": Logic,
            "ScriptedLoadableModuleTest": Test,
        },
    }
    for name, content in modules.items():
        module = ModuleType(name)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, name, module)


class Module:
    def __init__(self, parent):
        self.parent = parent


class Widget:
    pass


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
    """Keep the annotated nodes as node references and strings as parameters, as Slicer's wrapper does."""

    def __init__(self, node):  # noqa: N807
        self.parameterNode = node

    fields = {
        name: _string(name, getattr(described, name, "")) if kind is str else _node(name, kind)
        for name, kind in typing.get_type_hints(described).items()
    }
    return type(
        described.__name__, (), {"__init__": __init__, "allParameters": SimpleNamespace(**fields), **fields}
    )


def _string(name: str, default: str) -> property:
    return property(
        lambda self: self.parameterNode.GetParameter(name) or default,
        lambda self, value: self.parameterNode.SetParameter(name, value),
    )


def _node(name: str, kind: type) -> property:
    def write(self, node):
        if not (node is None or node.IsA(kind.__name__)):
            raise TypeError(f"{name} takes a {kind.__name__}, not a {type(node).__name__}")
        self.parameterNode.SetNodeReferenceID(name, node.GetID() if node else None)

    return property(lambda self: self.parameterNode.GetNodeReference(name), write)
