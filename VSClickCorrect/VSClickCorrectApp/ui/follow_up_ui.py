"""The panel's part for an earlier examination: what changed since, and the dialog that takes it."""

from __future__ import annotations

from trame.widgets.html import Div, Pre, Span
from trame.widgets.vuetify3 import VCard, VCardText, VCardTitle, VDialog

from VSClickCorrectApp.logic.files_logic import FilesLogic
from VSClickCorrectApp.logic.follow_up_logic import FollowUpLogic
from VSClickCorrectApp.status import Status
from VSClickCorrectApp.ui.parts import button, dialog_actions, file_fields, problem, shows

_SLOTS = {
    "before": ("Mask of the earlier examination", ".nii,.gz,.nrrd,.dcm"),
    "before_scan": ("Its scan, to be registered, if you have it", ".nii,.gz,.nrrd,.zip"),
}


def follow_up_ui(follow_up: FollowUpLogic, files: FilesLogic, status: Status) -> None:
    """Build it; files come as those of a case do."""
    name, sent = follow_up.typed_state.name, files.typed_state.name
    with Div(classes="vs-list"):
        Pre(f"{{{{ {name.text} }}}}", v_if=(name.text,), classes="vs-measures", id="follow-up")
        button(
            "Compare with an earlier examination",
            "Say how volume and diameter changed since an earlier mask",
            id="compare",
            click=shows(name.dialog, status),
            prepend_icon="mdi-compare-horizontal",
        )
    with VDialog(v_model=(name.dialog,), width=520), VCard():
        VCardTitle("Compare with an earlier examination")
        with VCardText():
            file_fields(_SLOTS, sent)
            problem(status)
            Span(
                "With its scan, both scans are registered and measured in the same slices.",
                classes="vs-quiet",
            )
        dialog_actions(
            name.dialog,
            "Compare nothing (Escape)",
            "Compare",
            "Compare with this mask",
            id="compare-files",
            click=follow_up.compare,
            loading=(name.busy,),
            disabled=(f"!{sent.before}",),
        )
