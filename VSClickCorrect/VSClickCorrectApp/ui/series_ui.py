"""The dialog's part for all of a case at once, and which DICOM series of an examination are meant."""

from __future__ import annotations

from typing import Any

from trame.widgets.html import Div, Input, Span, Table, Tbody, Td, Th, Thead, Tr
from trame.widgets.vuetify3 import VBtn

from VSClickCorrectApp.logic.series_logic import SeriesLogic
from VSClickCorrectApp.reading.offered_series import SEQUENCES
from VSClickCorrectApp.sent_series import BOTH
from VSClickCorrectApp.ui.parts import attributes, button, explained

_LABEL = "DICOM of T1ce and T2, or a scene"
_FOLDER = f"folder-{BOTH}"


def scans_ui(sent: Any) -> None:
    """Build the field for a folder or an archive with both sequences, or a scene.

    Parameters
    ----------
    sent : object
        The names of the state `FilesState`.
    """
    with Div(classes="vs-slot"):
        Span(_LABEL, classes="vs-strong")
        with Div(classes="vs-row"):
            Input(
                type="file",
                accept=".zip,.mrb",
                title="Send a zip archive with the series of an examination, or a scene saved as .mrb",
                id=f"file-{BOTH}",
                **attributes(aria_label=f"{_LABEL}: a zip archive or .mrb"),
                change=f"window.vsclick.upload('{BOTH}', $event)",
            )
            Input(
                type="file",
                id=_FOLDER,
                classes="d-none",
                **attributes(webkitdirectory="", aria_label="DICOM of T1ce and T2: a folder"),
                change=f"window.vsclickFolders.upload('{BOTH}', $event)",
            )
            button(
                "Choose a folder",
                "Send a folder of this computer with the series of an examination",
                id="choose-folder",
                prepend_icon="mdi-folder-outline",
                click=f"window.document.getElementById('{_FOLDER}').click()",
            )
        Span(f"{{{{ {getattr(sent, BOTH)} }}}}", classes="vs-quiet", id=f"sent-{BOTH}")


def series_ui(series: SeriesLogic) -> None:
    """Build the list of series from which T1ce and T2 are chosen; there only where there is a choice."""
    name = series.typed_state.name
    Span("Looking which series there are …", v_if=(name.looking,), classes="vs-quiet", id="looking")
    with Div(v_if=f"{name.rows}.length", classes="vs-series", id="series"):
        Span("Which series are the T1ce and the T2?", classes="vs-strong")
        with Table():
            with Thead(), Tr():
                for title in (*SEQUENCES.values(), "Patient", "Date", "Series", "Slices", "Size"):
                    Th(title)
            with Tbody(), Tr(v_for=f"row in {name.rows}", key="row.key"):
                for sequence, title in SEQUENCES.items():
                    # A button with anything within it shows no icon.
                    with Td(), explained(f"Take this series for the {title}"):
                        VBtn(
                            icon=(f"row.{sequence} ? 'mdi-radiobox-marked' : 'mdi-radiobox-blank'",),
                            size="x-small",
                            variant="text",
                            color=(f"row.{sequence} ? 'primary' : undefined",),
                            click=(series.choose, f"['{sequence}', row.key]"),
                            **attributes(
                                aria_label=(f"'{title}: ' + row.name",), aria_pressed=(f"row.{sequence}",)
                            ),
                        )
                for value in ("patient", "date", "name", "slices", "size"):
                    Td(f"{{{{ row.{value} }}}}", classes=f"vs-series-{value}")
