"""The panel's row for brush, eraser and the tools on the whole mask."""

from __future__ import annotations

from trame.widgets.html import Div, Span
from trame.widgets.vuetify3 import Template, VBtn, VList, VListItem, VMenu

from VSClickCorrectApp.logic.brush_logic import BrushLogic
from VSClickCorrectApp.logic.clicks_logic import BRUSH, ERASER, ClicksLogic
from VSClickCorrectApp.mask_changes import SMALL_MM3
from VSClickCorrectApp.page_keys import key_of
from VSClickCorrectApp.ui.parts import attributes, tip

_BUTTONS = (
    (BRUSH, "mdi-brush", "Brush: adds what it passes over in the slice"),
    (ERASER, "mdi-eraser", "Eraser: removes what it passes over in the slice"),
)


def brush_ui(brush: BrushLogic, clicks: ClicksLogic) -> None:
    """Build the row."""
    chosen = clicks.typed_state.name.tool
    with Div(classes="vs-row", id="brush-row"):
        for tool, icon, hint in _BUTTONS:
            with Div():
                VBtn(
                    icon=icon,
                    id=f"tool-{tool}",
                    **attributes(aria_label=tool.capitalize(), aria_pressed=(f"{chosen} === '{tool}'",)),
                    click=f"trigger('vs_key', ['{tool}'])",
                    active=(f"{chosen} === '{tool}'",),
                    size="small",
                    variant="text",
                )
                tip(f"{hint} ({key_of(tool)}); Shift and the wheel change the radius, Esc puts it away")
        Span(
            f"{{{{ {brush.typed_state.name.radius}.toFixed(1) }}}} mm", classes="vs-quiet", id="brush-radius"
        )
        Div(classes="flex-grow-1")
        with VMenu(location="bottom end"):
            with Template(v_slot_activator="{ props }"):
                VBtn(
                    "Mask",
                    append_icon="mdi-menu-down",
                    size="small",
                    variant="tonal",
                    v_bind="props",
                    title="Keep the largest part, remove islands, fill between slices",
                    id="mask",
                )
            with VList(density="compact"):
                for action, title, hint in (
                    (brush.keep_largest, "Keep the largest part", "Removes all others"),
                    (brush.remove_islands, "Remove small islands", f"Parts of less than {SMALL_MM3:g} mm³"),
                    (brush.fill_between, "Fill between slices", "Adds the empty slices between others"),
                ):
                    VListItem(
                        title=title,
                        subtitle=hint,
                        click=action,
                        disabled=(f"!{clicks.typed_state.name.ready}",),
                        id="mask-" + title.lower().replace(" ", "-"),
                    )
