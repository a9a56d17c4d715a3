"""Parting the tumour in a window: segments beside it, measurements, and the part that clicks are on."""

import shutil

import numpy as np
import pytest
from any_grid import all_ras
from handmade_models import read_manifest, write_manifest
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.inference.parts import FoundParts
from VSClickCorrectLib.measure.tumour_parts import PARTS
from VSClickCorrectLib.mrml.part_segments import part_ids
from VSClickCorrectLib.mrml.segment_mask import SegmentMask
from VSClickCorrectLib.workflow.opened_case import JournalPlace

OTHERS = "Other parts take the place of those that were corrected or painted: {}. Go on?"
LOADING = "VSClickCorrectLib.inference.parts.PartsSegmenter.load"


class Halving:
    """Parts a mask at its middle from left to right; the cochlea is a block beside it."""

    def find(self, case, mask):
        box = mask.extent()
        values = mask.read(box)
        right = all_ras(case.grid)[box.slices][..., 0]
        numbers = np.where(values, np.where(right > np.median(right), 1, 2), 0).astype(np.uint8)
        wide = Box(box.start, (box.stop[0], box.stop[1], box.stop[2] + 4))
        whole = np.zeros(wide.shape, np.uint8)
        whole[:, :, : box.shape[2]] = numbers
        whole[:2, :2, -2:] = 3
        return FoundParts(PARTS, wide, whole)


@pytest.fixture
def parting(monkeypatch):
    loaded = []

    def load(models, device):
        loaded.append(models.folder)
        return Halving()

    monkeypatch.setattr(LOADING, load)
    return loaded


@pytest.fixture
def parted(flow, host, begun, parting):
    host.run(flow.parts.make())
    host.pass_time()
    return flow.parts


def test_parts_are_made_beside_the_tumour_and_measured(parted, begun, parting, start, host):
    assert parted.names == ["tumour", *PARTS]
    assert parted.chosen == "tumour"
    assert any("A network parted the tumour" in sentence for sentence in host.said)
    np.testing.assert_array_equal(begun.values(), start)
    total = parted.measured.intrameatal_mm3 + parted.measured.extrameatal_mm3
    assert total == pytest.approx(begun.session.case.grid.volume_of(start))
    assert "Largest extrameatal axial diameter: " in parted.as_text()
    assert len(parting) == 1


def test_parts_of_a_tumour_that_was_changed_since_say_so(parted, begun, host, start):
    assert "Note:" not in parted.as_text()
    before = parted.measured
    from VSClickCorrectLib.clicks.click import Click, ClickKind

    inside = np.argwhere(start)[0]
    edit = begun.correction.place(
        Click(tuple(begun.session.case.grid.index_to_ras(inside)), ClickKind.EXCLUDE)
    )
    changed = sum(edit.change.count)
    host.pass_time()
    assert (parted.measured.intrameatal_mm3, parted.measured.extrameatal_mm3) == (
        before.intrameatal_mm3,
        before.extrameatal_mm3,
    )
    note = f"Note: tumour and parts differ in {changed} voxels; make the parts anew, or correct them."
    assert parted.as_text().split("\n")[-1] == note
    begun.correction.undo()
    host.pass_time()
    assert "Note:" not in parted.as_text()


def test_a_part_is_corrected_by_clicks_and_measured_anew(parted, flow, host, begun, start, small):
    before = parted.measured
    tumour = begun.segment
    host.run(parted.correct("intrameatal"))
    assert parted.chosen == "intrameatal"
    assert begun.values().sum() * begun.session.case.grid.voxel_volume == pytest.approx(
        before.intrameatal_mm3
    )
    inside = np.argwhere(begun.values())[0]
    from VSClickCorrectLib.clicks.click import Click, ClickKind

    begun.correction.place(Click(tuple(begun.session.case.grid.index_to_ras(inside)), ClickKind.EXCLUDE))
    host.pass_time()
    assert parted.measured.intrameatal_mm3 < before.intrameatal_mm3
    assert parted.measured.extrameatal_mm3 == before.extrameatal_mm3
    host.run(parted.correct("tumour"))
    assert begun.segment == tumour
    np.testing.assert_array_equal(begun.values(), start)


def test_corrected_parts_go_only_if_that_is_confirmed(parted, flow, host, begun):
    host.run(parted.correct("cochlea"))
    host.run(parted.make())
    assert "a part is being corrected; choose the tumour" in host.status.lower()
    inside = np.argwhere(begun.values())[0]
    from VSClickCorrectLib.clicks.click import Click, ClickKind

    begun.correction.place(Click(tuple(begun.session.case.grid.index_to_ras(inside)), ClickKind.EXCLUDE))
    corrected = begun.values()
    host.run(parted.correct("tumour"))
    host.answers = [False]
    host.run(parted.make())
    assert host.questions == [OTHERS.format("cochlea")]
    host.run(parted.correct("cochlea"))
    np.testing.assert_array_equal(begun.values(), corrected)
    host.run(parted.correct("tumour"))
    host.answers = [True]
    host.run(parted.make())
    host.run(parted.correct("cochlea"))
    assert begun.values().sum() > corrected.sum()
    assert not begun.session.history.done


def test_painted_parts_go_only_if_that_is_confirmed(parted, flow, host, begun):
    def make():
        host.questions.clear()
        host.run(parted.make())
        return list(host.questions)

    assert make() == []
    segmentation, volume = begun.segment[0], begun.reference
    part = SegmentMask(segmentation, part_ids(segmentation)["extrameatal"], volume)
    box = part.extent()
    found = part.read(box)
    part.write(box, np.zeros(box.shape, bool))
    host.answers = [False]
    assert make() == [OTHERS.format("extrameatal")]
    assert part.extent() is None
    host.answers = [True]
    assert make() == [OTHERS.format("extrameatal")]
    anew = SegmentMask(segmentation, part_ids(segmentation)["extrameatal"], volume)
    np.testing.assert_array_equal(anew.read(box), found)
    assert make() == []


@pytest.mark.parametrize("how", ["fails", "overtaken", "moved"])
def test_corrected_parts_stay_where_no_others_are_found(parted, host, begun, monkeypatch, how):
    from VSClickCorrectLib.clicks.click import Click, ClickKind

    host.run(parted.correct("cochlea"))
    inside = np.argwhere(begun.values())[0]
    begun.correction.place(Click(tuple(begun.session.case.grid.index_to_ras(inside)), ClickKind.EXCLUDE))
    corrected = begun.values()
    host.run(parted.correct("tumour"))
    tumour = begun.segment

    def find(self, case, mask):
        if how == "fails":
            raise ModelError("there is no memory left.")
        if how == "overtaken":
            begun.choose_segment(*tumour)
        else:
            begun.reference.SetSpacing(2.0, 2.0, 2.0)
        return found(self, case, mask)

    found, spacing = Halving.find, begun.reference.GetSpacing()
    monkeypatch.setattr(Halving, "find", find)
    host.answers = [True]
    host.run(parted.make())
    begun.reference.SetSpacing(spacing)
    host.run(parted.correct("cochlea"))
    np.testing.assert_array_equal(begun.values(), corrected)
    assert len(begun.session.history.done) == 1


def test_without_a_tumour_a_model_or_parts_it_is_said(flow, host, begun, monkeypatch):
    def load(models, device):
        raise ModelError("there is no parts model.")

    monkeypatch.setattr(LOADING, load)
    host.run(flow.parts.make())
    assert "no parts model" in host.status
    assert flow.parts.names == []
    host.run(flow.parts.correct("cochlea"))
    assert "make the parts first" in host.status
    begun.stop()
    host.run(flow.parts.make())
    assert "no segment is being corrected" in host.status.lower()


def test_in_a_worklist_the_tumour_alone_is_corrected(parted, host, begun, tmp_path):
    begun.journal = JournalPlace(tmp_path / "journal.jsonl")
    host.run(parted.correct("cochlea"))
    assert "in a worklist the tumour alone is corrected" in host.status.lower()
    assert parted.chosen == "tumour"


def test_parts_go_with_their_case(parted, begun, host):
    begun.close()
    host.pass_time()
    assert (parted.names, parted.measured, parted.as_text()) == ([], None, "")


def test_parts_are_offered_where_the_models_have_a_network_for_them(flow, shipped_models, tmp_path):
    assert flow.parts.offered
    folder = shutil.copytree(shipped_models, tmp_path / "models")
    others = [entry for entry in read_manifest(folder) if entry["role"] != "parts"]
    write_manifest(folder, others)
    flow.networks.choice = Choice(str(folder))
    assert not flow.parts.offered
    folder = shutil.copytree(folder, tmp_path / "more")
    entry = {"role": "parts", "classes": ["a"], "channels": ["mask"], "network": "unet3d", "sha256": "0" * 64}
    entry |= {"name": "mine", "file": "mine", "geometry": {"spacing": [1, 1, 1], "shape": [8, 8, 8]}}
    write_manifest(folder, [*others, entry])
    flow.networks.choice = Choice(str(folder))
    assert flow.parts.offered
    flow.networks.choice = Choice(str(tmp_path))
    assert not flow.parts.offered


def test_parts_are_measured_on_without_the_tumour_s_own_segment(parted, flow, begun, host):
    segmentation, tumour_id = begun.segment
    host.run(parted.correct(PARTS[0]))
    segmentation.GetSegmentation().RemoveSegment(tumour_id)
    said = len(host.said)
    begun.collecting = True
    host.pass_time(turns=2)
    assert parted.measured is not None
    assert host.said[said:] == []
