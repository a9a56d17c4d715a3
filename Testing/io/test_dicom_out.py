"""DICOM SEG, report and RTSTRUCT of a mask, read by highdicom, pydicom, SimpleITK and our own readers."""

import errno
import os

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from source_series import FRAME, STUDY, headers, write_frames, write_slices
from volume_files import GRID, PLAIN
from VSClickCorrectLib import __version__
from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io import dicom_headers, dicom_out
from VSClickCorrectLib.io.dicom_out import CONTOURS, NAMES, REPORT, SEGMENTATION
from VSClickCorrectLib.io.dicom_source import read_source
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectResearch.datasets.rtstruct import read_structure_set
from VSClickCorrectResearch.simulation.planar_contours import rasterise

# Oblique, its slices 1.5 mm apart; voxels of 0.4 × 0.5 × 1.5 mm.
SHAPE = (12, 20, 24)
OBLIQUE = Grid(SHAPE, GRID.affine)
VOXEL_MM3 = 0.4 * 0.5 * 1.5
TUMOUR = ("126949007", "SCT", "Vestibular schwannoma")


def lump():
    """A mask with a hole, a pixel that touches it at a corner alone, and nothing on the outer slices."""
    mask = np.zeros(SHAPE, bool)
    mask[3:8, 4:12, 6:15] = True
    mask[5, 6:8, 8:11] = False
    mask[4, 12, 15] = True
    return mask


MASK = lump()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    volume = Volume((np.arange(np.prod(SHAPE)) % 900).astype(np.int16).reshape(SHAPE), OBLIQUE)
    return write_slices(tmp_path_factory.mktemp("study") / "t1ce", volume)


@pytest.fixture(scope="module")
def frames(tmp_path_factory):
    """The same in one file, its frames in no order."""
    volume = Volume(np.zeros(SHAPE, np.int16), OBLIQUE)
    order = [k * 5 % SHAPE[0] for k in range(SHAPE[0])]
    return write_frames(tmp_path_factory.mktemp("frames") / "enhanced.dcm", volume, order=order)


@pytest.fixture(params=["folder", "frames"])
def path(request):
    return request.getfixturevalue(request.param)


@pytest.fixture
def written(path, tmp_path):
    """The folder with all three, of either kind of series."""
    source = read_source(path, OBLIQUE)
    dicom_out.write_objects(tmp_path / "dicom", dicom_out.dicom_objects(source, MASK, OBLIQUE))
    return tmp_path / "dicom"


def positions(path):
    """ImagePositionPatient by SOPInstanceUID, or by that and the frame's number."""
    if path.is_dir():
        return {(uid, None): d.ImagePositionPatient for uid, d in headers(path).items()}
    dataset = pydicom.dcmread(path)
    return {
        (dataset.SOPInstanceUID, n): group.PlanePositionSequence[0].ImagePositionPatient
        for n, group in enumerate(dataset.PerFrameFunctionalGroupsSequence, 1)
    }


def test_every_frame_lies_where_the_slice_does_to_which_it_refers(path, written):
    dataset, known = pydicom.dcmread(written / SEGMENTATION), positions(path)
    shared = dataset.SharedFunctionalGroupsSequence[0]
    lps = OBLIQUE.affine_lps
    np.testing.assert_allclose(
        shared.PlaneOrientationSequence[0].ImageOrientationPatient,
        [*(lps[:3, 0] / 0.4), *(lps[:3, 1] / 0.5)],
        atol=1e-6,
    )
    measures = shared.PixelMeasuresSequence[0]
    np.testing.assert_allclose([*measures.PixelSpacing, measures.SpacingBetweenSlices], [0.5, 0.4, 1.5])
    seen = set()
    for group, pixels in zip(dataset.PerFrameFunctionalGroupsSequence, dataset.pixel_array, strict=True):
        place = np.array(group.PlanePositionSequence[0].ImagePositionPatient, float)
        [of] = group.DerivationImageSequence[0].SourceImageSequence
        number = of.get("ReferencedFrameNumber")
        assert place.tolist() == known[of.ReferencedSOPInstanceUID, number and int(number)]
        k = int(np.rint(np.linalg.solve(lps[:3, :3], place - lps[:3, 3])[2]))
        np.testing.assert_array_equal(pixels != 0, MASK[k])
        seen.add(k)
    assert seen == {3, 4, 5, 6, 7}


def test_segmentation_says_what_it_is_and_whose(path, written):
    found = hd.seg.segread(written / SEGMENTATION)
    [segment] = found.SegmentSequence
    kind = found.get_segment_description(1).segmented_property_type
    assert (kind.value, kind.scheme_designator, kind.meaning) == TUMOUR
    assert found.get_segment_description(1).segmented_property_category.value == "49755003"
    assert segment.AnatomicRegionSequence[0].CodeValue == "8598002"
    assert (segment.SegmentAlgorithmType, segment.SegmentAlgorithmName) == ("SEMIAUTOMATIC", "VSClickCorrect")
    [algorithm] = segment.SegmentationAlgorithmIdentificationSequence
    assert (algorithm.AlgorithmName, algorithm.AlgorithmVersion) == ("VSClickCorrect", __version__)
    first = pydicom.dcmread(next(path.iterdir()) if path.is_dir() else path)
    for keyword in ("PatientID", "PatientName", "StudyInstanceUID", "FrameOfReferenceUID"):
        assert found[keyword].value == first[keyword].value
    assert found.ReferencedSeriesSequence[0].SeriesInstanceUID == first.SeriesInstanceUID
    assert found.SeriesInstanceUID != first.SeriesInstanceUID


def test_highdicom_and_itk_read_the_same_volume(written):
    volume = hd.seg.segread(written / SEGMENTATION).get_volume(segment_numbers=[1], combine_segments=True)
    assert volume.array.sum() * VOXEL_MM3 == pytest.approx(MASK.sum() * VOXEL_MM3)
    np.testing.assert_allclose(volume.spacing, (1.5, 0.5, 0.4), rtol=1e-6)
    image = sitk.ReadImage(str(written / SEGMENTATION))
    set_voxels = np.argwhere(sitk.GetArrayFromImage(image))[:, ::-1]
    assert len(set_voxels) * np.prod(image.GetSpacing()) == pytest.approx(MASK.sum() * VOXEL_MM3)
    points = np.array([image.TransformIndexToPhysicalPoint(v.tolist()) for v in set_voxels])
    ijk = OBLIQUE.ras_to_ijk(points * (-1, -1, 1))
    assert np.abs(ijk - ijk.round()).max() < 1e-3
    found = np.zeros(SHAPE, bool)
    found[tuple(ijk.round().astype(int)[:, ::-1].T)] = True
    np.testing.assert_array_equal(found, MASK)


def turned(mask, grid):
    """The same mask with its slices from the top down and its rows and columns exchanged."""
    affine = grid.affine @ np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, -1, SHAPE[0] - 1], [0, 0, 0, 1]])
    return mask.transpose(0, 2, 1)[::-1], Grid((SHAPE[0], SHAPE[2], SHAPE[1]), affine)


def test_a_mask_whose_axes_run_otherwise_is_the_same(path):
    source = read_source(path, OBLIQUE)
    np.testing.assert_array_equal(source.arranged(*turned(MASK, OBLIQUE)), MASK)


def test_report_holds_volume_and_axial_diameters_of_the_segment(written):
    report = hd.sr.srread(written / REPORT)
    segmentation = pydicom.dcmread(written / SEGMENTATION)
    [group] = report.content.get_volumetric_roi_measurement_groups()
    assert (group.finding_type.value, group.finding_type.scheme_designator) == TUMOUR[:2]
    assert group.tracking_uid == segmentation.SegmentSequence[0].TrackingUID
    [referenced] = group.referenced_segment[0].ReferencedSOPSequence
    assert referenced.ReferencedSegmentNumber == 1
    assert referenced.ReferencedSOPInstanceUID == segmentation.SOPInstanceUID
    found = {m.name.meaning: (m.value, m.unit.value) for m in group.get_measurements()}
    assert found["Volume"] == (pytest.approx(MASK.sum() * VOXEL_MM3), "mm3")
    box = Box.around(MASK)
    measured = dicom_out.measure(OBLIQUE, box, MASK[box.slices])
    assert found["Long axis"] == (pytest.approx(measured.diameter.mm), "mm")
    assert found["Short axis"] == (pytest.approx(measured.perpendicular.mm), "mm")
    assert {m.method.meaning for m in group.get_measurements() if m.method} == {"Axial"}
    assert report.StudyInstanceUID == STUDY


def polygon_mm2(points):
    """The area of a flat polygon in space, whatever its direction."""
    return np.linalg.norm(np.cross(points, np.roll(points, -1, axis=0)).sum(axis=0)) / 2


def test_contours_enclose_the_mask(path, written):
    found = read_structure_set(written / CONTOURS)
    [structure] = found.structures
    assert structure["structure_name"] == "Vestibular schwannoma"
    contours = [np.array(c) * (-1, -1, 1) for c in structure["LPS_contour_points"]]
    np.testing.assert_array_equal(rasterise(contours, OBLIQUE), MASK)
    # Five slices, one with a hole, one with a pixel of its own.
    areas = np.sort([polygon_mm2(c - c[0]) for c in contours])
    assert len(areas) == 7
    # The smallest is the pixel, the next the hole.
    volume = (areas.sum() - 2 * areas[1]) * 1.5
    assert volume == pytest.approx(MASK.sum() * VOXEL_MM3, rel=1e-3)
    dataset = pydicom.dcmread(written / CONTOURS)
    assert dataset.FrameOfReferenceUID == FRAME
    known = {uid for uid, _ in positions(path)}
    for contour in dataset.ROIContourSequence[0].ContourSequence:
        assert contour.ContourImageSequence[0].ReferencedSOPInstanceUID in known
        assert contour.NumberOfContourPoints * 3 == len(contour.ContourData)


def test_a_contour_of_thousands_of_corners_is_one_of_decimals(tmp_path, recwarn):
    """More than 64 kB of them, as of a ragged mask, which pydicom writes as unknown where they do not fit."""
    shape = (2, 60, 110)
    grid = Grid(shape, np.diag([-0.5, -0.5, 1.5, 1.0]))
    mask = np.zeros(shape, bool)
    mask[1, :, 0] = mask[1, ::4] = True
    # Each second pixel beside each of fifteen teeth of a comb.
    mask[1, 1::4, ::2] = True
    series = write_slices(tmp_path / "t1ce", Volume(np.zeros(shape, np.int16), grid))
    dicom_out.write_objects(tmp_path, dicom_out.dicom_objects(read_source(series, grid), mask, grid))
    assert not recwarn.list
    [contour] = pydicom.dcmread(tmp_path / CONTOURS).ROIContourSequence[0].ContourSequence
    data = contour.get_item("ContourData")
    assert data.VR in (None, "DS") and data.length > 1 << 16
    assert len(contour.ContourData) == 3 * contour.NumberOfContourPoints
    points = np.array(contour.ContourData, float).reshape(-1, 3)
    assert polygon_mm2(points - points[0]) == pytest.approx(mask.sum() * 0.25)


def test_the_three_belong_together_and_replace_older_ones(folder, tmp_path):
    source = read_source(folder, OBLIQUE)
    for mask in (MASK, np.roll(MASK, 1, axis=0)):
        dicom_out.check_objects_folder(tmp_path, [folder])
        dicom_out.write_objects(tmp_path, dicom_out.dicom_objects(source, mask, OBLIQUE, automatic=True))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(NAMES)
    read = [pydicom.dcmread(tmp_path / name) for name in NAMES]
    assert {d.StudyInstanceUID for d in read} == {STUDY}
    assert len({d.SeriesInstanceUID for d in read}) == 3
    assert read[0].SegmentSequence[0].SegmentAlgorithmType == "AUTOMATIC"
    [evidence] = read[1].CurrentRequestedProcedureEvidenceSequence
    instances = {
        item.ReferencedSOPInstanceUID
        for series in evidence.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    assert read[0].SOPInstanceUID in instances


def test_somebody_elses_file_is_not_replaced(folder, tmp_path):
    (tmp_path / REPORT).write_bytes(b"yesterday's letter")
    with pytest.raises(StorageError, match="did not write it"):
        dicom_out.check_objects_folder(tmp_path, [])
    with pytest.raises(StorageError, match="is to be read"):
        dicom_out.check_objects_folder(folder, [folder])


def test_a_full_disk_leaves_the_older_three(folder, tmp_path, monkeypatch):
    source = read_source(folder, OBLIQUE)
    dicom_out.write_objects(tmp_path, dicom_out.dicom_objects(source, MASK, OBLIQUE))
    older = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    objects = dicom_out.dicom_objects(source, ~MASK, OBLIQUE)

    def full(path, **_):
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(objects[CONTOURS], "save_as", full)
    with pytest.raises(StorageError, match="No space left"):
        dicom_out.write_objects(tmp_path, objects)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == older


def test_the_series_is_found_among_others(folder, tmp_path):
    both = tmp_path / "both"
    other = Volume(np.zeros((4, 5, 6), np.int16), Grid((4, 5, 6), np.eye(4)))
    write_slices(both, other)
    for n, path in enumerate(folder.iterdir()):
        (both / f"b{n}").write_bytes(path.read_bytes())
    (both / "letter.txt").write_text("Dear colleague")
    source = read_source(both, OBLIQUE)
    assert {h.SOPInstanceUID for h in source.headers} == set(headers(folder))


@pytest.mark.parametrize(
    "make, grid, said",
    [
        (lambda folder, tmp: folder, PLAIN, "not those of the DICOM series"),
        (lambda folder, tmp: tmp, OBLIQUE, "holds no DICOM image"),
        (lambda folder, tmp: tmp / "scan.nii.gz", OBLIQUE, "does not exist"),
    ],
)
def test_what_nothing_can_refer_to_is_refused(folder, tmp_path, make, grid, said):
    with pytest.raises(ImageError, match=said):
        read_source(make(folder, tmp_path), grid)


def test_an_image_without_a_frame_of_reference_is_refused(folder, tmp_path):
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        del dataset.FrameOfReferenceUID
        dataset.save_as(tmp_path / path.name)
    with pytest.raises(ImageError, match="do not name their FrameOfReferenceUID"):
        read_source(tmp_path, OBLIQUE)


def test_a_missing_slice_is_no_grid(folder, tmp_path):
    paths = sorted(folder.iterdir(), key=lambda p: pydicom.dcmread(p).InstanceNumber)
    for path in (*paths[:4], *paths[5:]):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    with pytest.raises(ImageError, match="one above the other"):
        read_source(tmp_path, Grid((SHAPE[0] - 1, *SHAPE[1:]), OBLIQUE.affine))


def test_an_empty_mask_is_not_reported(folder):
    with pytest.raises(ImageError, match="mask is empty"):
        dicom_out.dicom_objects(read_source(folder, OBLIQUE), np.zeros(SHAPE, bool), OBLIQUE)


def test_an_empty_mask_is_a_segmentation_of_nothing_of_which_nothing_is_said(path, tmp_path, caplog):
    nothing = np.zeros(SHAPE, bool)
    segmentation = dicom_out.segmentation_object(read_source(path, OBLIQUE), nothing, OBLIQUE)
    dicom_out.write_segmentation(tmp_path / SEGMENTATION, segmentation)
    assert caplog.records == []
    dataset = pydicom.dcmread(tmp_path / SEGMENTATION)
    assert (dataset.NumberOfFrames, dataset.pixel_array.any()) == (SHAPE[0], False)


def test_without_highdicom_a_sentence_says_what_to_install(folder, monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(dicom_headers, "import_module", missing)
    with pytest.raises(
        ImageError, match=r"highdicom is needed; install vsclickcorrect\[dicom\].*pip_install"
    ):
        read_source(folder, OBLIQUE)


def test_the_series_is_read_on_the_same_grid_as_its_headers_say(folder):
    assert read_volume(folder).grid.matches(read_source(folder, OBLIQUE).grid)


def test_a_drive_that_cannot_tell_what_is_there_is_named(tmp_path, monkeypatch):
    def stale(path, *_, **__):
        raise OSError(errno.ESTALE, "Stale file handle", str(path))

    monkeypatch.setattr(os, "lstat", stale)
    with pytest.raises(StorageError, match="tale file handle"):
        dicom_out.remove_objects(tmp_path)
