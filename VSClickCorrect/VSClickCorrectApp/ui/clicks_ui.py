"""The panel's part for clicks."""

from __future__ import annotations

from trame.widgets.html import Button, Div, Span
from trame.widgets.vuetify3 import VBtn, VBtnToggle, VIcon, VSwitch

from VSClickCorrectApp.logic.clicks_logic import LOOK, ClicksLogic
from VSClickCorrectApp.logic.doubt_logic import DoubtLogic
from VSClickCorrectApp.logic.views_logic import ViewsLogic
from VSClickCorrectApp.page_keys import key_of
from VSClickCorrectApp.ui.parts import attributes, button, explained, icon_button, tip

_TOOLS = (
    ("boundary", "Boundary", "mdi-rhombus", "Click where the true border runs"),
    ("include", "Include", "mdi-circle", "Click on tumour that is missing"),
    ("exclude", "Exclude", "mdi-close-thick", "Click on what is no tumour"),
    (LOOK, "Look", "mdi-eye-outline", "Drag for window and level, no clicks"),
)
_ICON = "{boundary: 'mdi-rhombus', include: 'mdi-circle', exclude: 'mdi-close-thick'}[row.kind]"


def clicks_ui(clicks: ClicksLogic, doubt: DoubtLogic) -> None:
    """Build kinds, the way to the next doubtful place, rounds, undo and redo."""
    name = clicks.typed_state.name
    with VBtnToggle(v_model=(name.tool,), mandatory=True, divided=True, classes="vs-tools w-100", id="tools"):
        for value, label, icon, hint in _TOOLS:
            with VBtn(
                value=value,
                size="small",
                classes=f"vs-tool vs-{value}",
                id=f"tool-{value}",
                # As its key, which also ends measuring.
                click=f"trigger('vs_key', ['{value}'])",
            ):
                with Div(classes="d-flex flex-column align-center"):
                    VIcon(icon=icon, size="18")
                    Span(label)
                tip(f"{hint} ({key_of(value)})")
    _next_place_ui(doubt, name.ready)
    with Div(classes="vs-row"):
        Span(f"Round {{{{ {name.round} }}}}", classes="vs-strong", id="round")
        button(
            "Next round",
            f"Look at the result, then correct what is left ({key_of('next_round')})",
            id="next-round",
            click=clicks.next_round,
            disabled=(f"!{name.ready}",),
        )
        Div(classes="flex-grow-1")
        for action, icon, text in (
            (clicks.undo, "mdi-undo", name.undo),
            (clicks.redo, "mdi-redo", name.redo),
        ):
            label = "Undo" if action == clicks.undo else "Redo"
            hint = f"{label}, {key_of(label.lower())}: {{{{ {text} || 'nothing' }}}}"
            icon_button(icon, label, hint, id=label.lower(), click=action, disabled=(f"!{text}",))
    with Div(classes="vs-row vs-undo-text", id="undo-text"):
        Span(f"{{{{ {name.undo} ? 'Undo: ' + {name.undo} : 'No click yet' }}}}")
    with Div(classes="vs-row"):
        hint = f"Clicks wait until they are applied together ({key_of('apply')})"
        with explained(hint):
            VSwitch(
                v_model=(name.collecting,),
                label="Collect clicks",
                id="collect",
            )
        Div(classes="flex-grow-1")
        with explained(f"Correct by all clicks that wait ({key_of('apply')})"):
            VBtn(
                f"Apply {{{{ {name.pending} || '' }}}}",
                id="apply",
                click=clicks.apply,
                disabled=(f"!{name.pending}",),
                size="small",
                variant="tonal",
                color="primary",
            )


def _next_place_ui(doubt: DoubtLogic, ready: str) -> None:
    left = doubt.typed_state.name.left
    with Div(classes="vs-row"):
        button(
            "Next place",
            f"Go where a click is worth most, as far as the networks can tell ({key_of('next_place')})",
            id="next-place",
            click=doubt.next,
            disabled=(f"!{ready}",),
            prepend_icon="mdi-map-marker-question-outline",
        )
        Span(f"{{{{ {left} }}}}", classes="vs-quiet", id="left-to-gain")


def click_list_ui(clicks: ClicksLogic, views: ViewsLogic) -> None:
    """Build the list of clicks; a row brings its click into view."""
    name = clicks.typed_state.name

    def show(row_number: int) -> None:
        views.lead_to(clicks.position(row_number))

    with Div(classes="vs-list", id="clicks"):
        Span("Clicks appear here: kind, slice, round, voxels changed.", v_if=f"!{name.rows}.length")
        with Div(v_for=f"row in {name.rows}", key="row.number", classes=("'vs-click vs-' + row.kind",)):
            with Button(
                classes="vs-click-text",
                title="Bring this click into view",
                click=(show, "[row.number]"),
                **attributes(
                    aria_label=("'Go to click ' + row.number + ', ' + row.kind + ', slice ' + row.slice",)
                ),
            ):
                Span("{{ row.number }}", classes="vs-number")
                VIcon(icon=(_ICON,), size="14")
                Span("{{ row.kind }}", classes="vs-kind")
                Span("slice {{ row.slice }}")
                Span("round {{ row.round }}")
                Span("{{ row.voxels === null ? 'waits' : row.voxels + ' vx' }}", classes="vs-voxels")
            VBtn(
                icon="mdi-close",
                title=f"Take this click and its correction back ({key_of('undo')}: the last one)",
                size="x-small",
                variant="text",
                **attributes(aria_label=("'Remove click ' + row.number",)),
                click=(clicks.remove, "[row.number, row.mark]"),
            )
