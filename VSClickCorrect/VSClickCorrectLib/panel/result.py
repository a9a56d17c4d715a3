"""The section Result: what the segment measures, and what becomes of it."""

from __future__ import annotations

from pathlib import Path

import slicer
from slicer.i18n import tr as _

from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.io.suffixes import DICOM_SUFFIX, MASK_SUFFIXES
from VSClickCorrectLib.measure.measurements import Measurements
from VSClickCorrectLib.mrml.part_segments import part_of
from VSClickCorrectLib.panel.placing import Placing
from VSClickCorrectLib.panel.section import Connection, Section

NOTHING = "–"
_OFFERED = ".seg.nrrd"
_SUFFIXES = (*MASK_SUFFIXES, DICOM_SUFFIX)


class ResultSection(Section):
    """Shows what the segment measures; accepts, saves and copies."""

    def __init__(self, ui, desktop, flow, placing: Placing) -> None:
        super().__init__(ui, desktop, flow)
        self._placing = placing
        flow.measurer.changed.connect(self._show_measured)
        flow.workbench.stopping.connect(self._clear)
        flow.parts.changed.connect(self._show_parts)

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [
            Connection("acceptButton", "clicked()", self.accept),
            Connection("saveButton", "clicked()", self.save),
            Connection("copyButton", "clicked()", self.copy),
            Connection("partsButton", "clicked()", self.bound(self.flow.parts.make)),
        ]

    def accept(self) -> None:
        """Mark the segment as completed; in a worklist the case is done."""
        if self.flow.worklist.current is not None:
            self.host.start(self.flow.worklist.done())
            return
        self._placing.end_own()
        segmentation, segment_id = self.workbench.segment
        segment = segmentation.GetSegmentation().GetSegment(segment_id)
        logic = slicer.vtkSlicerSegmentationsModuleLogic
        logic.SetSegmentStatus(segment, logic.Completed)
        self.workbench.tell(_("Accepted: the segment is marked as completed. Save it, or save the scene."))

    def save(self) -> None:
        """Write the segment, and its journal beside it."""
        # What reads and writes images is of no use before.
        from VSClickCorrectLib.io.images import check_mask_path, write_mask
        from VSClickCorrectLib.mrml.dicom_files import save_dicom
        from VSClickCorrectLib.mrml.volume_files import sides_known

        workbench = self.workbench
        segmentation, segment_id = workbench.segment
        part = part_of(segmentation.GetSegmentation().GetSegment(segment_id))
        path = self._asked(name := f"{segmentation.GetName()} {part}".strip())
        if path is not None and part and path.name.endswith(DICOM_SUFFIX):
            # What is written there is called a tumour.
            raise CorrectionError(
                _("DICOM objects are of the whole tumour; correct that one, or save the part as .seg.nrrd.")
            )
        if path is None:
            return
        check_mask_path(path, *self._images(), suffixes=_SUFFIXES)
        if not self._may_write_beside(path):
            return
        written, grid = [path], workbench.session.case.grid
        if path.name.endswith(DICOM_SUFFIX):
            origin = workbench.origin
            source = origin.source(grid) if origin.path is not None else None
            written = save_dicom(path, workbench.reference, workbench.values(), grid, source)
        else:
            write_mask(path, workbench.values(), grid, name, sides_known(workbench.reference))
        journal = _journal_of(path)
        workbench.session.journal.save(journal)
        self.desktop.keep_setting("SaveFolder", str(path.parent))
        files = ", ".join(file.name for file in (*written, journal))
        workbench.tell(_("Saved in {folder}: {files}.").format(folder=path.parent, files=files))

    def _asked(self, name: str) -> Path | None:
        """Ask where to save; a name that is of no kind of mask is offered a suffix."""
        folder = self.desktop.setting("SaveFolder")
        chosen = self.desktop.ask_to_save(
            _("Save the segment"),
            str(Path(folder) / f"{name}{_OFFERED}"),
            _("Segmentation (*.seg.nrrd *.nii.gz);;DICOM with report and contours (*.dcm)"),
        )
        if not chosen:
            return None
        path = Path(chosen)
        if path.name.endswith(_SUFFIXES):
            return path
        better = path.with_name(path.name + _OFFERED)
        question = _("The name {name} does not say what kind of file it is. Save the segment as {better}?")
        if better.exists():
            question = _("The name {name} does not say what kind of file it is. Replace the file {better}?")
        return better if self._confirmed(question.format(name=path.name, better=better.name)) else None

    def _images(self) -> list[Path | None]:
        """Return the files of the images that are shown, which no mask is to replace."""
        from VSClickCorrectLib.mrml.volume_files import stored_in

        case = self.flow.worklist.current
        listed = [case.t1ce, case.t2] if case is not None else []
        return [self.workbench.origin.path, *listed, *map(stored_in, filter(None, self.workbench.volumes))]

    def _may_write_beside(self, path: Path) -> bool:
        """Ask before files of another mask of that name go; those of a mask that is replaced go with it."""
        others = [] if path.exists() else [file.name for file in self._others_beside(path)]
        question = _("These files beside it are of another mask: {files}. Replace them?")
        return not others or self._confirmed(question.format(files=", ".join(others)))

    def _others_beside(self, path: Path) -> list[Path]:
        from VSClickCorrectLib.io.dicom_out import paths_beside

        journal = _journal_of(path)
        others = list(paths_beside(path).values()) if path.name.endswith(DICOM_SUFFIX) else []
        if journal.exists() and not self.workbench.session.journal.text.encode().startswith(
            journal.read_bytes()
        ):
            others.append(journal)
        return [file for file in others if file.exists()]

    def _confirmed(self, question: str) -> bool:
        agreed = self.desktop.confirm(question)
        if not agreed:
            self.host.say(_("Nothing was saved."))
        return agreed

    def copy(self) -> None:
        """Put the measurements on the clipboard as text."""
        lines = [self.flow.measurer.measure().as_text(), self.flow.parts.as_text()]
        self.desktop.copy("\n".join(filter(None, lines)))
        self.workbench.tell(_("The measurements are on the clipboard."))

    def _show_parts(self) -> None:
        self.ui.partsLabel.text = self.flow.parts.as_text() or NOTHING

    def refresh(self) -> None:
        """See `Section.refresh`."""
        under_way = self.workbench.correction is not None
        self.ui.resultCollapsibleButton.enabled = under_way
        for shown in (self.ui.partsButton, self.ui.partsLabel):
            # Before there is something to part no manifest is read for it.
            shown.visible = under_way and self.flow.parts.offered

    def _show_measured(self) -> None:
        measured = self.flow.measurer.measured
        if measured is None:
            self._clear()
            return
        self._show(measured.now)
        change, unknown = measured.change, _("the beginning is not known")
        self.ui.changeLabel.text = change.as_text() if change else unknown

    def _show(self, now: Measurements) -> None:
        if now.diameter is None or now.perpendicular is None or now.centroid_ras is None or now.side is None:
            self._clear()
            self.ui.volumeLabel.text = _("the segment is empty")
            return
        volume = _("{mm3:.0f} mm³ ({cm3:.2f} cm³)").format(mm3=now.volume_mm3, cm3=now.volume_cm3)
        self.ui.volumeLabel.text = volume
        self.ui.diameterLabel.text = _("{longest:.1f} × {across:.1f} mm, axial slice {number}").format(
            longest=now.diameter.mm, across=now.perpendicular.mm, number=now.slice_number
        )
        sides = {
            "left": _("left"),
            "right": _("right"),
            "middle": _("in the middle"),
            "both": _("on both sides"),
            "unknown": _("not told, the image shows part of the head only"),
            "untold": _("not told, the image's header does not say which side is left"),
        }
        right, anterior, superior = now.centroid_ras
        axes = _("centroid R {right:.1f}, A {anterior:.1f}, S {superior:.1f} mm")
        if now.side == "untold":
            axes = _("centroid {right:.1f}, {anterior:.1f}, {superior:.1f} mm")
        place = axes.format(right=right, anterior=anterior, superior=superior)
        self.ui.sideLabel.text = f"{sides[now.side]}, {place}"

    def _clear(self) -> None:
        for name in ("volumeLabel", "diameterLabel", "sideLabel", "changeLabel"):
            getattr(self.ui, name).text = NOTHING


def _journal_of(path: Path) -> Path:
    """Return where the journal of a mask's file is saved."""
    stem = path.name.removesuffix(next(s for s in _SUFFIXES if path.name.endswith(s)))
    return path.with_name(f"{stem}.journal.jsonl")
