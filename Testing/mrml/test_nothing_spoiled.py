"""A correction in a scene, under any rigid transforms: it does what a session on an array does.

Around it a hand does what Slicer lets it do: it paints this segment and others, merges and crops layers, and
deletes points. Other segments keep every voxel.
"""

from functools import reduce

import hypothesis.strategies as st
import numpy as np
import pytest
from any_grid import grids
from example_counts import examples
from hypothesis import given
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scipy.spatial.transform import Rotation
from session_doubles import BlockCorrector, boxes_in, case_on, clicks_in, lacks_border, masks_on
from slicer_hand import collapse_layers, crop_to_content, linear, paint
from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectApp.reading.saved_scenes import load_scene
from VSClickCorrectLib.clicks.click import Click
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import MERGES
from VSClickCorrectLib.errors import CorrectionError
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.mrml.begin_correction import correct_segment
from VSClickCorrectLib.mrml.click_nodes import ClickNodes
from VSClickCorrectLib.mrml.persistence import save_scene, stored_journal
from VSClickCorrectLib.mrml.segment_mask import SegmentMask, add_segmentation
from VSClickCorrectLib.mrml.volumes import add_volume, grid_of
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import restored

SMALL = grids(sides=st.integers(1, 9))
MERGE = st.sampled_from(tuple(MERGES))


@st.composite
def rigid_matrices(draw):
    """Rotations by any angles, with a shift of up to 100 mm."""
    matrix = np.eye(4)
    angles = [draw(st.integers(-180, 180)) for _ in range(3)]
    matrix[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, 3] = [draw(st.floats(-100, 100)) for _ in range(3)]
    return matrix


class Bench:
    """A volume and a segmentation of three segments, of which the first is to be corrected."""

    def __init__(self, grid, masks, matrices):
        self.headless = HeadlessScene()
        scene = self.headless.scene
        self.volume = add_volume(scene, Volume(np.zeros(grid.shape, np.int16), grid), "T1ce")
        for matrix in matrices:
            above = linear(scene, matrix)
            above.SetAndObserveTransformNodeID(self.volume.GetTransformNodeID())
            self.volume.SetAndObserveTransformNodeID(above.GetID())
        self.node, first = add_segmentation(scene, self.volume, "tumour")
        others = [self.node.GetSegmentation().AddEmptySegment("", name) for name in ("cochlea", "meningioma")]
        self.ids = [first, *others]
        for segment_id, mask in zip(self.ids, masks, strict=True):
            self.mask(segment_id).fill(mask)

    def mask(self, segment_id):
        return SegmentMask(self.node, segment_id, self.volume)

    def values(self, segment_id):
        mask = self.mask(segment_id)
        return mask.read(mask.grid.box)


class HandsOn(RuleBasedStateMachine):
    """A scene correction beside a session on an array; whatever the hand does is done to the array, too."""

    @initialize(data=st.data(), grid=SMALL, matrices=st.lists(rigid_matrices(), max_size=2), merge=MERGE)
    def begin(self, data, grid, matrices, merge):
        masks = [data.draw(masks_on(grid)) for _ in range(3)]
        apart = data.draw(st.booleans())
        if apart:
            masks = [mask & (np.indices(grid.shape).sum(axis=0) % 3 == n) for n, mask in enumerate(masks)]
        self.bench = Bench(grid, masks, matrices)
        if apart:
            collapse_layers(self.bench.node)
        self.grid = grid_of(self.bench.volume)
        np.testing.assert_allclose(self.grid.affine, reduce(np.matmul, [*matrices, grid.affine]), atol=1e-9)
        self.first, *self.others = masks
        self.corrector = BlockCorrector(data.draw(masks_on(grid)), (1, 3, 3))
        self.mask = ArrayMask(self.grid, self.first)
        self.errors, self.waiting = [], []
        self.open(merge, Journal())

    def open(self, merge, journal):
        self.twin = CorrectionSession(case_on(self.grid), self.mask, self.corrector, None, merge, journal)
        self.correction = correct_segment(
            (self.bench.volume, None),
            (self.bench.node, self.bench.ids[0]),
            self.corrector,
            merge=merge,
            on_error=self.errors.append,
        )

    @rule(data=st.data())
    def place(self, data):
        again = st.sampled_from(self.twin.clicks) if self.twin.clicks else st.nothing()
        click = data.draw(clicks_in(self.grid) | again)
        if lacks_border(self.grid, self.mask.values, click):
            assert self.correction.place(click) is None
            assert "no border of the mask" in str(self.errors.pop())
            return
        edit = self.correction.place(click)
        assert (edit is None) == self.correction.mode.collecting
        if edit is None:
            self.waiting.append(click)
        else:
            assert edit.change == self.twin.apply(click).change

    @rule(beyond=st.floats(0.6, 50), axis=st.integers(0, 2))
    def place_outside(self, beyond, axis):
        ijk = np.zeros(3)
        ijk[axis] = -beyond
        assert self.correction.place(Click(tuple(map(float, self.grid.ijk_to_ras(ijk))))) is None
        assert isinstance(self.errors.pop(), CorrectionError)

    @rule(collecting=st.booleans())
    def collect(self, collecting):
        self.correction.mode.collecting = collecting

    @precondition(lambda self: self.waiting)
    @rule()
    def apply_collected(self):
        if any(lacks_border(self.grid, self.mask.values, click) for click in self.waiting):
            with pytest.raises(CorrectionError, match="no border of the mask"):
                self.correction.apply_collected()
            return
        assert self.correction.apply_collected().change == self.twin.apply_together(self.waiting).change
        self.waiting = []

    @precondition(lambda self: self.correction.rows)
    @rule(data=st.data())
    def remove_a_row(self, data):
        number = data.draw(st.integers(1, len(self.correction.rows)))
        standing = self.twin.standing
        self.correction.remove(number)
        if number > len(standing):
            del self.waiting[number - len(standing) - 1]
        else:
            self.twin.remove(standing[number - 1])

    @precondition(lambda self: self.twin.standing)
    @rule(data=st.data())
    def delete_a_point_in_the_view(self, data):
        chosen = data.draw(st.sampled_from(self.twin.standing))
        points = ClickNodes(self.bench.node)
        # Of two at one place either may be the chosen one.
        marker = next(m for m, click in points.markers().items() if click == chosen.click and self._stands(m))
        node = points.find(marker.kind)
        node.RemoveNthControlPoint(node.GetNthControlPointIndexByID(marker.point_id))
        left = {standing.number for standing in self.correction.session.standing}
        (gone,) = [standing for standing in self.twin.standing if standing.number not in left]
        assert gone.click == chosen.click
        self.twin.remove(gone)

    def _stands(self, marker):
        waiting = ClickNodes(self.bench.node).labelled(f"waiting {self.bench.ids[0]}")
        return marker not in waiting

    @precondition(lambda self: self.twin.history.done)
    @rule()
    def undo(self):
        assert self.correction.undo().numbers == self.twin.undo().numbers

    @precondition(lambda self: self.twin.history.undone)
    @rule()
    def redo(self):
        assert self.correction.redo().numbers == self.twin.redo().numbers

    @rule()
    def next_round(self):
        assert self.correction.next_round() == self.twin.next_round()

    @rule(merge=MERGE)
    def close_and_correct_on_with_another_merge(self, merge):
        self.correction.close()
        self.open(merge, Journal(text=self.twin.journal.text))
        assert self.correction.pending == self.waiting

    @rule(data=st.data(), value=st.booleans())
    def paint(self, data, value):
        box = data.draw(boxes_in(self.grid.shape))
        paint(self.bench.node, self.bench.ids[0], self.bench.volume, box, value)
        self.mask.write(box, np.full(box.shape, value))

    @rule(data=st.data(), value=st.booleans(), which=st.integers(0, 1))
    def paint_another_segment(self, data, value, which):
        box = data.draw(boxes_in(self.grid.shape))
        paint(self.bench.node, self.bench.ids[1 + which], self.bench.volume, box, value)
        self.others[which][box.slices] = value

    @rule()
    def collapse_layers(self):
        collapse_layers(self.bench.node)

    @rule(which=st.integers(0, 2))
    def crop_to_content(self, which):
        crop_to_content(self.bench.node, self.bench.ids[which])

    @invariant()
    def the_segment_is_what_the_array_is_and_others_are_what_the_hand_made_of_them(self):
        segment_id, *others = self.bench.ids
        np.testing.assert_array_equal(self.bench.values(segment_id), self.mask.values)
        for other, expected in zip(others, self.others, strict=True):
            np.testing.assert_array_equal(self.bench.values(other), expected)

    @invariant()
    def the_points_are_the_clicks_that_stand_and_wait(self):
        shown = sorted(ClickNodes(self.bench.node).markers().values(), key=str)
        assert shown == sorted([*self.twin.clicks, *self.waiting], key=str)
        assert not self.errors

    def teardown(self):
        if hasattr(self, "correction"):
            self.correction.close()
            events = Journal(text=stored_journal(self.bench.node, self.bench.ids[0])).events
            np.testing.assert_array_equal(restored(events, self.grid), self.mask.values)
            self.bench.headless.close()


TestHandsOn = HandsOn.TestCase
TestHandsOn.settings = examples(0.4, stateful_step_count=20)


@examples(0.1)
@given(data=st.data(), grid=grids(sides=st.integers(2, 6)), matrices=st.lists(rigid_matrices(), max_size=2))
def test_saved_scene_comes_back_whole_and_can_be_undone_to_the_start(data, grid, matrices, tmp_path):
    masks = [data.draw(masks_on(grid)) for _ in range(3)]
    bench, corrector = Bench(grid, masks, matrices), BlockCorrector(data.draw(masks_on(grid)))
    world, segments = grid_of(bench.volume), (bench.node, bench.ids[0])
    correction = correct_segment((bench.volume, None), segments, corrector)
    for click in data.draw(st.lists(clicks_in(world), min_size=1, max_size=4)):
        if not lacks_border(world, bench.values(bench.ids[0]), click):
            correction.place(click)
    kept = [bench.values(segment_id) for segment_id in bench.ids]
    clicks, journal = correction.session.clicks, stored_journal(*segments)
    correction.close()
    save_scene(bench.headless.scene, tmp_path / "scene.mrb")
    bench.headless.close()
    with load_scene(tmp_path / "scene.mrb") as loaded:
        bench.node = loaded.scene.GetFirstNodeByName("tumour")
        bench.volume = loaded.scene.GetFirstNodeByName("T1ce")
        assert world.matches(grid_of(bench.volume), 1e-4)
        np.testing.assert_array_equal([bench.values(segment_id) for segment_id in bench.ids], kept)
        assert stored_journal(bench.node, bench.ids[0]) == journal
        again = correct_segment((bench.volume, None), (bench.node, bench.ids[0]), corrector)
        assert again.session.clicks == clicks
        while again.next_undo:
            again.undo()
        np.testing.assert_array_equal([bench.values(segment_id) for segment_id in bench.ids], masks)
        again.close()
