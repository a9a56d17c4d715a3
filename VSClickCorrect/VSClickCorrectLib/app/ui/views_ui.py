"""What lies over each view: its name and the sides of the patient."""

from __future__ import annotations

from trame.widgets.html import Div, Span
from trame_server import Server
from trame_slicer.views import SliceView, ThreeDView

# Left, right, top and bottom of the screen, as radiologists look at a patient.
_SIDES = {"Axial": "RLAP", "Coronal": "RLSI", "Sagittal": "APSI"}
_PLACES = ("left", "right", "top", "bottom")


def slice_view_ui(_server: Server, _view_id: str, view: SliceView) -> None:
    """Label a slice view; see `register_rca_factories`."""
    name, orientation = view.get_singleton_tag(), view.get_orientation()
    classes = "vs-over vs-axial" if orientation == "Axial" else "vs-over"
    with Div(classes=classes, raw_attrs=[f'data-view="{name}"']):
        Span(f"{name} · axial" if orientation == "Axial" else name, classes="vs-name")
        for place, side in zip(_PLACES, _SIDES[orientation], strict=True):
            Span(side, classes=f"vs-side vs-{place}")
        Div(classes="vs-twin")


def threed_view_ui(_server: Server, _view_id: str, view: ThreeDView) -> None:
    """Label a 3D view; see `register_rca_factories`."""
    del view
    with Div(classes="vs-over"):
        Span("3D", classes="vs-name")
