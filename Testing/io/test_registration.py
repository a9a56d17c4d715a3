"""Registration: a known movement is found, one that does not help is not used; matrices as the files mean."""

import json
import re
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from scipy.spatial.transform import Rotation
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.registration import moved, register
from VSClickCorrectResearch.datasets.placing import place, read_matrix
from VSClickCorrectResearch.simulation import synthesis

ARCHIVE = Path(__file__).resolve().parents[3] / "shared" / "data" / "vs-seg-contours.tar.gz"
needs_archive = pytest.mark.skipif(not ARCHIVE.is_file(), reason=f"{ARCHIVE} is not here")


@pytest.fixture(scope="module")
def pair():
    """A synthetic case whose head did not move between the sequences."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthesis, "DEMO_ACQUISITION", replace(synthesis.DEMO_ACQUISITION, shift_mm=0.0))
        return synthesis.small_case(0)


def movement(about, shift, axis, degrees):
    matrix = np.eye(4)
    turn = np.radians(degrees) * np.array(axis) / np.linalg.norm(axis)
    matrix[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
    matrix[:3, 3] = about + shift - matrix[:3, :3] @ about
    return matrix


def apply(matrix, points):
    return points @ matrix[:3, :3].T + matrix[:3, 3]


def test_known_movement_is_recovered_at_the_tumour(pair):
    tumour = pair.grid.index_to_ras(np.argwhere(pair.truth))
    known = movement(tumour.mean(axis=0), (4.0, -5.0, 3.0), (1, -1, 2), 4.0)
    # The scanner saw the moved head: points of the T1ce lie at ``known`` of them in the T2's frame.
    t2 = Volume(pair.t2.array, Grid(pair.grid.shape, known @ pair.grid.affine))
    result = register(pair.t1ce, t2)
    assert np.linalg.norm(apply(known, tumour) - apply(result.matrix, tumour), axis=1).max() < 0.5
    assert result.improved
    assert result.nmi_after > result.nmi_before + 0.05
    assert result.rotation_degrees == pytest.approx(4.0, abs=0.5)
    middle = t2.grid.center_ras
    undone = apply(np.linalg.inv(known), middle)
    assert result.translation_mm == pytest.approx(np.linalg.norm(undone - middle), abs=0.5)
    assert result.overlap > 0.9

    placed = place([pair.t1ce, t2], registered=True)
    assert placed.record["t2_placed_by"] == "registration"
    assert set(placed.record["registration"]) == {
        "nmi_before", "nmi_after", "translation_mm", "rotation_degrees", "overlap"
    }  # fmt: skip
    inner = np.s_[4:-4, 15:-15, 15:-15]
    seen, true = placed.case.t2.array[inner].astype(float), pair.t2.array[inner].astype(float)
    assert np.corrcoef(seen.ravel(), true.ravel())[0, 1] > 0.95


def test_a_t2_that_a_program_has_filled_is_registered_by_what_was_acquired(pair):
    array = pair.t2.array.copy()
    # As another program resamples an oblique scan: a wedge of the field of view is empty.
    _, j, i = np.indices(array.shape)
    array[j + i < 60] = -32768
    tumour = pair.grid.index_to_ras(np.argwhere(pair.truth))
    known = movement(tumour.mean(axis=0), (4.0, -5.0, 3.0), (1, -1, 2), 4.0)
    result = register(pair.t1ce, Volume(array, Grid(pair.grid.shape, known @ pair.grid.affine)))
    assert result.improved
    assert np.linalg.norm(apply(known, tumour) - apply(result.matrix, tumour), axis=1).max() < 0.5


def cropped(t2):
    box = Box((2, 6, 6), (23, 90, 90))
    return Volume(t2.array[box.slices], t2.grid.cropped(box))


def noise(t2):
    values = np.random.default_rng(0).normal(500.0, 50.0, t2.array.shape).astype(np.float32)
    return cropped(Volume(values, t2.grid))


@pytest.mark.parametrize("spoil", [cropped, noise])
def test_registration_that_does_not_help_leaves_the_header_alone_and_says_so(pair, spoil):
    """Of scans that fit already, and of images that have nothing in common."""
    t2 = spoil(pair.t2)
    placed = place([pair.t1ce, t2], registered=True)
    assert placed.record["t2_placed_by"] == "header"
    assert "did not improve on the header's geometry, which was kept" in placed.record["remarks"][0]
    figures = placed.record["registration"]
    assert figures["nmi_after"] < figures["nmi_before"] + 0.01
    assert np.array_equal(placed.case.t2.array, place([pair.t1ce, t2]).case.t2.array)


def test_scans_on_one_grid_and_scans_with_a_matrix_are_not_registered(pair, monkeypatch):
    monkeypatch.setattr("VSClickCorrectResearch.datasets.placing.register", None)
    assert place([pair.t1ce, pair.t2], registered=True).record == {"t2_placed_by": "header"}
    matrix = movement(np.zeros(3), pair.grid.affine[:3, 2], (0, 0, 1), 0.0)
    placed = place([pair.t1ce, pair.t2], matrix, registered=True)
    # The T2 lies one slice too high, by the matrix.
    difference = placed.case.t2.array[:-1].astype(int) - pair.t2.array[1:]
    assert np.abs(difference).max() <= 1  # resampled whole numbers are cut off, not rounded


def test_moving_a_volume_resamples_nothing(pair):
    matrix = movement(np.zeros(3), (1.0, 2.0, 3.0), (0, 0, 1), 30.0)
    volume = moved(pair.t2, matrix)
    assert volume.array is pair.t2.array
    ijk = np.array([3.0, 5.0, 7.0])
    np.testing.assert_allclose(apply(matrix, volume.grid.ijk_to_ras(ijk)), pair.grid.ijk_to_ras(ijk))


def test_matrix_of_an_itk_file_is_turned_from_lps_to_ras(tmp_path):
    transform = sitk.Euler3DTransform()
    transform.SetRotation(0.0, 0.0, np.pi / 2)
    transform.SetTranslation((1.0, 2.0, 3.0))
    sitk.WriteTransform(transform, str(tmp_path / "turn.tfm"))
    # LPS (x, y, z) -> (1 - y, 2 + x, 3 + z); with both signs turned RAS (r, a, s) -> (-1 - a, -2 + r, 3 + s).
    np.testing.assert_allclose(
        apply(read_matrix(tmp_path / "turn.tfm"), np.array([10.0, 20, 30])), [-21, 8, 33]
    )


@pytest.mark.parametrize(
    "transform, message",
    [
        (sitk.ScaleTransform(3, (1.0, 1.0, 1.2)), "scales, shears or mirrors"),
        (sitk.AffineTransform([-1.0, 0, 0, 0, 1, 0, 0, 0, 1], [0.0, 0, 0]), "scales, shears or mirrors"),
        (sitk.BSplineTransform(3), "is not linear"),
        (sitk.Euler2DTransform(), "is not linear in three dimensions"),
    ],
)
def test_transform_that_is_not_rigid_is_refused(tmp_path, transform, message):
    sitk.WriteTransform(transform, str(tmp_path / "t.tfm"))
    with pytest.raises(ImageError, match=message):
        read_matrix(tmp_path / "t.tfm")


HEAD = "#Insight Transform File V1.0\n"
TURN = (
    "#Transform 0\nTransform: Euler3DTransform_double_3_3\n"
    "Parameters: 0 0 0.1 1 2 3\nFixedParameters: 0 0 0 0\n"
)
SHIFT = "#Transform 1\nTransform: TranslationTransform_double_3_3\nParameters: 10 0 0\nFixedParameters: \n"


@pytest.mark.parametrize(
    "text",
    [
        TURN + SHIFT,
        TURN.replace("FixedParameters: 0 0 0 0\n", ""),
        TURN.replace("1 2 3", "1 2"),
        TURN.replace("1 2 3", "1 2 3 4"),
        TURN.replace("0.1", "nan"),
        TURN.replace("0.1", "0,1"),
    ],
    ids=["two", "cut short", "a number too few", "a number too many", "no number", "decimal commas"],
)
def test_a_transform_of_which_itk_would_take_a_part_is_refused(tmp_path, text):
    (tmp_path / "t.tfm").write_text(HEAD + text)
    with pytest.raises(ImageError, match=r"t\.tfm is damaged or holds several transforms; save the one"):
        read_matrix(tmp_path / "t.tfm")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_transforms_that_are_one_after_the_other_are_read_as_itk_applies_them(tmp_path, end):
    composite = "#Transform 0\nTransform: CompositeTransform_double_3_3\n"
    (tmp_path / "t.tfm").write_bytes((HEAD + composite + TURN + SHIFT).replace("\n", end).encode())
    # The last comes first: in LPS x + 10, then turned by 0.1 about the third axis, then moved by (1, 2, 3).
    cosine, sine = np.cos(0.1), np.sin(0.1)
    x, y, z = -10.0 + 10.0, -20.0, 30.0
    expected = [-(cosine * x - sine * y + 1), -(sine * x + cosine * y + 2), z + 3]
    np.testing.assert_allclose(apply(read_matrix(tmp_path / "t.tfm"), np.array([10.0, 20, 30])), expected)


def test_file_that_is_no_transform_is_refused(tmp_path):
    (tmp_path / "t.tfm").write_text("1 0 0 0")
    with pytest.raises(ImageError, match=r"t\.tfm is not a transform that can be read"):
        read_matrix(tmp_path / "t.tfm")


def test_a_transform_in_hdf5_is_read_under_no_name(tmp_path):
    sitk.WriteTransform(sitk.Euler3DTransform(), str(tmp_path / "t.h5"))
    # Left to choose, ITK reads it, and it could keep its numbers in any other file.
    (tmp_path / "t.h5").rename(tmp_path / "t.tfm")
    sitk.ReadTransform(str(tmp_path / "t.tfm"))
    with pytest.raises(ImageError, match=r"t\.tfm is not a transform that can be read"):
        read_matrix(tmp_path / "t.tfm")


@needs_archive
def test_matrices_of_real_patients_bring_the_contours_of_both_frames_together(tmp_path):
    documents = {}
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            match = re.search(r"sub-0[0-4]\d_(inv_T2_LPS_to_T1_LPS\.tfm|.*_T[12]w\.json)$", member.name)
            if match:
                patient = match[0][:7]
                documents.setdefault(patient, {})[match[1]] = archive.extractfile(member).read()
    assert len(documents) > 20
    for files in documents.values():
        (tmp_path / "m.tfm").write_bytes(files["inv_T2_LPS_to_T1_LPS.tfm"])
        first, second = (
            np.array([p for s in json.loads(files[f"contours_space-individual_T{n}w.json"])
                      for c in s["LPS_contour_points"] for p in c]) * (-1, -1, 1)
            for n in (1, 2)
        )  # fmt: skip
        matrix = read_matrix(tmp_path / "m.tfm")
        assert np.linalg.norm(apply(matrix, first) - second, axis=1).max() < 1e-6
