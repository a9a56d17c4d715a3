"""The panel's parts for worklist and measurements, and the dialog and menu for files."""

from __future__ import annotations

from trame.widgets.html import Div, Pre, Span
from trame.widgets.vuetify3 import (
    Template,
    VBtn,
    VCard,
    VCardActions,
    VCardText,
    VCardTitle,
    VDialog,
    VList,
    VListItem,
    VMenu,
    VTextarea,
)

from VSClickCorrectApp.logic.files_logic import DOWNLOADS, FilesLogic
from VSClickCorrectApp.logic.measures_logic import MeasuresLogic
from VSClickCorrectApp.logic.series_logic import SeriesLogic
from VSClickCorrectApp.logic.worklist_logic import WorklistLogic
from VSClickCorrectApp.page_host import PageHost
from VSClickCorrectApp.page_keys import key_of
from VSClickCorrectApp.status import Status
from VSClickCorrectApp.ui.parts import (
    attributes,
    button,
    dialog_actions,
    explained,
    file_fields,
    icon_button,
    problem,
    shows,
    tip,
)
from VSClickCorrectApp.ui.series_ui import scans_ui, series_ui
from VSClickCorrectApp.uploads import CASE_SLOTS

_SLOTS = {
    "t1ce": ("Contrast-enhanced T1", ".nii,.gz,.nrrd,.zip"),
    "t2": ("T2", ".nii,.gz,.nrrd,.zip"),
    "mask": ("Mask to correct, if there is one", ".nii,.gz,.nrrd,.dcm"),
    "journal": ("Journal to go on with, if there is one", ".jsonl"),
}


def worklist_ui(worklist: WorklistLogic) -> None:
    """Build the worklist's part; it is there only where a worklist is open."""
    name, line = worklist.typed_state.name, "$event.replace(/[\\r\\n]+/g, ' ')"
    with Div(v_if=(name.there,), classes="vs-section", id="worklist"):
        with Div(classes="vs-row"):
            Span(f"{{{{ {name.current} || 'No case' }}}}", classes="vs-strong", id="worklist-case")
            Div(classes="flex-grow-1")
            for action, icon, label in (
                (worklist.previous, "mdi-chevron-left", "Previous case"),
                (worklist.next, "mdi-chevron-right", "Next case"),
            ):
                verb = label.split()[0].lower()
                icon_button(
                    icon,
                    label,
                    f"{label} ({key_of(verb)})",
                    size="x-small",
                    click=action,
                    disabled=(name.busy,),
                    id=f"{verb}-case",
                )
            with VMenu(location="bottom end"):
                with Template(v_slot_activator="{ props }"):
                    VBtn(
                        icon="mdi-format-list-bulleted",
                        title="All cases and their states",
                        size="x-small",
                        variant="text",
                        **attributes(aria_label="All cases"),
                        v_bind="props",
                        id="cases",
                    )
                with VList(density="compact", classes="vs-cases"):
                    VListItem(
                        v_for=f"row in {name.rows}",
                        key="row.name",
                        title=("row.name",),
                        subtitle=("row.state + row.more",),
                        active=(f"row.name === {name.current}",),
                        click=(worklist.go_to, "[row.name]"),
                    )
        Div(f"{{{{ {name.progress} }}}}", classes="vs-quiet", id="worklist-progress")
        with explained("A word on this case, kept with its label; why it is skipped"):
            VTextarea(
                model_value=(name.comment,),
                # With the case that it is about: another one may be open by the time it arrives.
                update_modelValue=f"{name.comment} = {line}; trigger('vs_comment', [{line}, {name.current}])",
                label="Comment",
                classes="my-1",
                # As high as what was written, all in one line of the label's table.
                rows=1,
                auto_grow=True,
                raw_attrs=["@keydown.enter.prevent"],
                disabled=(f"!{name.current}",),
            )
        with Div(classes="vs-row"):
            for action, label, color, hint in (
                (worklist.done, "Done", "primary", f"Write the label and go on ({key_of('done')})"),
                (worklist.no_tumour, "No tumour", "", "Label the case as one without a tumour and go on"),
                (worklist.skip, "Skip", "", f"Leave the case out, the comment says why ({key_of('skip')})"),
            ):
                button(
                    label,
                    hint,
                    click=action,
                    color=color or None,
                    id="worklist-" + label.lower().replace(" ", "-"),
                    disabled=(f"{name.busy} || !{name.current}",),
                )


def question_ui(host: PageHost) -> None:
    """Build the dialog that asks before something is done."""
    text, number = host.typed_state.name.text, host.typed_state.name.number
    with VDialog(model_value=(f"!!{text}",), persistent=True, width=460), VCard():
        VCardText(f"{{{{ {text} }}}}", id="question")
        with VCardActions():
            Div(classes="flex-grow-1")
            with VBtn("Cancel", click=(host.answer, f"[false, {number}]"), id="answer-cancel"):
                tip("Leave everything as it is")
            with VBtn("OK", color="primary", click=(host.answer, f"[true, {number}]"), id="answer-ok"):
                tip("Do it")


def measures_ui(measures: MeasuresLogic) -> None:
    """Build the measurements, with a button that copies them."""
    text = measures.typed_state.name.text
    with Div(classes="vs-list"):
        Pre(f"{{{{ {text} }}}}", classes="vs-measures", id="measures")
        button(
            "Copy",
            "Copy the measurements, without the patient's name",
            click=f"window.vsclick.copy({text})",
            disabled=(f"!{text}",),
            id="copy",
            prepend_icon="mdi-content-copy",
        )


def files_ui(files: FilesLogic, series: SeriesLogic, status: Status) -> None:
    """Build the dialog that opens files, and the menu that saves them."""
    name, looking = files.typed_state.name, series.typed_state.name.looking
    with VBtn(
        "Open",
        prepend_icon="mdi-folder-open-outline",
        size="small",
        click=shows(name.dialog, status),
        id="open",
    ):
        tip("Open files from this computer")
    with VMenu(location="bottom end"):
        with Template(v_slot_activator="{ props }"):
            VBtn(
                "Save",
                title="Save the segmentation, the journal or the scene on this computer",
                prepend_icon="mdi-download",
                size="small",
                v_bind="props",
                id="save",
            )
        with VList(density="compact"):
            for file, label in DOWNLOADS.items():
                VListItem(
                    title=label,
                    subtitle=(f"{name.stem} + '-{file}'",),
                    click=f"window.vsclick.download('{file}', {name.stem} + '-{file}', {name.case})",
                    id="save-" + file.replace(".", "-"),
                )
    with VDialog(v_model=(name.dialog,), width=640), VCard():
        VCardTitle("Open a case")
        with VCardText():
            scans_ui(name)
            file_fields(_SLOTS, name)
            series_ui(series)
            problem(status)
            Span(
                "DICOM as a folder or a zip archive, or a scene (.mrb), may also be dropped onto the page; "
                "NIfTI and NRRD in fields of their own. A scene or a journal brings back its clicks, rounds "
                "and undo. Files stay on the machine that runs the app and are removed once they are read.",
                classes="vs-quiet",
            )
        dialog_actions(
            name.dialog,
            "Open nothing (Escape)",
            "Open",
            "Read these files and show them",
            id="open-files",
            click=files.open,
            loading=(f"{name.busy} || {looking}",),
            disabled=(" && ".join(f"!{getattr(name, slot)}" for slot in CASE_SLOTS),),
        )
