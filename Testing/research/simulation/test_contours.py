"""Tumour shapes from contours: volume, side, tip, and which structures count."""

import io
import json
import tarfile

import numpy as np
import pytest
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectResearch.simulation.contours import SPACING_MM, read_shapes, shape_of

RADIUS = 8.0


def circle(center, radius, height, count=72):
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    points = np.stack([np.cos(angle), np.sin(angle), np.zeros(count)], axis=1) * radius
    return points + [*center, height]


def sphere(center, radius=RADIUS, step=1.0):
    """Contours, half a step off the poles."""
    heights = np.arange(-radius + step / 2, radius, step)
    return [circle(center[:2], np.sqrt(radius**2 - h**2), center[2] + h) for h in heights]


def structure(name, contours):
    """As in the archive: LPS."""
    return {"structure_name": name, "LPS_contour_points": [(c * (-1, -1, 1)).tolist() for c in contours]}


def write_archive(path, cases, split, folder="vs"):
    files = {
        f"vs/contours/{name}/anat/{name}_contours_space-individual_T1w.json": json.dumps(structures)
        for name, structures in cases.items()
    }
    # Contours in the T2 frame are in the archive too and must not be taken for the others.
    files["vs/contours/sub-002/anat/sub-002_contours_space-individual_T2w.json"] = "[]"
    files["vs/split.csv"] = "case,split\n" + "".join(f"{name},{part}\n" for name, part in split.items())
    with tarfile.open(path, "w:gz") as tar:
        member = tarfile.TarInfo(folder)
        member.type = tarfile.DIRTYPE
        tar.addfile(member)
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def archive(tmp_path):
    right, left = sphere((20.0, -5.0, 3.0)), sphere((-20.0, -5.0, 3.0), 5.0)
    cases = {
        "sub-002": [structure("TV", right), structure("Vol2016", left), structure("cochlea", left)],
        "sub-003": [structure("an", left)],
        "sub-008": [structure("tumour", right)],
        "sub-009": [structure("tumour", right)],
        "sub-063": [structure("Men", right)],
        "sub-100": [structure("AN", right)],
    }
    split = dict.fromkeys(cases, "training") | {"sub-100": "validation"}
    return write_archive(tmp_path / "contours.tar.gz", cases, split)


def test_only_tumours_of_the_split_are_read(archive):
    assert [s.name for s in read_shapes(archive, "training")] == ["sub-002", "sub-003", "sub-008"]
    assert [s.name for s in read_shapes(archive, "validation")] == ["sub-100"]


def test_other_structures_do_not_add_to_the_tumour(archive):
    shape = read_shapes(archive, "training")[0]
    assert shape.volume_mm3 == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.05)


@pytest.mark.parametrize("radius", [2.5, 8.0])
def test_a_sphere_keeps_its_volume_and_surface(radius):
    shape = shape_of("sphere", sphere((20.0, -5.0, 3.0), radius, step=min(1.5, radius / 2.5)))
    volume = 4 / 3 * np.pi * radius**3
    assert shape.volume_mm3 == pytest.approx(volume, rel=0.05)
    assert (shape.distance < 0).sum() * SPACING_MM**3 == pytest.approx(volume, rel=0.05)
    center = np.argwhere(shape.distance < 0).mean(axis=0)
    grid = np.moveaxis(np.indices(shape.distance.shape), 0, -1)
    true = np.linalg.norm(grid - center, axis=-1) * SPACING_MM - radius
    near = np.abs(true) < 1.5
    assert np.abs(shape.distance - true)[near].mean() < 0.25
    assert shape.distance.dtype == np.float32


def test_a_cylinder_reaches_half_a_slice_beyond_its_last_contours():
    shape = shape_of("cylinder", [circle((15.0, 0.0), 6.0, h) for h in np.arange(0, 12, 1.5)])
    assert shape.volume_mm3 == pytest.approx(np.pi * 36 * 12, rel=0.05)
    height = np.flatnonzero((shape.distance < 0).any(axis=(1, 2))).size * SPACING_MM
    assert height == pytest.approx(12, abs=1.0)


def test_a_contour_inside_another_is_a_hole():
    heights = np.arange(0, 9, 1.5)
    contours = [circle((15.0, 0.0), r, h) for h in heights for r in (8.0, 4.0)]
    shape = shape_of("ring", contours)
    assert shape.volume_mm3 == pytest.approx(np.pi * (64 - 16) * 9, rel=0.05)
    center = np.round(np.argwhere(shape.distance < 0).mean(axis=0)).astype(int)
    assert shape.distance[tuple(center)] > 0


@pytest.mark.parametrize("side", [1, -1])
def test_the_tip_is_the_lateral_end_on_either_side(side):
    # A ball with a thin stalk to lateral, in the plane y = 4, z = 0.
    stalk = np.array([[7.5, 3, 0], [18, 3, 0], [18, 5, 0], [7.5, 5, 0]], dtype=float)
    contours = [c + (15, 0, 0) for c in sphere((0, 0, 0), 8.0)] + [
        stalk + (15, 0, h) for h in np.arange(-1.5, 2.0, 1.0)
    ]
    shape = shape_of("stalked", [c * (side, 1, 1) for c in contours])
    inside = np.argwhere(shape.distance < 0)
    x, y, z = shape.tip
    assert x == pytest.approx(inside[:, 2].max() * SPACING_MM, abs=1.01)
    middle = inside.mean(axis=0) * SPACING_MM
    assert x > middle[2] + 10
    assert y == pytest.approx(middle[1] + 4, abs=1.0)
    assert z == pytest.approx(middle[0], abs=1.0)


def test_sides_are_mirror_images():
    contours = sphere((20.0, 0.0, 0.0), 6.0) + sphere((31.0, 3.0, 0.0), 3.0)
    right = shape_of("right", contours)
    left = shape_of("left", [c * (-1, 1, 1) for c in contours])
    assert left.volume_mm3 == pytest.approx(right.volume_mm3, rel=0.01)
    assert left.tip[0] > 0.6 * left.distance.shape[2] * SPACING_MM
    assert left.tip[1] == pytest.approx(right.tip[1], abs=0.5)


def test_one_slice_is_enough_for_a_shape():
    shape = shape_of("flat", [circle((15.0, 0.0), 4.0, 0.0)])
    assert shape.volume_mm3 == pytest.approx(np.pi * 16 * 1.5, rel=0.1)


def test_cached_shapes_are_the_same(archive, tmp_path):
    cache = tmp_path / "new" / "cache"
    first = read_shapes(archive, "training", cache)
    archive.unlink()
    again = read_shapes(archive, "training", cache)
    assert [s.name for s in again] == [s.name for s in first]
    for a, b in zip(first, again, strict=True):
        np.testing.assert_allclose(a.distance, b.distance, atol=0.02)
        assert a.tip == pytest.approx(b.tip)
        assert a.volume_mm3 == pytest.approx(b.volume_mm3)


def test_shapes_of_another_archive_are_read_anew(archive, tmp_path):
    cache = tmp_path / "cache"
    assert [s.name for s in read_shapes(archive, "training", cache)] == ["sub-002", "sub-003", "sub-008"]
    cases = {"sub-009": [structure("TV", sphere((20.0, -5.0, 3.0)))]}
    other = write_archive(archive, cases, {"sub-009": "training"})
    assert [s.name for s in read_shapes(other, "training", cache)] == ["sub-009"]


def test_folders_in_an_archive_are_passed_over_whatever_they_are_called(tmp_path):
    cases = {"sub-002": [structure("TV", sphere((20.0, -5.0, 3.0)))]}
    path = write_archive(
        tmp_path / "contours.tar.gz", cases, {"sub-002": "training"}, folder="vs/old-split.csv"
    )
    assert [s.name for s in read_shapes(path, "training")] == ["sub-002"]


def test_an_unreadable_archive_is_named(tmp_path):
    path = tmp_path / "broken.tar.gz"
    path.write_bytes(b"no archive")
    with pytest.raises(ImageError, match=r"broken\.tar\.gz"):
        read_shapes(path, "training")
