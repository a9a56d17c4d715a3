"""The open case against an earlier examination, on the page."""

import asyncio
import shutil
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from bright_ball import AXIAL, GRID, RADIUS_MM, ball, ball_volume, write_image
from source_series import write_segmentation_of, write_slices
from VSClickCorrectApp.logic.follow_up_logic import FollowUpLogic
from VSClickCorrectApp.logic.running_logic import RunningLogic
from VSClickCorrectApp.uploads import Uploads
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.volume import Scan
from VSClickCorrectLib.io.dicom_out import segmentation_object, write_segmentation
from VSClickCorrectLib.io.dicom_source import read_source
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.workflow.origin import Origin


@pytest.fixture
def page(parts):
    """The logic, with a case of a ball that grew by 2 mm all round."""
    parts.uploads = Uploads(limit_mb=2)
    parts.running = RunningLogic(parts.server, parts.host, parts.flow)
    parts.logic = FollowUpLogic(parts.server, parts.host, parts.flow, parts.uploads)
    parts.shown = parts.logic.typed_state.data
    parts.server.state.ready()
    grown = ball(radius=RADIUS_MM + 2)
    parts.workbench.open(OpenedCase("grown", ball_volume(), None, grown))
    yield parts
    parts.uploads.close()


def send(page, slot, path):
    page.uploads.begin(slot, path.name, path.stat().st_size)
    page.uploads.part(slot, 0, path.read_bytes())


def compare(page):
    async def whole():
        await page.workbench.begin()
        page.logic.compare()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.gather(*others)

    asyncio.run(whole())


def test_an_earlier_mask_is_compared_and_removed(page, tmp_path):
    send(page, "before", write_image(tmp_path / "mask.nii.gz", ball().astype(np.uint8)))
    compare(page)
    volume = GRID.voxel_volume
    sizes = ball().sum() * volume, ball(radius=RADIUS_MM + 2).sum() * volume
    assert page.shown.text.startswith(f"Volume: {sizes[0]:.1f} mm³ before, {sizes[1]:.1f} mm³ after")
    assert "(20 % of the volume): growth by that threshold" in page.shown.text
    assert (page.uploads.names, page.shown.busy, page.message.is_error) == ({}, False, False)


def test_with_its_scan_both_are_registered(page, tmp_path):
    affine = AXIAL.copy()
    affine[:3, 3] += (2.0, -3.0, 1.5)
    send(page, "before", write_image(tmp_path / "mask.nii.gz", ball().astype(np.uint8), affine))
    send(page, "before_scan", write_image(tmp_path / "scan.nii.gz", ball_volume().array, affine))
    compare(page)
    assert "both diameters were measured in the earlier scan's slices" in page.shown.text
    assert not page.running.typed_state.data.running
    # It goes with the case.
    page.workbench.close()
    assert page.shown.text == ""


def test_an_earlier_scan_of_another_patient_is_told(page, tmp_path):
    folder = write_slices(tmp_path / "scan", ball_volume(), patient="P-1")
    scan = Scan("P-2", "", "", "")
    opened = OpenedCase("one", replace(ball_volume(), scan=scan), None, ball(), Origin(None, scan))
    page.workbench.open(opened)
    send(page, "before", write_image(tmp_path / "mask.nii.gz", ball().astype(np.uint8)))
    send(page, "before_scan", Path(shutil.make_archive(str(folder), "zip", folder)))
    compare(page)
    assert page.shown.text.startswith("Note: the headers of the two examinations name different patients")


@pytest.mark.parametrize("sure", [False, True])
def test_an_earlier_mask_of_another_patient_than_its_scan_is_asked_about(page, tmp_path, monkeypatch, sure):
    folders = {name: write_slices(tmp_path / name, ball_volume(), patient=name) for name in ("Eve", "Adam")}
    made = segmentation_object(read_source(folders["Eve"], GRID), ball(), GRID)
    write_segmentation(tmp_path / "mask.dcm", made)
    asked = []

    async def answered(question):
        asked.append(question)
        return sure

    monkeypatch.setattr(page.host, "confirm", answered)
    page.workbench.open(OpenedCase("one", ball_volume(), None, ball()))
    send(page, "before", tmp_path / "mask.dcm")
    send(page, "before_scan", Path(shutil.make_archive(str(folders["Adam"]), "zip", folders["Adam"])))
    compare(page)
    assert asked == ["The image is of patient 'Adam' and the mask of 'Eve'. Take the two for one patient's?"]
    assert page.shown.text.startswith("Volume: ") is sure
    assert page.message.is_error is not sure


def test_an_earlier_segmentation_of_another_patient_is_told(page, tmp_path):
    folder = write_slices(tmp_path / "scan", ball_volume(), patient="P-2")
    scan = Scan("P-2", "", "", "")
    page.workbench.open(
        OpenedCase("one", replace(ball_volume(), scan=scan), None, ball(), Origin(None, scan))
    )
    send(page, "before", write_segmentation_of(folder, tmp_path / "mask.dcm", ball(), GRID, "P-1"))
    compare(page)
    assert page.shown.text.startswith("Note: the headers of the two examinations name different patients")


def test_what_cannot_be_read_is_told_and_removed(page, tmp_path):
    (tmp_path / "letter.nii.gz").write_text("Dear colleague")
    send(page, "before", tmp_path / "letter.nii.gz")
    compare(page)
    assert page.message.is_error and "'letter.nii.gz' is not an image" in page.message.message
    assert (page.shown.text, page.uploads.names) == ("", {})
    compare(page)
    assert "no earlier mask was chosen" in page.message.message.lower()


def test_another_case_is_not_compared_with_what_was_sent_for_the_one_before(page, tmp_path, monkeypatch):
    send(page, "before", write_image(tmp_path / "mask.nii.gz", ball().astype(np.uint8)))
    read, changed = page.uploads.earlier, []
    page.logic.changed.connect(lambda: changed.append(dict(page.uploads.names)))

    async def meanwhile():
        page.logic.compare()
        await asyncio.sleep(0)
        page.workbench.open(OpenedCase("other", ball_volume(), None, ball()))
        await page.workbench.begin()
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.gather(*others)

    monkeypatch.setattr(page.uploads, "earlier", lambda: (time.sleep(0.3), read())[1])
    asyncio.run(meanwhile())
    assert page.shown.text == ""
    assert page.message.is_error and "nothing was compared" in page.message.message
    assert (page.uploads.names, page.shown.busy, changed) == ({}, False, [{}])


def test_no_earlier_mask_takes_the_place_of_the_one_that_is_compared(page, tmp_path, monkeypatch):
    first, second = (
        write_image(tmp_path / f"{radius}.nii.gz", ball(radius=radius).astype(np.uint8))
        for radius in (RADIUS_MM, 4.0)
    )
    send(page, "before", first)
    read, refused = page.uploads.earlier, []

    def reading():
        with pytest.raises(ImageError) as told:
            page.uploads.begin("before", second.name, second.stat().st_size)
        refused.append(str(told.value))
        return read()

    monkeypatch.setattr(page.uploads, "earlier", reading)
    compare(page)
    assert refused == [f"files are being read; choose '{second.name}' again once that is done."]
    assert page.shown.text.startswith(f"Volume: {ball().sum() * GRID.voxel_volume:.1f} mm³ before")
    page.uploads.begin("before", second.name, second.stat().st_size)


def test_a_mask_is_not_compared_before_its_scan_is_here(page, tmp_path):
    send(page, "before", write_image(tmp_path / "mask.nii.gz", ball().astype(np.uint8)))
    page.uploads.begin("before_scan", "scan.nii.gz", 10)
    compare(page)
    assert page.message.message.startswith("'scan.nii.gz' is still on its way")
    assert (page.shown.text, page.shown.busy, page.uploads.names) == ("", False, {"before": "mask.nii.gz"})


def test_earlier_files_go_with_their_case(page, tmp_path):
    send(page, "before_scan", write_image(tmp_path / "scan.nii.gz", ball_volume().array))
    page.workbench.open(OpenedCase("other", ball_volume(), None, ball()))
    assert page.uploads.names == {}
