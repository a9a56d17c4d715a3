"""Qt as PythonQt shows it to a scripted module, on PySide6.

Properties are attributes and not methods, methods are called, signals are connected by their signature as
text, and an attribute that Qt does not have can be neither read nor written. So what works here works in
Slicer, as far as it is a matter of manners.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

from PySide6 import QtCore, QtGui, QtWidgets

# PySide6 reads the source of each module that is imported after it, for a feature that nothing here uses.
if (features := sys.modules.get("shibokensupport.feature")) is not None:
    features._mod_uses_pyside = lambda module: False


def wrapped(thing: Any) -> Any:
    """Return a Qt object as PythonQt shows it, anything else as it is."""
    if isinstance(thing, list | tuple):
        return type(thing)(wrapped(item) for item in thing)
    return Wrapped(thing) if isinstance(thing, QtCore.QObject | QtWidgets.QTableWidgetItem) else thing


def bare(thing: Any) -> Any:
    """Return what PySide6 knows."""
    return object.__getattribute__(thing, "qt") if isinstance(thing, Wrapped) else thing


class Wrapped:
    """A Qt object with PythonQt's manners; the PySide6 object is ``.qt``."""

    def __init__(self, thing: Any) -> None:
        object.__setattr__(self, "qt", thing)

    def __getattr__(self, name: str) -> Any:
        thing = bare(self)
        if name == "connect" and isinstance(thing, QtCore.QObject):
            return self._connect
        if _is_property(thing, name):
            return wrapped(thing.property(name))
        if name == "name" and isinstance(thing, QtCore.QObject):
            return thing.objectName()
        found = getattr(thing, name)
        if not callable(found) or isinstance(found, QtCore.SignalInstance):
            raise AttributeError(f"{type(thing).__name__} has no method {name} in PythonQt")
        return lambda *arguments: wrapped(found(*(bare(a) for a in arguments)))

    def __setattr__(self, name: str, value: Any) -> None:
        thing = bare(self)
        if not _is_property(thing, name):
            raise AttributeError(f"Attribute '{name}' does not exist, PythonQt does not make new ones.")
        if not isinstance(value, type(thing.property(name))) and thing.property(name) is not None:
            raise TypeError(f"{name} takes a {type(thing.property(name)).__name__}, not {value!r}")
        thing.setProperty(name, bare(value))

    def __eq__(self, other: object) -> bool:
        return bare(self) is bare(other)

    def __hash__(self) -> int:
        return id(bare(self))

    def _connect(self, signal: str, slot: Any) -> bool:
        thing = bare(self)
        normal = QtCore.QMetaObject.normalizedSignature(signal).data().decode()
        if thing.metaObject().indexOfSignal(normal) < 0:
            raise ValueError(f"{type(thing).__name__} has no signal {signal}")
        return QtCore.QObject.connect(thing, QtCore.SIGNAL(signal), slot)


def _is_property(thing: Any, name: str) -> bool:
    return isinstance(thing, QtCore.QObject) and thing.metaObject().indexOfProperty(name) >= 0


class Timer:
    """``qt.QTimer``, of which the module uses `singleShot` alone."""

    @staticmethod
    def singleShot(milliseconds, action):  # noqa: N802
        QtCore.QTimer.singleShot(milliseconds, action)


def made(kind: type) -> Any:
    """Return a constructor that gives wrapped objects."""
    return lambda *arguments: wrapped(kind(*(bare(a) for a in arguments)))


class Settings:
    """``qt.QSettings`` that forgets everything with the test."""

    values: dict[str, str] = {}

    def setValue(self, name, value):  # noqa: N802
        self.values[name] = value


def qt_module() -> ModuleType:
    """Return a module that stands in for ``qt``."""
    module = ModuleType("qt")
    module.QTimer = Timer
    module.QSettings = Settings
    module.QShortcut = made(QtGui.QShortcut)
    module.QKeySequence = QtGui.QKeySequence
    module.QIcon = QtGui.QIcon
    module.QTableWidgetItem = made(QtWidgets.QTableWidgetItem)
    return module
