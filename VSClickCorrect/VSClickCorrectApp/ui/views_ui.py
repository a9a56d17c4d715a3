"""The views on the page, and what lies over each: what it shows, the sides of the patient, and drawings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trame.widgets.client import ServerTemplate
from trame.widgets.html import Button, Div, Span
from trame.widgets.vuetify3 import VIcon

from VSClickCorrectApp.layouts import ALL_VIEWS, COLUMNS, ROWS, SLICE_VIEWS, plane_of
from VSClickCorrectApp.page_keys import key_of
from VSClickCorrectApp.ui.overlay_ui import overlay_ui

if TYPE_CHECKING:
    from VSClickCorrectApp.application import BrowserApp

# Left, right, top and bottom of the screen, as radiologists look at a patient.
_SIDES = {"Axial": "RLAP", "Coronal": "RLSI", "Sagittal": "APSI"}
_PLACES = ("left", "right", "top", "bottom")


def views_ui(app: BrowserApp, looking: str) -> None:
    """Build the grid of views; see `places`. A double click enlarges one while ``looking`` is so."""
    name = app.views.typed_state.name
    tracks = f"repeat({ROWS}, minmax(0, 1fr)) / repeat({COLUMNS}, minmax(0, 1fr))"
    with Div(classes="vs-views", style=f"grid-template: {tracks}"):
        for view in ALL_VIEWS:
            hidden = f"!{name.shown}.includes('{view}')"
            area = f"{{gridArea: {name.areas}['{view}'], visibility: {hidden} ? 'hidden' : 'visible'}}"
            with Div(
                classes="vs-view",
                style=(area,),
                raw_attrs=[f'data-area="{view}"'],
                dblclick=f"({looking}) && trigger('vs_enlarge', ['{view}'])",
            ):
                ServerTemplate(name=view)
                if view in SLICE_VIEWS:
                    _over_slice(app, view)
                else:
                    _over_surface(app, view)


def _over_slice(app: BrowserApp, view: str) -> None:
    """Label a slice view, its sides where they are known, and draw over it."""
    state, plane = app.views.typed_state.name, plane_of(view)
    with Div(classes="vs-over vs-slice-view", raw_attrs=[f'data-view="{view}"', f'data-plane="{plane}"']):
        with Div(classes="vs-name"):
            _sequence(app, view)
            Span(plane.lower(), classes=f"vs-plane vs-{plane.lower()}")
            Span(f"{{{{ {state.positions}['{view}'] }}}}", classes="vs-position")
            _enlarging(app, view, f"{view}, {plane.lower()}")
        for place, side in zip(_PLACES, _SIDES[plane], strict=True):
            Span(side, v_if=(state.sides_known,), classes=f"vs-side vs-{place}")
        Div(classes="vs-twin")
        overlay_ui(app.overlay.typed_state.name, app.display.typed_state.name.bare, view)


def _over_surface(app: BrowserApp, view: str) -> None:
    with Div(classes="vs-over"), Div(classes="vs-name"):
        Span("3D")
        _enlarging(app, view, "3D")


def _sequence(app: BrowserApp, view: str) -> None:
    """Build the name of the sequence that a view shows, a button where there is another."""
    name = app.sequences.typed_state.name
    shown, blended = f"{name.of}['{view}']", f"{name.both} && {name.blend}"
    mixed = f"{blended} ? ' + ' + {name.blend} + ' %' : ''"
    with Button(
        id=f"sequence-{view}",
        classes="vs-sequence",
        disabled=(f"!{name.both}",),
        title=f"Show the other sequence in this view ({key_of('flick')} under the pointer)",
        raw_attrs=[
            f"@click=\"trigger('vs_switch', ['{view}'])\"",
            "@dblclick.stop",
            f":aria-label=\"'Sequence of the view {view}: ' + {shown}\"",
        ],
    ):
        Span(f"{{{{ {shown} }}}}{{{{ {mixed} }}}}")


def _enlarging(app: BrowserApp, view: str, title: str) -> None:
    """Build the button that enlarges a view."""
    enlarged = f"{app.views.typed_state.name.enlarged} === '{view}'"
    hint = f"{enlarged} ? 'Show the other views again' : 'Enlarge this view; while looking, a double click'"
    with Button(
        classes="vs-enlarge",
        id=f"enlarge-{view}",
        click=f"trigger('vs_enlarge', ['{view}'])",
        title=(hint,),
        raw_attrs=[f'aria-label="Enlarge {title}"'],
    ):
        VIcon(icon=(f"{enlarged} ? 'mdi-arrow-collapse' : 'mdi-arrow-expand'",), size="14")
