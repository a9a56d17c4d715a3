"""Files to and from the browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from trame_server import Server
from trame_server.utils.typed_state import TypedState
from VSClickCorrectLib.errors import ImageError, WorklistError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io.files import temporary_folder
from VSClickCorrectLib.io.images import write_mask
from VSClickCorrectLib.io.pairing import remark_on_mask
from VSClickCorrectLib.mrml.case_nodes import Segment
from VSClickCorrectLib.mrml.persistence import save_scene, save_segmentation
from VSClickCorrectLib.mrml.volume_files import sides_known
from VSClickCorrectLib.mrml.volumes import volume_of
from VSClickCorrectLib.workflow.observable import Signal
from VSClickCorrectLib.workflow.one_patient import of_one_patient
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.workflow.workflow import Workflow

from VSClickCorrectApp.connection import SENDER
from VSClickCorrectApp.page_host import PageHost
from VSClickCorrectApp.shown_case import ShownCase
from VSClickCorrectApp.sources import resumed
from VSClickCorrectApp.status import Status
from VSClickCorrectApp.uploads import CASE_SLOTS, SCAN_SLOTS, SLOTS, Uploads
from VSClickCorrectApp.zipped_dicom import zip_dicom

DOWNLOADS = {
    "tumour.nii.gz": "Segmentation, NIfTI",
    "tumour.seg.nrrd": "Segmentation for Slicer",
    "tumour-dicom.zip": "DICOM: segmentation, report, contours",
    "journal.jsonl": "Journal of the clicks",
    "scene.mrb": "Scene for Slicer",
}


@dataclass
class FilesState:
    """What the page knows of files.

    That is the case's name, what its downloads begin with, whether work on it is unsaved, and by slot what
    was sent.
    """

    case: str = ""
    stem: str = ""
    unsaved: bool = False
    dialog: bool = False
    busy: bool = False
    scans: str = ""
    t1ce: str = ""
    t2: str = ""
    mask: str = ""
    journal: str = ""
    before: str = ""
    before_scan: str = ""


class FilesLogic:
    """Opens what a browser sends and gives it what was made.

    Parameters
    ----------
    server : Server
        Its state holds `FilesState`.
    host : PageHost
        Runs what takes long.
    flow : Workflow
        Where cases are opened; a worklist's case is left first.
    status : Status
        Told what happened.
    uploads : Uploads
        Where files go.

    Attributes
    ----------
    arrived : Signal(str)
        A file is whole; its slot.
    changed : Signal
        Files came or went.
    """

    def __init__(
        self, server: Server, host: PageHost, flow: Workflow, status: Status, uploads: Uploads
    ) -> None:
        self._server = server
        self._host = host
        self._workbench, self._worklist, self._unsaved = flow.workbench, flow.worklist, flow.unsaved
        self._status = status
        self._uploads = uploads
        self.arrived, self.changed = Signal(), Signal()
        # By window the work as it is in the file that is on its way there.
        self._sent: dict[str, dict] = {}
        self.typed_state = TypedState(server.state, FilesState)
        for name in ("begin", "part", "end"):
            server.trigger(f"vs_upload_{name}")(getattr(self, name))
        server.trigger("vs_dropped")(self.open_dialog)
        server.trigger("vs_unreadable")(self.tell_unreadable)
        server.trigger("vs_download")(self.download)
        server.trigger("vs_saved")(self.note_saved)
        server.state.vs_unsaved = self.typed_state.name.unsaved
        flow.workbench.opened.connect(self._on_opened)
        flow.workbench.closed.connect(self._on_opened)
        flow.unsaved.changed.connect(self._show_unsaved)

    def begin(self, slot: str, name: str, size: int) -> bool:
        """Expect a file; return whether it may come, as none may while others are read.

        See `Uploads.begin`.
        """
        return self._reported(lambda: self._uploads.begin(slot, name, size, SENDER.get()))

    def part(self, slot: str, at: int, content: bytes) -> bool:
        """Receive a part; return whether the next may come. See `Uploads.part`."""
        return self._reported(lambda: self._uploads.part(slot, at, content, SENDER.get()))

    def end(self, slot: str) -> bool:
        """Note that a file is whole."""
        whole = self._reported(lambda: self._status.say(self._uploads.check(slot, SENDER.get())))
        if whole:
            self.arrived.emit(slot)
        return whole

    def open_dialog(self) -> None:
        """Show the dialog: something was dropped onto the page, and comes."""
        self._status.typed_state.data.is_error = False
        self.typed_state.data.dialog = True

    def tell_unreadable(self, names: str) -> None:
        """Tell that the browser cannot read what was dropped, with the names if it knows them."""
        what = f"'{names}', or a file in it," if names else "what was dropped"
        self._status.fail(
            f"{what} cannot be read by the browser, so nothing was sent; see whether it is still there and "
            "yours to read, then drop it again."
        )

    def open(self) -> None:
        """Open what was sent, in a task of its own; a mask or a journal alone goes onto the open case.

        A worklist's case is kept and left first, and takes neither from a file. Where the work on the case
        that is open is nowhere else, the user is asked; what was sent waits until then.
        """
        if not self.typed_state.data.busy:
            self._host.start(self._open())

    async def _open(self) -> None:
        data = self.typed_state.data
        self._uploads.check_chosen()
        if not await self._unsaved.may_close():
            return
        agreed = self._unsaved.stand
        try:
            with self._uploads.reading(CASE_SLOTS):
                data.busy = True
                self._status.say("Reading the files …")
                told = await self._open_case(agreed)
                data.dialog = False
                await self._workbench.begin()
                self._status.say(f"{told}{self._workbench.what_to_do}")
        finally:
            data.busy = False
            self.show_names()

    async def _open_case(self, agreed: dict) -> str:
        """Open what was sent in place of the work that is ``agreed`` to go.

        Returns what is to be said of it, and of the worklist's case that was left.
        """
        nodes, current = self._workbench.nodes, self._worklist.current
        if nodes is None or set(SCAN_SLOTS) & set(self._uploads.names):
            read = await self._host.background(self._uploads.case)
            opened = await of_one_patient(self._host, read.checked)
            await self._check_agreed(agreed)
            current = self._worklist.current
            if not await self._worklist.leave():
                raise WorklistError("the case was not left, so nothing was opened; save it, then open again.")
            self._workbench.open(opened)
            left = f"Case {current.name} of the worklist was kept and left. " if current is not None else ""
            return opened.with_remarks(left)
        if current is not None:
            raise WorklistError(
                f"case {current.name} of the worklist takes no mask from a file and no journal; open it "
                "together with its images, which leaves the case, or name the mask in the worklist's list."
            )
        return await self._put_onto(cast(ShownCase, nodes), agreed)

    async def _check_agreed(self, agreed: dict) -> None:
        """Ask again if more was done on the open case while the files were read."""
        if self._unsaved.stand != agreed and not await self._unsaved.may_close():
            raise ImageError(
                "the open case stays, so nothing was opened; save it, then open the files again."
            )

    async def _put_onto(self, nodes: ShownCase, agreed: dict) -> str:
        """Begin the open case anew with the mask that was sent, or go on with its journal.

        Returns what is to be said of the mask.
        """
        grid, journal = nodes.mask.grid, self._uploads.journal()
        mask, remark = None, ""
        if "mask" in self._uploads.names:
            mask, remark = await of_one_patient(self._host, lambda sure: self._sent_mask(grid, sure))
        await self._check_agreed(agreed)
        if self._workbench.nodes is not nodes:
            raise ImageError(
                "another case was opened meanwhile, so the files were not used; open them again."
            )
        t1ce, t2 = (volume_of(node) if node is not None else None for node in nodes.volumes)
        case = OpenedCase(nodes.name, t1ce, t2, mask)
        if journal:
            case = resumed(case, journal)
        self._workbench.restart(cast(np.ndarray, case.mask))
        if journal:
            nodes.take_up(journal)
        return f"{remark} " if remark else ""

    def _sent_mask(self, grid: Grid, sure: bool) -> tuple[np.ndarray, str]:
        """Read the mask that was sent, of the open case's patient, or what is ``sure`` to be."""
        mask, its = self._uploads.mask(grid)
        return mask, remark_on_mask(self._workbench.origin.scan, its, sure)

    def download(self, name: str, shown: str | None = None):
        """Return a file of `DOWNLOADS` as an attachment, None if it cannot be made.

        It is not where ``shown``, the case that the page showed as it was asked for, is not open any more.
        """
        content = None
        with (
            self._status.reporting(),
            temporary_folder("vsclick-download-") as folder,
        ):
            if shown not in (None, self.typed_state.data.case):
                raise ImageError(
                    f"'{shown}' was closed already, so it was not saved; open it again to save it."
                )
            path = folder / name
            self._writer(name)(path)
            content = path.read_bytes()
            stands = self._unsaved.stand.items()
            sent = {one: stand for one, stand in stands if self._holds(name, one)}
            if name != "scene.mrb":
                # Clicks that wait are in the scene alone.
                sent = {one: stand._replace(pending=()) for one, stand in sent.items()}
            self._sent[SENDER.get()] = sent
            # What becomes of a download no page is told.
            told = (
                f"'{self.typed_state.data.stem}-{name}' was given to the browser; see that it is among its "
                "downloads, and save again if it is not."
            )
            (self._status.say if name == "scene.mrb" else self._workbench.tell)(told)
        return None if content is None else self._server.protocol.addAttachment(content)

    def note_saved(self) -> None:
        """Note that a window of the page has what it downloaded last."""
        if (sent := self._sent.get(SENDER.get())) is not None:
            self._unsaved.note_saved(sent)

    def forget(self, sender: str) -> None:
        """Keep nothing of what is on its way to or from a window that has gone."""
        self._sent.pop(sender, None)
        self._uploads.discard_unfinished(sender)

    def _writer(self, name: str) -> Callable[[Path], None]:
        nodes, correction = self._workbench.nodes, self._workbench.correction
        if nodes is None or correction is None or name not in DOWNLOADS:
            raise ImageError(f"there is no {name} yet; open a case first.")
        mask = nodes.mask
        return {
            "tumour.nii.gz": lambda path: write_mask(
                path, mask.read(mask.grid.box), mask.grid, sides_known=sides_known(nodes.reference)
            ),
            "tumour.seg.nrrd": lambda path: save_segmentation(nodes.segmentation, path),
            "tumour-dicom.zip": lambda path: zip_dicom(
                path, self._workbench.origin, mask.read(mask.grid.box), mask.grid
            ),
            "journal.jsonl": correction.session.journal.save,
            "scene.mrb": lambda path: save_scene(nodes.segmentation.GetScene(), path),
        }[name]

    def _holds(self, name: str, segment: Segment) -> bool:
        """Whether a download has the work on a segment: on the tumour, on what is corrected, or on all."""
        if name == "journal.jsonl":
            return segment == self._workbench.segment
        return name in ("tumour.seg.nrrd", "scene.mrb") or segment == self._workbench.case.segment

    def _reported(self, action: Callable[[], object]) -> bool:
        with self._status.reporting():
            action()
            self.show_names()
            return True
        self.show_names()
        return False

    def show_names(self) -> None:
        """Show what is there now."""
        for slot in SLOTS:
            setattr(self.typed_state.data, slot, self._uploads.names.get(slot, ""))
        self.changed.emit()

    def _show_unsaved(self) -> None:
        self.typed_state.data.unsaved = self._unsaved.there

    def _on_opened(self) -> None:
        self._sent.clear()
        name = self._workbench.nodes.name if self._workbench.nodes else ""
        self.typed_state.data.case, self.typed_state.data.stem = name, _stem(name)


def _stem(case: str) -> str:
    """Return what the files of a case are called, which may be called as a file itself."""
    stem = re.sub(r"\.(seg\.nrrd|nii\.gz|nii|nrrd|zip|dcm|mrb)$", "", case, flags=re.IGNORECASE)
    return re.sub(r"[^\w.-]+", "-", stem).strip("-.") or "case"
