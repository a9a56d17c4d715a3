"""The section Correct: clicks, rounds, undo, and what is shown of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import slicer
from slicer.i18n import tr as _

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.imaging.click import ClickKind
from VSClickCorrectLib.mrml.outline import ChangeOutline
from VSClickCorrectLib.mrml.start import show_start
from VSClickCorrectLib.panel.desktop import Debounced
from VSClickCorrectLib.panel.placing import Placing
from VSClickCorrectLib.panel.section import Connection, Section
from VSClickCorrectLib.session.edit import Edit

# A 3D view's surface is rebuilt once the clicks pause.
SURFACE_MS = 1500
# Number, kind, slice and round; the voxels get the rest.
COLUMN_WIDTHS = (36, 120, 60, 60)


class ClicksSection(Section):
    """Places clicks, lists them, takes them back."""

    def __init__(self, panel) -> None:
        super().__init__(panel)
        self.placing = Placing(panel.scene, self._show_placing)
        self._outline: ChangeOutline | None = None
        self._last_edit: Edit | None = None
        self._surface_soon = Debounced(self.desktop, SURFACE_MS, self._refresh_surface)
        self._buttons = {
            ClickKind.BOUNDARY: self.ui.boundaryButton,
            ClickKind.INCLUDE: self.ui.includeButton,
            ClickKind.EXCLUDE: self.ui.excludeButton,
        }
        self._kinds = {
            ClickKind.BOUNDARY: _("boundary"),
            ClickKind.INCLUDE: _("include"),
            ClickKind.EXCLUDE: _("exclude"),
        }

        for column, width in enumerate(COLUMN_WIDTHS):
            self.ui.clickTable.setColumnWidth(column, width)

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [
            Connection("boundaryButton", "clicked()", self.place_boundary),
            Connection("includeButton", "clicked()", self.place_include),
            Connection("excludeButton", "clicked()", self.place_exclude),
            Connection("applyButton", "clicked()", self.apply),
            Connection("nextRoundButton", "clicked()", self.next_round),
            Connection("clickTable", "itemSelectionChanged()", self.jump),
            Connection("removeButton", "clicked()", self.remove),
            Connection("undoButton", "clicked()", self.undo),
            Connection("redoButton", "clicked()", self.redo),
            Connection("lastChangeCheckBox", "clicked()", self.show_last_change),
            Connection("markersCheckBox", "clicked()", self.show_markers),
            Connection("startOutlineCheckBox", "clicked()", self.show_start),
        ]

    @property
    def actions(self) -> dict[str, Callable[[], None]]:
        """What the keys do, by the names that `workflow.keys` has."""
        return {
            "boundary": self.place_boundary,
            "include": self.place_include,
            "exclude": self.place_exclude,
            "next_round": self.next_round,
            "markers": self.toggle_markers,
            "undo": self.undo,
            "redo": self.redo,
        }

    def place_boundary(self) -> None:
        """Place boundary clicks, or stop if that is what is being done."""
        self._place(ClickKind.BOUNDARY)

    def place_include(self) -> None:
        """Place include clicks, or stop if that is what is being done."""
        self._place(ClickKind.INCLUDE)

    def place_exclude(self) -> None:
        """Place exclude clicks, or stop if that is what is being done."""
        self._place(ClickKind.EXCLUDE)

    def apply(self) -> None:
        """Correct by all clicks that wait."""
        self._correction().apply_collected()

    def next_round(self) -> None:
        """Begin the next round; clicks that wait are applied first, they belong to this one."""
        correction = self._correction()
        if correction.pending:
            correction.apply_collected()
        self.panel.say(_("Round {number} begins.").format(number=correction.next_round()))
        self.panel.worklist.edited()

    def undo(self) -> None:
        """Take the last edit back."""
        self._moved(self._correction().undo(), _("Undone: {edit}."))

    def redo(self) -> None:
        """Do the last undone edit again."""
        self._moved(self._correction().redo(), _("Done again: {edit}."))

    def jump(self) -> None:
        """Show the selected click in all slice views."""
        number = self._selected()
        self.ui.removeButton.enabled = number > 0
        if number > 0:
            position = self._correction().position(number)
            slicer.vtkMRMLSliceNode.JumpAllSlices(
                self.panel.scene, *position, slicer.vtkMRMLSliceNode.CenteredJumpSlice
            )

    def remove(self) -> None:
        """Take the selected click back, and its correction."""
        number = self._selected()
        if number <= 0:
            raise CorrectionError(_("no click is selected; select one in the list first."))
        if self._correction().remove(number) is None:
            self.panel.say(_("The waiting click was taken back."))

    def toggle_markers(self) -> None:
        """Hide the markers, or show them again."""
        self.ui.markersCheckBox.checked = not self.ui.markersCheckBox.checked
        self.show_markers()

    def show_markers(self) -> None:
        """Show the markers as the box says."""
        if self.panel.correction is not None:
            self.panel.correction.markers_visible = self.ui.markersCheckBox.checked

    def show_last_change(self) -> None:
        """Show the outline of the last change as the box says."""
        if self._outline is None:
            return
        if self._last_edit is not None and self.ui.lastChangeCheckBox.checked:
            self._outline.show(self._last_edit.change)
        else:
            self._outline.hide()

    def show_start(self) -> None:
        """Show the mask of the beginning as the box says."""
        parameters = self.panel.parameters
        if self.panel.correction is not None:
            show_start(parameters.segmentation, parameters.segmentId, self.ui.startOutlineCheckBox.checked)

    def begun(self) -> None:
        """Show a correction that has just begun."""
        parameters = self.panel.parameters
        self._outline = ChangeOutline(self.panel.scene, parameters.t1ce or parameters.t2)
        self.show_markers()
        self.show_start()
        # What is needed from now on moves up; one click on its title brings the section back.
        self.ui.startCollapsibleButton.collapsed = True

    def edited(self, edit: Edit) -> None:
        """Show what an edit changed."""
        self._last_edit = edit
        self.show_last_change()
        self._surface_soon()

    def stopped(self) -> None:
        """See `Section.stopped`."""
        if self.panel.correction is not None:
            self.placing.end()
        self._surface_soon.cancel()
        if self._outline is not None:
            self._outline.close()
        self._outline = self._last_edit = None

    def close(self) -> None:
        """Stop watching Slicer's place mode."""
        self.placing.close()

    def refresh(self) -> None:
        """See `Section.refresh`."""
        correction = self.panel.correction
        self.ui.clicksCollapsibleButton.enabled = correction is not None
        self._show_placing()
        if correction is None:
            self.ui.clickTable.setRowCount(0)
            self.ui.roundLabel.text = ""
            return
        self._show_history(correction)
        rows = correction.rows
        waiting = len(correction.pending)
        self.ui.applyButton.enabled = waiting > 0 and not self.panel.running.busy
        self.ui.applyButton.text = _("Apply {count}").format(count=waiting) if waiting else _("Apply")
        count = len(rows) - waiting
        clicks = _("1 click") if count == 1 else _("{count} clicks").format(count=count)
        self.ui.roundLabel.text = _("Round {number}, {clicks}").format(
            number=correction.session.round, clicks=clicks
        )
        self._fill_table(rows)

    def _place(self, kind: ClickKind) -> None:
        correction = self._correction()
        node = correction.click_node(kind)
        if self.placing.node_id == node.GetID():
            self.placing.end()
            return
        correction.kind = kind
        self.panel.parameters.kind = kind.value
        self.placing.begin(node, self.panel.parameters.keepPlacing)
        self.ui.markersCheckBox.checked = True
        self.show_markers()

    def _correction(self):
        return self.panel.workbench.under_way

    def _moved(self, edit: Edit, sentence: str) -> None:
        self.panel.say(sentence.format(edit=edit.description))
        self._last_edit = None
        self.show_last_change()
        self._surface_soon()
        self.panel.result.outdated()
        self.panel.worklist.edited()

    def _show_placing(self) -> None:
        correction, placed = self.panel.correction, self.placing.node_id
        for kind, button in self._buttons.items():
            here = correction is not None and placed is not None
            button.checked = here and correction.click_node(kind).GetID() == placed

    def _show_history(self, correction) -> None:
        undo, redo = correction.next_undo, correction.next_redo
        self.ui.undoButton.enabled = undo is not None
        self.ui.undoButton.toolTip = (
            _("Undo, Ctrl+Z: {edit}").format(edit=undo.description) if undo else _("Nothing to undo.")
        )
        self.ui.redoButton.enabled = redo is not None
        self.ui.redoButton.toolTip = (
            _("Do again, Ctrl+Y: {edit}").format(edit=redo.description) if redo else _("Nothing to do again.")
        )

    def _fill_table(self, rows: list) -> None:
        table, selected = self.ui.clickTable, self._selected()
        table.blockSignals(True)
        table.setRowCount(len(rows))
        for row in rows:
            voxels = _("waits") if row.voxels is None else str(row.voxels)
            texts = (str(row.number), self._kinds[row.kind], str(row.slice_number), str(row.round), voxels)
            for column, text in enumerate(texts):
                icon = row.kind.value if column == 1 else ""
                table.setItem(row.number - 1, column, self.desktop.cell(text, icon))
        if not 0 < selected <= len(rows):
            table.clearSelection()
        table.blockSignals(False)
        table.scrollToBottom()
        self.ui.removeButton.enabled = 0 < selected <= len(rows)

    def _selected(self) -> int:
        """Return the number of the selected click, 0 if none is."""
        chosen: list[Any] = self.ui.clickTable.selectedItems()
        return chosen[0].row() + 1 if chosen else 0

    def _refresh_surface(self) -> None:
        if self.panel.correction is not None and self.panel.correction.surface_outdated:
            self.panel.correction.refresh_surface()
