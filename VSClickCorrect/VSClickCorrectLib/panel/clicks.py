"""The section Correct: clicks, rounds, undo, and what is shown of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import slicer
from slicer.i18n import tr as _

from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.clicks.mask import middle_of
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.mrml.click_rows import ClickRow
from VSClickCorrectLib.panel.placing import Placing
from VSClickCorrectLib.panel.section import Connection, Section
from VSClickCorrectLib.workflow.host import Debounced

# A 3D view's surface is rebuilt once the clicks pause.
SURFACE_S = 1.5
# Number, kind, slice and round; the voxels get the rest.
COLUMN_WIDTHS = (36, 120, 60, 60)


class ClicksSection(Section):
    """Places clicks, lists them, takes them back."""

    def __init__(self, ui, desktop, flow, placing: Placing) -> None:
        super().__init__(ui, desktop, flow)
        self.clicks, self._placing = flow.clicks, placing
        self.next_place = self.bound(flow.next_place.next)
        self._surface_soon = Debounced(self.host, SURFACE_S, self._refresh_surface)
        flow.workbench.begun.connect(self._show_all)
        flow.workbench.changed.connect(self._surface_soon)
        flow.workbench.stopping.connect(self._stopping)
        flow.workbench.presented.connect(self._lead_to_mask)
        flow.next_place.led.connect(self._centre)
        placing.changed.connect(self._show_placing)
        self._listed: list[ClickRow] = []
        self._buttons = {kind: getattr(self.ui, f"{kind.value}Button") for kind in ClickKind}
        self.place_boundary, self.place_include, self.place_exclude = (
            partial(self._place, kind) for kind in self._buttons
        )
        names = _("boundary"), _("include"), _("exclude")
        self._kinds = dict(zip(ClickKind, names, strict=True))
        for column, width in enumerate(COLUMN_WIDTHS):
            self.ui.clickTable.setColumnWidth(column, width)

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [
            Connection("boundaryButton", "clicked()", self.place_boundary),
            Connection("includeButton", "clicked()", self.place_include),
            Connection("excludeButton", "clicked()", self.place_exclude),
            Connection("applyButton", "clicked()", self.clicks.apply),
            Connection("nextPlaceButton", "clicked()", self.next_place),
            Connection("doubtCheckBox", "clicked()", self._show_all),
            Connection("nextRoundButton", "clicked()", self.clicks.next_round),
            Connection("clickTable", "itemSelectionChanged()", self.jump),
            Connection("removeButton", "clicked()", self.remove),
            Connection("undoButton", "clicked()", self.clicks.undo),
            Connection("redoButton", "clicked()", self.clicks.redo),
            Connection("lastChangeCheckBox", "clicked()", self._show_all),
            Connection("markersCheckBox", "clicked()", self._show_all),
            Connection("startOutlineCheckBox", "clicked()", self._show_all),
            Connection("fillCheckBox", "clicked()", self._show_all),
        ]

    @property
    def actions(self) -> dict[str, Callable[[], None]]:
        """What the keys do, by the names that `workflow.keys` has."""
        return {
            "boundary": self.place_boundary,
            "include": self.place_include,
            "exclude": self.place_exclude,
            "look": self._placing.end,
            "next_place": self.next_place,
            "markers": partial(self._toggle, self.ui.markersCheckBox),
            "fill": partial(self._toggle, self.ui.fillCheckBox),
            **self.clicks.actions,
        }

    def jump(self) -> None:
        """Show the selected click in all slice views."""
        number = self._selected()
        self.ui.removeButton.enabled = number > 0
        if number > 0:
            self._centre(self.clicks.position(number))

    def remove(self) -> None:
        """Take the selected click back, and its correction."""
        number = self._selected()
        if number <= 0:
            raise CorrectionError(_("no click is selected; select one in the list first."))
        self.clicks.remove(number)

    def refresh(self) -> None:
        """See `Section.refresh`."""
        for name in ("kindsWidget", "clicksCollapsibleButton"):
            getattr(self.ui, name).enabled = self.workbench.correction is not None
        self._show_placing()
        if self.workbench.correction is None:
            self.ui.clickTable.setRowCount(0)
            self.ui.roundLabel.text = ""
            return
        self._show_history()
        rows, waiting = self.clicks.rows, self.clicks.waiting
        self.ui.applyButton.enabled = waiting > 0 and not self.flow.jobs.busy
        self.ui.applyButton.text = _("Apply {count}").format(count=waiting) if waiting else _("Apply")
        count = len(rows) - waiting
        clicks = _("1 click") if count == 1 else _("{count} clicks").format(count=count)
        number, text = self.clicks.round, _("Round {number}, {clicks}")
        self.ui.roundLabel.text = text.format(number=number, clicks=clicks)
        self._fill_table(rows)

    def _toggle(self, box: Any) -> None:
        box.checked = not box.checked
        self._show_all()

    def _place(self, kind: ClickKind) -> None:
        """Place clicks of a kind, or stop if that is what is being done."""
        # Asked first: a list of points that was deleted is made again under the ID that it had.
        if self.workbench.under_way.kind_of(self._placing.node_id) is kind:
            self._placing.end()
        else:
            self._arm(kind)

    def _arm(self, kind: ClickKind) -> None:
        self.workbench.mode.kind = kind
        node = self.workbench.under_way.click_node(kind)
        self._placing.begin(node, self.ui.keepPlacingCheckBox.checked)
        self.ui.markersCheckBox.checked = True
        self._show_all()
        # From one kind to another place mode does not change.
        self._show_placing()

    def _lead_to_mask(self) -> None:
        """Show the middle of the mask in all slice views and place clicks: boundary clicks, if it has one."""
        middle = middle_of(self.workbench.session.mask)
        if middle is not None:
            self._centre(middle)
        self._arm(ClickKind.INCLUDE if middle is None else ClickKind.BOUNDARY)

    def _centre(self, position_ras: tuple[float, float, float]) -> None:
        # Between two slices, as in the middle of an even number, views would mix them, there and further on.
        grid = self.workbench.session.mask.grid
        middle = grid.index_to_ras(grid.nearest_index(position_ras))
        node = slicer.vtkMRMLSliceNode
        node.JumpAllSlices(self._placing.scene, *middle, node.CenteredJumpSlice)

    def _show_all(self) -> None:
        """Show segment, markers and outlines as the boxes say."""
        self.clicks.show_fill(self.ui.fillCheckBox.checked)
        self.clicks.show_markers(self.ui.markersCheckBox.checked)
        self.clicks.show_last_change(self.ui.lastChangeCheckBox.checked)
        self.clicks.show_start(self.ui.startOutlineCheckBox.checked)
        self.flow.next_place.show(self.ui.doubtCheckBox.checked)

    def _stopping(self) -> None:
        self._placing.end_own()
        self._surface_soon.cancel()
        # 3D views go on to show the segmentation, whatever comes next.
        correction = self.workbench.under_way
        if correction.surface_outdated:
            self.host.later(SURFACE_S, correction.refresh_surface)

    def _show_placing(self) -> None:
        correction, placed = self.workbench.correction, self._placing.node_id
        placed_kind = correction.kind_of(placed) if correction is not None else None
        for kind, button in self._buttons.items():
            button.checked = kind is placed_kind

    def _show_history(self) -> None:
        undo, redo = self.clicks.next_undo, self.clicks.next_redo
        self.ui.undoButton.enabled, self.ui.redoButton.enabled = bool(undo), bool(redo)
        undoing, redoing = _("Undo, Ctrl+Z: {edit}"), _("Do again, Ctrl+Y: {edit}")
        self.ui.undoButton.toolTip = undoing.format(edit=undo) if undo else _("Nothing to undo.")
        self.ui.redoButton.toolTip = redoing.format(edit=redo) if redo else _("Nothing to do again.")

    def _fill_table(self, rows: list[ClickRow]) -> None:
        table, selected = self.ui.clickTable, self._kept(rows)
        table.blockSignals(True)
        table.clearSelection()
        table.setRowCount(len(rows))
        for row in rows:
            voxels = _("waits") if row.voxels is None else str(row.voxels)
            texts = (str(row.number), self._kinds[row.kind], str(row.slice_number), str(row.round), voxels)
            for column, text in enumerate(texts):
                icon = row.kind.value if column == 1 else ""
                table.setItem(row.number - 1, column, self.desktop.cell(text, icon))
        if selected:
            table.selectRow(selected - 1)
        table.blockSignals(False)
        table.scrollToBottom()
        self.ui.removeButton.enabled = selected > 0
        self._listed = rows

    def _kept(self, rows: list[ClickRow]) -> int:
        """Return where the selected click stands among rows that are to be shown now, 0 if it is gone."""
        selected = self._selected()
        before = self._listed[selected - 1] if 0 < selected <= len(self._listed) else None
        return next((row.number for row in rows if before is not None and row.is_same(before)), 0)

    def _selected(self) -> int:
        """Return the number of the selected click, 0 if none is."""
        chosen: list[Any] = self.ui.clickTable.selectedItems()
        return chosen[0].row() + 1 if chosen else 0

    def _refresh_surface(self) -> None:
        correction = self.workbench.correction
        if correction is not None and correction.surface_outdated:
            correction.refresh_surface()
