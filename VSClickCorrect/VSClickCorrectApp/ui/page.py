"""The page: bar, views, strip, panel and the line at the foot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trame.ui.vuetify3 import VAppLayout
from trame.widgets import client
from trame.widgets.html import Div, Span
from trame.widgets.vuetify3 import (
    VAppBar,
    VMain,
    VNavigationDrawer,
    VTab,
    VTabs,
    VWindow,
    VWindowItem,
)

from VSClickCorrectApp.logic.clicks_logic import LOOK
from VSClickCorrectApp.page_files import STATIC
from VSClickCorrectApp.ui.brush_ui import brush_ui
from VSClickCorrectApp.ui.clicks_ui import click_list_ui, clicks_ui
from VSClickCorrectApp.ui.display_ui import display_ui
from VSClickCorrectApp.ui.follow_up_ui import follow_up_ui
from VSClickCorrectApp.ui.help_ui import help_ui
from VSClickCorrectApp.ui.parts import attributes, tip
from VSClickCorrectApp.ui.running_ui import initial_ui, registration_ui, running_ui
from VSClickCorrectApp.ui.settings_ui import settings_ui
from VSClickCorrectApp.ui.strip_ui import strip_ui
from VSClickCorrectApp.ui.tumour_parts_ui import tumour_parts_ui
from VSClickCorrectApp.ui.viewing_ui import viewing_ui
from VSClickCorrectApp.ui.views_ui import views_ui
from VSClickCorrectApp.ui.work_ui import files_ui, measures_ui, question_ui, worklist_ui

if TYPE_CHECKING:
    from VSClickCorrectApp.application import BrowserApp

TITLE = "VSClickCorrect"
_COLORS = {
    "background": "#101317",
    "surface": "#181c22",
    "primary": "#4db6ac",
    "error": "#ff8a80",
}
_DENSE = {"density": "compact", "hideDetails": True}
_THEME = {
    "theme": {"defaultTheme": "dark", "themes": {"dark": {"dark": True, "colors": _COLORS}}},
    "defaults": {
        # Vuetify forgets a listener to keys each time a button with a ripple is disabled and enabled again.
        "VBtn": {"class": "text-none", "ripple": False},
        **dict.fromkeys(("VRangeSlider", "VSlider", "VSwitch"), {**_DENSE, "color": "primary"}),
        **dict.fromkeys(("VSelect", "VTextarea", "VTextField"), {**_DENSE, "variant": "outlined"}),
    },
}

_TABS = {
    "Clicks": "The clicks, and what each changed",
    "Measures": "Volume, diameters and change",
    "Display": "Windows, blending and what is shown over the images",
    "Settings": "Which network corrects, and how",
}

# What is shown once the program does not answer any more; nothing of the page is left then, styles included.
_GONE = """
<div style="max-width: 38em; margin: 18vh auto; color: #d0d4da; font: 16px/1.6 sans-serif" id="gone">
  <h2>The connection to the program is lost</h2>
  <p>If it still runs, or serves a group, <a href="" style="color: #4db6ac">load the page again</a>.</p>
  <p>If you started it yourself and it was ended, start <code>vsclick app</code> again and open the address
  that it prints. The cases of a worklist are as they were; of other cases there is what was saved.</p>
</div>
"""


def build_page(app: BrowserApp) -> None:
    """Build the page; it lives as long as the server."""
    with VAppLayout(app.server, vuetify_config=_THEME) as page:
        page.root.theme = "dark"
        client.Style((STATIC / "vsclick.css").read_text(encoding="utf-8"))
        with VAppBar(density="compact", flat=True, classes="vs-bar-top"):
            _top(app)
        with VNavigationDrawer(location="right", permanent=True, width=336, classes="vs-panel"):
            _panel(app)
        with VMain(classes="vs-main"), Div(classes="vs-work"):
            views_ui(app, f"{app.clicks.typed_state.name.tool} === '{LOOK}'")
            strip_ui(app.strip, app.views, app.doubt)
            _foot(app)
        question_ui(app.host)
    app.server.state.trame__template_error = _GONE


def _top(app: BrowserApp) -> None:
    Span(TITLE, classes="vs-title")
    case = app.files.typed_state.name.case
    Span(f"{{{{ {case} }}}}", classes="vs-case", id="case", title=(case,))
    Span(
        "not saved",
        v_if=(app.files.typed_state.name.unsaved,),
        classes="vs-unsaved",
        id="unsaved",
        title="What was done on this case is in this program alone; Save writes it to a file",
    )
    Span(f"{{{{ {app.measures.typed_state.name.volume} }}}}", classes="vs-quiet", id="volume")
    Div(classes="flex-grow-1")
    viewing_ui(app)
    files_ui(app.files, app.series, app.status)
    help_ui()


def _panel(app: BrowserApp) -> None:
    with Div(classes="vs-column"):
        worklist_ui(app.worklist)
        with Div(classes="vs-section"):
            # One height for all of it, so that nothing below moves.
            with Div(classes="vs-find"):
                running_ui(app.running)
                initial_ui(app.running)
            registration_ui(app.registration, app.running)
        with Div(classes="vs-section"):
            clicks_ui(app.clicks, app.doubt)
            brush_ui(app.brush, app.clicks)
        with VTabs(v_model=("vs_tab", "clicks"), density="compact", grow=True, color="primary"):
            for tab, hint in _TABS.items():
                value = tab.lower()
                with VTab(tab, value=value, id=f"tab-{value}", size="small", min_width=0, classes="px-1"):
                    tip(hint)
        with VWindow(v_model=("vs_tab",), classes="vs-tab"):
            with VWindowItem(value="clicks", transition=False, reverse_transition=False):
                click_list_ui(app.clicks, app.views)
            with VWindowItem(value="measures", transition=False, reverse_transition=False):
                measures_ui(app.measures)
                tumour_parts_ui(app.parts)
                follow_up_ui(app.follow_up, app.files, app.status)
            with VWindowItem(value="display", transition=False, reverse_transition=False):
                display_ui(app.display, app.sequences, app.doubt)
            with VWindowItem(value="settings", transition=False, reverse_transition=False):
                settings_ui(app.settings)


def _foot(app: BrowserApp) -> None:
    name = app.status.typed_state.name
    with Div(classes=(f"'vs-foot' + ({name.is_error} ? ' vs-error' : '')",)):
        Span(
            f"{{{{ {name.message} }}}}",
            classes="vs-said",
            id="status",
            **attributes(role="status"),
            title=(name.message,),
        )
        Span(f"{{{{ {app.readout.typed_state.name.text} }}}}", classes="vs-readout", id="readout")
