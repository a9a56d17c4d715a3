"""The bar's part for looking: layouts, zoom, lines, distances and the full screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trame.widgets.vuetify3 import VBtn, VBtnToggle, VIcon

from VSClickCorrectApp.layouts import LAYOUTS
from VSClickCorrectApp.page_keys import key_of
from VSClickCorrectApp.ui.parts import attributes, tip

if TYPE_CHECKING:
    from VSClickCorrectApp.application import BrowserApp

_LAYOUT_HINTS = {
    "axial": "T1ce and T2 side by side, axial",
    "coronal": "T1ce and T2 side by side, coronal",
    "sagittal": "T1ce and T2 side by side, sagittal",
    "planes": "Axial, coronal, sagittal and 3D",
    "surface": "T1ce and T2, axial, beside 3D",
}


def viewing_ui(app: BrowserApp) -> None:
    """Build layouts and buttons."""
    overlay = app.overlay.typed_state.name
    with VBtnToggle(
        v_model=(app.views.typed_state.name.layout,),
        mandatory=True,
        density="compact",
        variant="outlined",
        divided=True,
        classes="vs-layouts",
    ):
        for layout, label in LAYOUTS.items():
            with VBtn(label, value=layout, size="small", id=f"layout-{layout}"):
                tip(_LAYOUT_HINTS[layout])
    for action, icon, label, hint in (
        (app.zoom, "mdi-magnify-plus-outline", "Zoom", "Zoom to the segment"),
        (app.views.fit, "mdi-fit-to-screen-outline", "Fit", "Show the whole image"),
        (app.overlay.toggle_lines, "mdi-axis-arrow", "Lines", "Show in each view where the others cut it"),
        (app.overlay.toggle_measuring, "mdi-ruler", "Measure", "Measure distances: drag, or two clicks"),
        ("window.vsclick.fullscreen()", "mdi-fullscreen", "Fullscreen", "Full screen"),
    ):
        pressed = {"Lines": overlay.lines, "Measure": overlay.measuring}.get(label, "false")
        with VBtn(
            icon=True,
            size="small",
            variant="text",
            active=(pressed,),
            color=(f"{pressed} ? 'primary' : undefined",),
            click=action,
            id=label.lower(),
            **attributes(aria_label=hint),
        ):
            VIcon(icon=icon)
            tip(f"{hint} ({key_of(label.lower())})")
