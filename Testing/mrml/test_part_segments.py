"""Parts beside the tumour on real nodes: made, told again, and left alone by clicks on each other."""

import numpy as np
import pytest
import slicer
import vtk
from placed_points import INCLUDE
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.inference.parts import FoundParts
from VSClickCorrectLib.measure.tumour_parts import PARTS
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.part_segments import OtherParts, part_ids, part_of, put_parts
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, refresh_surface
from VSClickCorrectLib.session.oracle import Oracle

BOX = Box((2, 2, 2), (6, 8, 10))
# The tumour fills columns 2 to 8 of the box's rows, the cochlea lies beside it.
NUMBERS = np.zeros(BOX.shape, np.uint8)
NUMBERS[:, :, :3], NUMBERS[:, :, 3:6], NUMBERS[1:3, 2:4, 7:8] = 1, 2, 3
FOUND = FoundParts(PARTS, BOX, NUMBERS)


@pytest.fixture
def parted(segment, volume_node, mask):
    mask.write(BOX, np.isin(NUMBERS, (1, 2)))
    return put_parts(segment[0], volume_node, FOUND)


def read(segment, ids, volume_node, name):
    return SegmentMask(segment[0], ids[name], volume_node).read(BOX)


def test_each_part_is_a_segment_of_its_own_beside_the_tumour(segment, volume_node, mask, parted):
    segments = segment[0].GetSegmentation()
    assert segments.GetNumberOfSegments() == 4
    assert part_ids(segment[0]) == parted
    assert part_of(segments.GetSegment(segment[1])) == ""
    colours = set()
    for number, name in enumerate(PARTS, 1):
        np.testing.assert_array_equal(read(segment, parted, volume_node, name), number == NUMBERS)
        one = segments.GetSegment(parted[name])
        assert one.GetName() == name
        colours.add(tuple(one.GetColor()))
    assert len(colours) == 3
    np.testing.assert_array_equal(mask.read(BOX), np.isin(NUMBERS, (1, 2)))


def test_parts_that_are_made_again_take_the_place_of_the_first(segment, volume_node, parted):
    swapped = FoundParts(PARTS, BOX, np.choose(NUMBERS, (0, 2, 1, 0)).astype(np.uint8))
    assert put_parts(segment[0], volume_node, swapped) == parted
    np.testing.assert_array_equal(read(segment, parted, volume_node, "extrameatal"), NUMBERS == 1)
    assert not read(segment, parted, volume_node, "cochlea").any()


def test_no_part_is_written_over_where_one_of_them_cannot_be(segment, volume_node, parted):
    """Another tool has resampled the last one."""
    image = slicer.vtkOrientedImageData()
    image.SetDimensions(4, 4, 4)
    image.SetSpacing(0.7, 0.7, 0.7)
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR, 1)
    image.GetPointData().GetScalars().Fill(1)
    segments = segment[0].GetSegmentation()
    segments.GetSegment(parted["cochlea"]).AddRepresentation("Binary labelmap", image)
    nothing = FoundParts(PARTS, BOX, np.zeros_like(NUMBERS))
    with pytest.raises(ImageError, match="voxels of the segmentation are not those of the volume"):
        put_parts(segment[0], volume_node, nothing)
    np.testing.assert_array_equal(read(segment, parted, volume_node, "intrameatal"), NUMBERS == 1)


def test_surfaces_that_3d_views_show_are_those_of_the_new_parts_and_the_tumour(segment, volume_node, mask):
    mask.write(BOX, np.isin(NUMBERS, (1, 2)))
    refresh_surface(segment[0])
    put_parts(segment[0], volume_node, FOUND)
    segments = segment[0].GetSegmentation()
    shown = [segments.GetSegment(one).GetRepresentation("Closed surface") for one in segments.GetSegmentIDs()]
    assert [surface is not None and surface.GetNumberOfPoints() > 0 for surface in shown] == [True] * 4


def test_parts_exclude_each_other_and_the_tumour_the_cochlea_alone(segment, volume_node, parted):
    stranger = segment[0].GetSegmentation().AddEmptySegment("", "somebody's")
    SegmentMask(segment[0], stranger, volume_node).write(BOX, np.ones(BOX.shape, bool))

    def others(segment_id):
        return OtherParts((segment[0], segment_id), volume_node).read(BOX)

    np.testing.assert_array_equal(others(parted["intrameatal"]), np.isin(NUMBERS, (2, 3)))
    np.testing.assert_array_equal(others(parted["cochlea"]), np.isin(NUMBERS, (1, 2)))
    np.testing.assert_array_equal(others(segment[1]), NUMBERS == 3)
    np.testing.assert_array_equal(others(stranger), NUMBERS == 3)


@pytest.mark.parametrize("name", ["intrameatal", "cochlea"])
def test_clicks_on_one_part_take_no_voxel_of_another(segment, volume_node, parted, name):
    """The network says that everything is one."""
    everything = Oracle(np.ones((8, 12, 16), bool))
    before = {part: read(segment, parted, volume_node, part) for part in PARTS}
    told = []
    correction = correct_segment(
        (volume_node, None), (segment[0], parted[name]), everything, on_error=told.append
    )
    mask = SegmentMask(segment[0], parted[name], volume_node)
    box = mask.extent()
    free = mask.grid.index_to_ras(np.array(box.start) - (1, 1, 0))
    correction.place(Click(tuple(free), INCLUDE))
    correction.place(Click(tuple(mask.grid.index_to_ras(box.start)), ClickKind.BOUNDARY))
    assert not told
    assert mask.read(BOX).sum() > before[name].sum() or mask.extent() != box
    for part in set(PARTS) - {name}:
        np.testing.assert_array_equal(read(segment, parted, volume_node, part), before[part])
        assert not (mask.read(BOX) & before[part]).any()
    # On the other's own voxel it is asked to be excluded there first.
    taken = np.argwhere(before["extrameatal"])[0] + BOX.start
    assert correction.place(Click(tuple(mask.grid.index_to_ras(taken)), INCLUDE)) is None
    assert "another class's segment" in str(told[0])
    correction.close()


def test_parts_are_told_after_the_scene_was_saved(headless, segment, volume_node, parted, tmp_path):
    path = tmp_path / "tumour.seg.nrrd"
    storage = headless.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
    segment[0].AddAndObserveStorageNodeID(storage.GetID())
    storage.SetFileName(str(path))
    assert storage.WriteData(segment[0])
    again = headless.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    storage.ReadData(again)
    assert list(part_ids(again)) == list(parted)


@pytest.fixture
def copied(scene, segment):
    """Copy a segment into another segmentation and back, as the module Segmentations does."""

    def copy(segment_id):
        segments = segment[0].GetSegmentation()
        beside = scene.AddNewNodeByClass("vtkMRMLSegmentationNode").GetSegmentation()
        before = set(segments.GetSegmentIDs())
        assert beside.CopySegmentFromSegmentation(segments, segment_id, False)
        assert segments.CopySegmentFromSegmentation(beside, segment_id, False)
        return (set(segments.GetSegmentIDs()) - before).pop()

    return copy


@pytest.mark.parametrize("name", PARTS)
def test_a_copy_of_a_part_that_somebody_keeps_does_not_take_its_place(
    segment, volume_node, parted, copied, name
):
    before = read(segment, parted, volume_node, name)
    kept = copied(parted[name])
    assert part_ids(segment[0]) == parted
    nothing = FoundParts(PARTS, BOX, np.zeros_like(NUMBERS))
    put_parts(segment[0], volume_node, nothing)
    assert not read(segment, parted, volume_node, name).any()
    np.testing.assert_array_equal(read(segment, {name: kept}, volume_node, name), before)


def test_copies_of_a_part_leave_it_its_voxels(segment, volume_node, parted, copied):
    kept = copied(parted["extrameatal"])
    for one in (parted["extrameatal"], kept):
        others = OtherParts((segment[0], one), volume_node).read(BOX)
        np.testing.assert_array_equal(others, np.isin(NUMBERS, (1, 3)))
