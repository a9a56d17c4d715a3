"""Plain Qt stand-ins for the qMRML and ctk widgets of the panel, with what the code may use of them.

Their members and signals are those of Slicer 5.10 and 5.12 (qMRMLNodeComboBox.h, ctkPathLineEdit.h,
qMRMLSegmentSelectorWidget.h, ctkCollapsibleButton.h); nothing else is there, so code that needs more fails
here as there.
"""

from __future__ import annotations

from PySide6 import QtCore, QtGui, QtWidgets
from PySide6.QtCore import Property, Signal, Slot

HEADER = 26


class ctkCollapsibleButton(QtWidgets.QWidget):  # noqa: N801
    contentsCollapsed = Signal(bool)  # noqa: N815

    def __init__(self, parent=None):
        super().__init__(parent)
        self._text, self._collapsed, self._hidden = "", False, []
        self.setContentsMargins(0, HEADER, 0, 0)

    def _get_text(self):
        return self._text

    def _set_text(self, text):
        self._text = text

    def _get_collapsed(self):
        return self._collapsed

    def _set_collapsed(self, collapsed):
        # Children are there once the panel is shown.
        if collapsed != self._collapsed and self.isVisible():
            self._hide_children() if collapsed else self._show_children()
        self._collapsed = collapsed
        self.setMaximumHeight(HEADER if collapsed else 16777215)
        self.contentsCollapsed.emit(collapsed)
        self.update()

    text = Property(str, _get_text, _set_text)
    collapsed = Property(bool, _get_collapsed, _set_collapsed)

    def minimumSizeHint(self):  # noqa: N802
        hint = super().minimumSizeHint()
        return QtCore.QSize(hint.width(), HEADER) if self._collapsed else hint

    def sizeHint(self):  # noqa: N802
        hint = super().sizeHint()
        return QtCore.QSize(hint.width(), HEADER) if self._collapsed else hint

    def showEvent(self, event):  # noqa: N802
        if self._collapsed:
            self._hide_children()
        super().showEvent(event)

    def _hide_children(self):
        for child in self.findChildren(QtWidgets.QWidget, options=QtCore.Qt.FindDirectChildrenOnly):
            if not child.isHidden():
                self._hidden.append(child)
                child.hide()

    def _show_children(self):
        for child in self._hidden:
            child.show()
        self._hidden = []

    def paintEvent(self, event):  # noqa: N802
        del event
        option = QtWidgets.QStyleOptionButton()
        option.initFrom(self)
        option.rect = QtCore.QRect(0, 0, self.width(), HEADER - 4)
        painter = QtGui.QPainter(self)
        self.style().drawControl(QtWidgets.QStyle.CE_PushButtonBevel, option, painter, self)
        arrow = QtWidgets.QStyleOption()
        arrow.initFrom(self)
        arrow.rect = QtCore.QRect(6, 4, 14, 14)
        shape = (
            QtWidgets.QStyle.PE_IndicatorArrowRight
            if self._collapsed
            else QtWidgets.QStyle.PE_IndicatorArrowDown
        )
        self.style().drawPrimitive(shape, arrow, painter, self)
        painter.drawText(option.rect.adjusted(26, 0, 0, 0), QtCore.Qt.AlignVCenter, self._text)


class ctkPathLineEdit(QtWidgets.QWidget):  # noqa: N801
    currentPathChanged = Signal(str)  # noqa: N815

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._edit, button = QtWidgets.QLineEdit(self), QtWidgets.QToolButton(self)
        button.setText("…")
        layout.addWidget(self._edit)
        layout.addWidget(button)
        self._edit.textChanged.connect(self.currentPathChanged)

    def _get_path(self):
        return self._edit.text()

    @Slot(str)
    def setCurrentPath(self, path):  # noqa: N802
        self._edit.setText(path)

    currentPath = Property(str, _get_path, setCurrentPath)  # noqa: N815


class qMRMLWidget(QtWidgets.QWidget):  # noqa: N801
    """The scene reaches the widgets that the panel's connections name (see `panel_stand_in.load_ui`)."""

    receivers: tuple = ()

    @Slot(object)
    def setMRMLScene(self, scene):  # noqa: N802
        for receiver in self.receivers:
            receiver.setMRMLScene(scene)


class NodeBox(QtWidgets.QComboBox):
    """A combo box of a scene's nodes that follows the scene."""

    def __init__(self, parent, classes, none):
        super().__init__(parent)
        self.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        self.classes, self.none, self.scene, self._tags = classes, none, None, []

    def follow(self, scene):
        for tag in self._tags:
            self.scene.RemoveObserver(tag)
        self.scene = scene
        events = (scene.NodeAddedEvent, scene.NodeRemovedEvent) if scene else ()
        self._tags = [scene.AddObserver(event, lambda *_: self.refresh()) for event in events]
        self.refresh()

    def refresh(self):
        chosen = self.currentData()
        nodes = [node for name in self.classes for node in _nodes(self.scene, name)]
        ids = [None, *(n.GetID() for n in nodes)] if self.none or not nodes else [n.GetID() for n in nodes]
        self.blockSignals(True)
        self.clear()
        for node_id in ids:
            self.addItem(self.scene.GetNodeByID(node_id).GetName() if node_id else "None", node_id)
        self.setCurrentIndex(max(ids.index(chosen) if chosen in ids else 0, 0))
        self.blockSignals(False)
        if self.currentData() != chosen:
            self.currentIndexChanged.emit(self.currentIndex())

    def node(self):
        node_id = self.currentData()
        return self.scene.GetNodeByID(node_id) if node_id and self.scene else None

    def choose(self, node):
        index = self.findData(node.GetID() if node else None)
        self.setCurrentIndex(max(index, 0))


def _nodes(scene, class_name):
    number = scene.GetNumberOfNodesByClass(class_name) if scene else 0
    nodes = [scene.GetNthNodeByClass(n, class_name) for n in range(number)]
    return [node for node in nodes if not node.GetHideFromEditors()]


class qMRMLNodeComboBox(QtWidgets.QWidget):  # noqa: N801
    currentNodeChanged = Signal(bool)  # noqa: N815

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._box = NodeBox(self, [], False)
        layout.addWidget(self._box)
        self._box.currentIndexChanged.connect(lambda _: self.currentNodeChanged.emit(bool(self._box.node())))

    def _get_types(self):
        return self._box.classes

    def _set_types(self, types):
        self._box.classes = list(types)

    def _get_none(self):
        return self._box.none

    def _set_none(self, none):
        self._box.none = none

    def _get_false(self):
        return False

    def _ignore(self, value):
        assert value is False

    nodeTypes = Property("QStringList", _get_types, _set_types)  # noqa: N815
    noneEnabled = Property(bool, _get_none, _set_none)  # noqa: N815
    addEnabled = Property(bool, _get_false, _ignore)  # noqa: N815
    removeEnabled = Property(bool, _get_false, _ignore)  # noqa: N815
    showChildNodeTypes = Property(bool, _get_false, _ignore)  # noqa: N815

    @Slot(object)
    def setMRMLScene(self, scene):  # noqa: N802
        self._box.follow(scene)

    def currentNode(self):  # noqa: N802
        return self._box.node()

    @Slot(object)
    def setCurrentNode(self, node):  # noqa: N802
        self._box.choose(node)


class qMRMLSegmentSelectorWidget(QtWidgets.QWidget):  # noqa: N801
    currentNodeChanged = Signal(bool)  # noqa: N815
    currentSegmentChanged = Signal(str)  # noqa: N815

    def __init__(self, parent=None):
        super().__init__(parent)
        layout = QtWidgets.QFormLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        self._box, self._segments = (
            NodeBox(self, ["vtkMRMLSegmentationNode"], False),
            QtWidgets.QComboBox(self),
        )
        self._segments.setSizePolicy(QtWidgets.QSizePolicy.Expanding, QtWidgets.QSizePolicy.Fixed)
        layout.addRow("Segmentation:", self._box)
        layout.addRow("Segment:", self._segments)
        self._box.currentIndexChanged.connect(self._node_changed)
        self._segments.currentIndexChanged.connect(
            lambda _: self.currentSegmentChanged.emit(self.currentSegmentID())
        )

    def _node_changed(self, _index):
        self._list_segments()
        self.currentNodeChanged.emit(bool(self._box.node()))

    def _list_segments(self):
        node, chosen = self._box.node(), self._segments.currentData()
        self._segments.blockSignals(True)
        self._segments.clear()
        for segment_id in node.GetSegmentation().GetSegmentIDs() if node else ():
            name = node.GetSegmentation().GetSegment(segment_id).GetName()
            self._segments.addItem(name, segment_id)
        self._segments.setCurrentIndex(max(self._segments.findData(chosen), 0) if node else -1)
        self._segments.blockSignals(False)

    @Slot(object)
    def setMRMLScene(self, scene):  # noqa: N802
        self._box.follow(scene)
        self._list_segments()

    def currentNode(self):  # noqa: N802
        return self._box.node()

    def currentSegmentID(self):  # noqa: N802
        self._list_segments()
        return self._segments.currentData() or ""

    def setCurrentNode(self, node):  # noqa: N802
        self._box.choose(node)

    def setCurrentSegmentID(self, segment_id):  # noqa: N802
        self._list_segments()
        self._segments.setCurrentIndex(self._segments.findData(segment_id))


STAND_INS = (
    ctkCollapsibleButton,
    ctkPathLineEdit,
    qMRMLWidget,
    qMRMLNodeComboBox,
    qMRMLSegmentSelectorWidget,
)
