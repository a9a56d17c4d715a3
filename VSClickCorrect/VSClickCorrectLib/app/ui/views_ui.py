"""The views on the page, and what lies over each: its name and the sides of the patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trame.widgets.client import ServerTemplate
from trame.widgets.html import Button, Div, Span
from trame.widgets.vuetify3 import VIcon
from trame_server import Server
from trame_slicer.views import SliceView, ThreeDView

from VSClickCorrectLib.app.layouts import ALL_VIEWS, COLUMNS, ROWS

if TYPE_CHECKING:
    from VSClickCorrectLib.app.logic.views_logic import ViewsLogic, ViewsState

# Left, right, top and bottom of the screen, as radiologists look at a patient.
_SIDES = {"Axial": "RLAP", "Coronal": "RLSI", "Sagittal": "APSI"}
_PLACES = ("left", "right", "top", "bottom")


def views_ui(views: ViewsLogic, looking: str) -> None:
    """Build the grid of views; see `places`. A double click enlarges one while ``looking`` is so."""
    name = views.typed_state.name
    tracks = f"repeat({ROWS}, minmax(0, 1fr)) / repeat({COLUMNS}, minmax(0, 1fr))"
    with Div(classes="vs-views", style=f"grid-template: {tracks}"):
        for view in ALL_VIEWS:
            hidden = f"!{name.shown}.includes('{view}')"
            area = f"{{gridArea: {name.areas}['{view}'], visibility: {hidden} ? 'hidden' : 'visible'}}"
            with Div(
                classes="vs-view",
                style=(area,),
                dblclick=f"({looking}) && trigger('vs_enlarge', ['{view}'])",
            ):
                ServerTemplate(name=view)


def slice_view_ui(state: ViewsState, _server: Server, _view_id: str, view: SliceView) -> None:
    """Label a slice view, its sides where they are known; see `register_rca_factories`.

    ``state`` holds what the page calls each value of `ViewsState`.
    """
    name, orientation = view.get_singleton_tag(), view.get_orientation()
    classes = "vs-over vs-axial" if orientation == "Axial" else "vs-over"
    with Div(classes=classes, raw_attrs=[f'data-view="{name}"']):
        _title(state, name, f"{name} · axial" if orientation == "Axial" else name)
        for place, side in zip(_PLACES, _SIDES[orientation], strict=True):
            Span(side, v_if=(state.sides_known,), classes=f"vs-side vs-{place}")
        Div(classes="vs-twin")


def threed_view_ui(state: ViewsState, _server: Server, _view_id: str, view: ThreeDView) -> None:
    """Label a 3D view; see `slice_view_ui`."""
    with Div(classes="vs-over"):
        _title(state, view.get_singleton_tag(), "3D")


def _title(state: ViewsState, name: str, title: str) -> None:
    """Build a view's name, where its slice lies, and the button that enlarges it."""
    enlarged = f"{state.enlarged} === '{name}'"
    hint = f"{enlarged} ? 'Show the other views again' : 'Enlarge this view; while looking, a double click'"
    with Div(classes="vs-name"):
        Span(title)
        Span(f"{{{{ {state.positions}['{name}'] }}}}", classes="vs-position")
        with Button(
            classes="vs-enlarge",
            id=f"enlarge-{name}",
            click=f"trigger('vs_enlarge', ['{name}'])",
            title=(hint,),
            raw_attrs=[f'aria-label="Enlarge {title}"'],
        ):
            VIcon(f"{{{{ {enlarged} ? 'mdi-arrow-collapse' : 'mdi-arrow-expand' }}}}", size="14")
