"""Files to and from the browser."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from trame_server import Server
from trame_server.utils.typed_state import TypedState

from VSClickCorrectLib.app.host import PageHost
from VSClickCorrectLib.app.shown_case import ShownCase
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.app.uploads import CASE_SLOTS, SLOTS, Uploads
from VSClickCorrectLib.errors import ImageError, WorklistError
from VSClickCorrectLib.files import temporary_folder
from VSClickCorrectLib.imaging.io import write_mask
from VSClickCorrectLib.mrml.persistence import save_scene, save_segmentation
from VSClickCorrectLib.workflow.workflow import Workflow

DOWNLOADS = {
    "tumour.nii.gz": "Segmentation, NIfTI",
    "tumour.seg.nrrd": "Segmentation for Slicer",
    "tumour-dicom.zip": "DICOM: segmentation, report, contours",
    "journal.jsonl": "Journal of the clicks",
    "scene.mrb": "Scene for Slicer",
}


@dataclass
class FilesState:
    """What the page knows of files: the case's name, and by slot what was sent."""

    case: str = ""
    dialog: bool = False
    busy: bool = False
    t1ce: str = ""
    t2: str = ""
    mask: str = ""
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
    """

    def __init__(
        self, server: Server, host: PageHost, flow: Workflow, status: Status, uploads: Uploads
    ) -> None:
        self._server = server
        self._host = host
        self._workbench, self._worklist = flow.workbench, flow.worklist
        self._status = status
        self._uploads = uploads
        self.typed_state = TypedState(server.state, FilesState)
        for name in ("begin", "part", "end"):
            server.trigger(f"vs_upload_{name}")(getattr(self, name))
        server.trigger("vs_download")(self.download)
        flow.workbench.opened.connect(self._on_opened)

    def begin(self, slot: str, name: str, size: int) -> bool:
        """Expect a file; return whether it may come. See `Uploads.begin`."""
        return self._told(lambda: self._uploads.begin(slot, name, size))

    def part(self, slot: str, at: int, content: bytes) -> bool:
        """Receive a part; return whether the next may come. See `Uploads.part`."""
        return self._told(lambda: self._uploads.part(slot, at, content))

    def end(self, slot: str) -> bool:
        """Note that a file is whole."""
        return self._told(lambda: self._status.say(f"'{self._uploads.check(slot)}' is here."))

    def open(self) -> None:
        """Open what was sent, in a task of its own; a mask alone goes onto the open case.

        A worklist's case is kept and left first, and takes no mask from a file.
        """
        if not self.typed_state.data.busy:
            self._host.start(self._open())

    async def _open(self) -> None:
        data = self.typed_state.data
        data.busy = True
        self._status.say("Reading the files …")
        try:
            told = await self._open_case()
            data.dialog = False
            await self._workbench.begin()
            self._status.say(f"{told}Ready; click where the border is wrong, or find the tumour first.")
        finally:
            for slot in CASE_SLOTS:
                self._uploads.discard(slot)
            data.busy = False
            self._show_names()

    async def _open_case(self) -> str:
        """Open what was sent; return what is to be said of it, and of the worklist's case that was left."""
        nodes, current = self._workbench.nodes, self._worklist.current
        if set(self._uploads.names) & set(CASE_SLOTS) != {"mask"} or nodes is None:
            opened = (await self._host.background(self._uploads.case)).checked()
            current = self._worklist.current
            if not await self._worklist.leave():
                raise WorklistError("the case was not left, so nothing was opened; save it, then open again.")
            self._workbench.open(opened)
            left = f"Case {current.name} of the worklist was kept and left. " if current is not None else ""
            return opened.with_remarks(left)
        if current is not None:
            raise WorklistError(
                f"case {current.name} of the worklist takes no mask from a file; open the mask together with "
                "its images, which leaves the case, or name it in the worklist's list."
            )
        grid = nodes.mask.grid
        values = await self._host.background(lambda: self._uploads.mask(grid))
        if self._workbench.nodes is not nodes:
            raise ImageError("another case was opened meanwhile, so the mask was not used; open it again.")
        self._workbench.restart(values)
        return ""

    def download(self, name: str):
        """Return a file of `DOWNLOADS` as an attachment, None if it cannot be made."""
        content = None
        with (
            self._status.reporting(),
            temporary_folder("vsclick-download-") as folder,
        ):
            path = folder / name
            self._writer(name)(path)
            content = path.read_bytes()
            self._status.say(f"{name} was made.")
        return None if content is None else self._server.protocol.addAttachment(content)

    def _writer(self, name: str) -> Callable[[Path], None]:
        nodes, correction = self._workbench.nodes, self._workbench.correction
        if nodes is None or correction is None or name not in DOWNLOADS:
            raise ImageError(f"there is no {name} yet; open a case first.")
        mask = nodes.mask
        return {
            "tumour.nii.gz": lambda path: write_mask(path, mask.read(mask.grid.box), mask.grid),
            "tumour.seg.nrrd": lambda path: save_segmentation(nodes.segmentation, path),
            "tumour-dicom.zip": lambda path: cast(ShownCase, nodes).origin.zip_dicom(
                path, mask.read(mask.grid.box), mask.grid
            ),
            "journal.jsonl": correction.session.journal.save,
            "scene.mrb": lambda path: save_scene(nodes.segmentation.GetScene(), path),
        }[name]

    def _told(self, action: Callable[[], object]) -> bool:
        with self._status.reporting():
            action()
            self._show_names()
            return True
        self._show_names()
        return False

    def _show_names(self) -> None:
        for slot in SLOTS:
            setattr(self.typed_state.data, slot, self._uploads.names.get(slot, ""))

    def _on_opened(self) -> None:
        self.typed_state.data.case = self._workbench.nodes.name if self._workbench.nodes else ""
