"""Which case a saved scene holds: its volumes, the segment that is meant, and the clicks on it."""

import numpy as np
import pytest
import slicer
from VSClickCorrectApp.reading.scene_case import case_in, read_scene_case
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.mrml.persistence import save_scene, store_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.start_segment import keep_start
from VSClickCorrectLib.mrml.volumes import add_volume, grid_of


@pytest.fixture
def add(scene, volume_node):
    """Add a volume of the T1ce's grid, all of one value."""

    def added(name, value):
        grid = grid_of(volume_node)
        return add_volume(scene, Volume(np.full(grid.shape, value, np.int16), grid), name)

    return added


@pytest.fixture
def filled(mask):
    """Voxels of the segment."""
    values = np.zeros(mask.grid.shape, bool)
    values[2:5, 4:8, 3:9] = True
    mask.fill(values)
    return values


def test_a_saved_case_comes_back_whole(scene, volume_node, segment, filled, quarter_turn, add, tmp_path):
    t2 = add("T2", 7)
    for node in (volume_node, segment[0]):
        node.SetAndObserveTransformNodeID(quarter_turn.GetID())
    store_journal(segment[0], '{"one": 1}\n', segment[1])
    save_scene(scene, tmp_path / "case.mrb")
    case = read_scene_case(tmp_path / "case.mrb")
    # By hand: (10 - 0.4 i + 0.3 j, 20 - 0.3 i - 0.4 j, -30 + 1.5 k), then (100 - a, r, s + 5).
    np.testing.assert_allclose(case.t1ce.grid.index_to_ras((2, 0, 10)), (83.0, 6.0, -22.0), atol=1e-4)
    np.testing.assert_array_equal(case.t1ce.array.ravel(), np.arange(case.t1ce.array.size))
    assert case.t2.grid.matches(grid_of(t2)) and (case.t2.array == 7).all()
    np.testing.assert_array_equal(case.mask, filled)
    assert case.journal == '{"one": 1}\n'


def test_a_scene_without_a_segment_gives_its_volumes(scene, volume_node):
    case = case_in(scene)
    assert case.t1ce.grid.matches(grid_of(volume_node))
    assert (case.t2, case.mask, case.journal) == (None, None, "")


def test_what_the_module_had_chosen_counts(scene, volume_node, segment, filled, add):
    add_segmentation(scene, volume_node, "cochlea")
    t1ce, t2 = add("7: axial", 3), add("8: axial", 4)
    chosen = scene.AddNewNodeByClass("vtkMRMLScriptedModuleNode")
    chosen.SetAttribute("ModuleName", "VSClickCorrect")
    for role, node in (("t1ce", t1ce), ("t2", t2), ("segmentation", segment[0])):
        chosen.SetNodeReferenceID(role, node.GetID())
    case = case_in(scene)
    assert (case.t1ce.array == 3).all() and (case.t2.array == 4).all()
    np.testing.assert_array_equal(case.mask, filled)


def test_the_segmentation_with_clicks_is_meant_and_not_its_start(scene, volume_node, segment, filled):
    add_segmentation(scene, volume_node, "of somebody else")
    keep_start(*segment, volume_node)
    store_journal(segment[0], '{"one": 1}\n', segment[1])
    case = case_in(scene)
    np.testing.assert_array_equal(case.mask, filled)
    assert case.journal == '{"one": 1}\n'


def test_of_several_nothing_is_guessed(scene, volume_node, segment):
    add_segmentation(scene, volume_node, "cochlea")
    with pytest.raises(ImageError, match=r"2 segmentations \('tumour', 'cochlea'\)"):
        case_in(scene)


def test_of_several_segments_with_none_clicked_nothing_is_guessed(scene, segment):
    segment[0].GetSegmentation().AddEmptySegment("", "cochlea")
    with pytest.raises(ImageError, match=r"several segments \('tumour', 'cochlea'\)"):
        case_in(scene)


@pytest.mark.parametrize(
    ("names", "t1ce", "t2"),
    [
        (["t2_space", "t1_mprage_post"], "t1_mprage_post", "t2_space"),
        (["T2"], None, "T2"),
        (["anything"], "anything", None),
        (["FLAIR", "T1 native", "T1ce"], "T1ce", None),
        (["T2", "VS_mask"], None, "T2"),
        (["T1", "tumour_seg", "label", "T2"], "T1", "T2"),
    ],
)
def test_volumes_are_known_by_their_names(scene, volume_node, names, t1ce, t2):
    grid = grid_of(volume_node)
    scene.RemoveNode(volume_node)
    values = {name: index + 1 for index, name in enumerate(names)}
    for name, value in values.items():
        add_volume(scene, Volume(np.full(grid.shape, value, np.int16), grid), name)
    case = case_in(scene)
    found = [None if volume is None else volume.array.flat[0] for volume in (case.t1ce, case.t2)]
    assert found == [values.get(t1ce), values.get(t2)]


def test_two_volumes_of_unknown_kind_are_refused(scene, add, volume_node):
    volume_node.SetName("first")
    add("second", 1)
    with pytest.raises(ImageError, match=r"2 volumes that may be the T1ce \('first', 'second'\)"):
        case_in(scene)


def test_a_mask_that_slicer_loaded_as_a_volume_is_no_t1ce(scene, volume_node):
    volume_node.SetName("VS_mask")
    with pytest.raises(ImageError, match="no volume"):
        case_in(scene)


def test_a_scene_without_volumes_is_refused():
    with pytest.raises(ImageError, match="no volume"):
        case_in(slicer.vtkMRMLScene())


def test_a_segment_on_other_voxels_is_refused(scene, volume_node):
    other = add_volume(
        scene, Volume(np.zeros((4, 4, 4), np.int16), Grid((4, 4, 4), np.diag([3, 3, 3, 1.0]))), "x"
    )
    segmentation, segment_id = add_segmentation(scene, other, "tumour")
    SegmentMask(segmentation, segment_id, other).fill(np.ones((4, 4, 4), bool))
    scene.RemoveNode(other)
    with pytest.raises(ImageError, match="not those of the volume"):
        case_in(scene)
