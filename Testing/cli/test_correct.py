"""``vsclick correct``."""

import json

import numpy as np
import pytest
import SimpleITK as sitk
from bright_ball import (
    AXIAL,
    CENTER,
    RADIUS_MM,
    SHAPE,
    ball,
    ball_volume,
    dice,
    read_image,
    world,
    write_image,
    write_points,
)
from bright_ball import GRID as BALL_GRID
from handmade_models import bright_corrector, read_manifest, write_manifest, write_weights

R, A, S = CENTER
NEAR = 0.93


@pytest.fixture
def correct(vsclick, files, tmp_path):
    """Correct the half ball; returns the corrected mask."""

    def run(
        *more, clicks=files.clicks, mask=files.mask, sequences=("t1ce", "t2"), output="out.nii.gz", **options
    ):
        if mask != tmp_path / output:
            more = (*more, "--force")
        images = [word for name in sequences for word in (f"--{name}", getattr(files, name))]
        path = tmp_path / output
        words = [*images, "--mask", mask, "--clicks", clicks, "--output", path, *more]
        assert vsclick("correct", *words, **options) == 0
        return read_image(path) != 0

    return run


@pytest.fixture
def inputs(files):
    """The options of a right command, less the output, to be overridden by later ones."""
    return ["correct", "--t1ce", files.t1ce, "--mask", files.mask, "--clicks", files.clicks, "--force"]


def points_file(tmp_path, *points, **options):
    return write_points(tmp_path / "points.mrk.json", points, **options)


def test_clicks_on_the_border_bring_the_missing_half_back(correct, files, capsys):
    mask = correct()
    assert dice(files.half, ball()) < 0.75
    assert dice(mask, ball()) > NEAR
    added = np.count_nonzero(mask & ~files.half)
    removed = np.count_nonzero(files.half & ~mask)
    assert f"3 clicks: {added} voxels added, {removed} removed" in capsys.readouterr().out


def test_clicks_in_ras_and_in_lps_give_the_same_mask(correct, files, tmp_path):
    lps = correct()
    document = json.loads(files.clicks.read_text())
    assert document["markups"][0]["coordinateSystem"] == "LPS"
    ras = correct(clicks=write_points(tmp_path / "ras.mrk.json", files.border, system="RAS"))
    assert np.array_equal(lps, ras)
    assert not np.array_equal(lps, files.half)


def test_corrected_mask_lies_on_the_images_grid(correct, files, tmp_path):
    correct()
    written, image = (sitk.ReadImage(str(p)) for p in (tmp_path / "out.nii.gz", files.t1ce))
    assert written.GetSize() == image.GetSize()
    assert np.allclose(written.GetOrigin(), image.GetOrigin(), atol=1e-3)
    assert np.allclose(written.GetDirection(), image.GetDirection(), atol=1e-5)


def test_initial_mask_corrected_and_corrected_again_is_the_same_work_in_two_rounds(
    vsclick, files, tmp_path, correct
):
    first = tmp_path / "first.seg.nrrd"
    assert vsclick("segment", "--t1ce", files.t1ce, "--t2", files.t2, "--output", first) == 0
    second = correct(mask=first, output="second.seg.nrrd")
    third = correct(mask=tmp_path / "second.seg.nrrd", output="third.nii.gz")
    assert dice(second, ball()) > NEAR
    assert dice(third, ball()) > NEAR


def test_mask_may_be_corrected_in_its_own_file(correct, files, tmp_path):
    own = tmp_path / "out.nii.gz"
    own.write_bytes(files.mask.read_bytes())
    assert dice(correct(mask=own), ball()) > NEAR


def test_another_file_is_replaced_by_force_alone(vsclick, refused, inputs, older, tmp_path):
    *words, force = inputs
    said = refused(*words, "--output", older, "--journal", tmp_path / "journal.jsonl")
    assert said == f"vsclick: {older} is there already; name another, or replace it with --force.\n"
    assert vsclick(*words, "--output", older, force) == 0
    assert dice(read_image(older) != 0, ball()) > NEAR


@pytest.mark.parametrize("sequences", [("t1ce",), ("t2",)])
def test_one_sequence_is_enough(correct, sequences):
    assert dice(correct(sequences=sequences), ball()) > NEAR


def test_seg_nrrd_is_a_segmentation_to_slicer(correct, tmp_path):
    correct(output="out.seg.nrrd")
    image = sitk.ReadImage(str(tmp_path / "out.seg.nrrd"))
    assert image.GetMetaData("Segment0_Name") == "tumour"
    assert list(tmp_path.iterdir()) == [tmp_path / "out.seg.nrrd"]


def test_journal_tells_what_was_clicked_and_what_it_did(correct, files, tmp_path, bright_models):
    mask = correct("--journal", tmp_path / "journal.jsonl", "--merge", "blend")
    text = (tmp_path / "journal.jsonl").read_text(encoding="utf-8")
    assert text.endswith("\n")
    session, edit = map(json.loads, text.splitlines())
    sha256 = next(e["sha256"] for e in read_manifest(bright_models) if e["role"] == "corrector")
    for event in (session, edit):
        assert event["model"] == f"mend@{sha256[:12]}"
        assert event["merge"] == "blend"
    assert session["event"] == "session"
    assert session["grid"]["shape"] == list(SHAPE)
    assert np.allclose(session["grid"]["ijk_to_ras"], AXIAL, atol=1e-4)
    assert (edit["event"], edit["round"]) == ("edit", 1)
    assert [click["kind"] for click in edit["clicks"]] == ["boundary"] * 3
    assert np.allclose([click["ras"] for click in edit["clicks"]], [point[:3] for point in files.border])
    assert edit["voxels_added"] == np.count_nonzero(mask & ~files.half)
    assert edit["voxels_removed"] == np.count_nonzero(files.half & ~mask)
    assert edit["milliseconds"] > 0


def test_kinds_of_clicks_are_read_from_the_descriptions(correct, tmp_path):
    inside, outside = (R + 5, A, S), (R - 5, A, S)
    clicks = points_file(tmp_path, (*inside, "Include"), (*outside, " exclude "))
    mask = correct("--journal", tmp_path / "journal.jsonl", clicks=clicks)
    assert mask[BALL_GRID.ras_to_index(inside)]
    assert not mask[BALL_GRID.ras_to_index(outside)]
    edit = json.loads((tmp_path / "journal.jsonl").read_text().splitlines()[-1])
    assert [click["kind"] for click in edit["clicks"]] == ["include", "exclude"]


def test_exclude_click_removes_an_island_apart_from_the_tumour(correct, files, tmp_path):
    spoiled = ball()
    spoiled[2:5, 10:14, 10:14] = True
    mask = write_image(tmp_path / "island.nii.gz", spoiled.astype(np.uint8))
    clicks = points_file(tmp_path, (*world(BALL_GRID)[3, 11, 11], "exclude"))
    assert np.array_equal(correct(mask=mask, clicks=clicks), ball())


def test_include_click_far_from_an_empty_mask_starts_the_tumour_there(correct, tmp_path):
    empty = write_image(tmp_path / "empty.nii.gz", np.zeros(SHAPE, np.uint8))
    mask = correct(mask=empty, clicks=points_file(tmp_path, (R, A, S, "include")))
    assert dice(mask, ball()) > NEAR


def test_merges_differ_as_they_are_described(correct, files, tmp_path):
    # Wrong far from the click, but within its cut: what does not belong to the click stays, unless replaced.
    # Two millimetres more of the ball, so that its border is no more than six from the mask's.
    spoiled = files.half | np.roll(files.half, -3, axis=2) & ball()
    spoiled[12, 42:46, 30:34] = True
    wrong = spoiled & ~ball()
    assert wrong.sum() == 16
    mask = write_image(tmp_path / "wrong.nii.gz", spoiled.astype(np.uint8))
    clicks = points_file(tmp_path, (R + RADIUS_MM, A, S, "boundary"))
    merged = {
        name: correct("--merge", name, mask=mask, clicks=clicks)
        for name in ("progressive", "blend", "replace")
    }
    touched = {name: np.count_nonzero(wrong & ~m) for name, m in merged.items()}
    assert touched["replace"] == touched["blend"] == wrong.sum()
    assert touched["progressive"] == 0
    for mask in merged.values():
        assert np.count_nonzero(mask & ball()) > np.count_nonzero(spoiled & ball())
    assert np.array_equal(merged["progressive"], correct(mask=tmp_path / "wrong.nii.gz", clicks=clicks))


def test_corrector_is_the_first_or_the_one_named(correct, refused, inputs, own_models, tmp_path):
    entries = read_manifest(own_models)
    blind = write_weights(own_models, "blind", bright_corrector(2.0))
    write_manifest(own_models, [*entries, entries[-1] | blind])
    first, named = (correct(*more, models=own_models) for more in ([], ["--corrector", "blind"]))
    assert first.sum() > named.sum()
    error = refused(*inputs, "--corrector", "other", "--output", tmp_path / "none.nii.gz", models=own_models)
    assert "no model 'other' of role corrector" in error


def test_label_chooses_the_tumour_among_several(correct, files, tmp_path):
    labels = files.half.astype(np.uint8) * 3
    labels[2:5, 10:14, 10:14] = 1
    several = write_image(tmp_path / "labels.nii.gz", labels)
    assert np.array_equal(correct("--label", 3, mask=several), correct())


def test_several_labels_without_a_choice_are_refused(refused, inputs, files, tmp_path, older):
    labels = files.half.astype(np.uint8) * 3
    labels[2:5, 10:14, 10:14] = 1
    several = write_image(tmp_path / "labels.nii.gz", labels)
    message = refused(*inputs, "--mask", several, "--output", older)
    assert "1, 3" in message
    assert "--label" in message
    assert "2" in refused(*inputs, "--mask", several, "--output", older, "--label", 2)


def test_click_outside_the_image_is_refused_and_not_written_down(refused, inputs, tmp_path, older):
    clicks = points_file(tmp_path, (R, A, S, ""), (R, A, 99.5, ""))
    journal = tmp_path / "journal.jsonl"
    message = refused(*inputs, "--clicks", clicks, "--output", older, "--journal", journal)
    assert "R 60.0, A -25.0, S 99.5 mm lies outside the image" in message
    assert not journal.exists()


def test_clicks_read_with_the_wrong_signs_lie_outside(refused, inputs, files, tmp_path, older):
    document = json.loads(files.clicks.read_text())
    document["markups"][0]["coordinateSystem"] = "RAS"
    (tmp_path / "wrong.mrk.json").write_text(json.dumps(document))
    message = refused(*inputs, "--clicks", tmp_path / "wrong.mrk.json", "--output", older)
    assert "R -53.0, A 25.0" in message


def fiducials(**values):
    point = {"position": [-R, -A, S], "description": "", "positionStatus": "defined"}
    return {"markups": [{"type": "Fiducial", "coordinateSystem": "LPS", "controlPoints": [point]} | values]}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"markups": null}',
        '{"markups": [5]}',
        fiducials(type="Curve"),
        fiducials(controlPoints=[]),
        fiducials(controlPoints=None),
        fiducials(controlPoints=[{"position": [1, 2]}]),
        fiducials(controlPoints=[{"position": ["a", "b", "c"]}]),
        fiducials(controlPoints=[{"position": [float("nan"), 0, 0]}]),
        fiducials(controlPoints=[{"position": None}]),
        fiducials(controlPoints=[{"label": "F-1"}]),
        fiducials(controlPoints=[{"position": [-R, -A, S], "positionStatus": "preview"}]),
        fiducials(controlPoints=[{"position": [-R, -A, S], "description": "maybe"}]),
        fiducials(controlPoints=[{"position": [-R, -A, S], "description": None}]),
        fiducials(coordinateSystem="IJK"),
    ],
    ids=str,
)
def test_malformed_clicks_are_refused(refused, inputs, tmp_path, older, content):
    path = tmp_path / "bad.mrk.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    refused(*inputs, "--clicks", path, "--output", older, "--journal", tmp_path / "journal.jsonl")


def test_clicks_that_are_no_text_or_not_there_are_refused(refused, inputs, tmp_path, older):
    (tmp_path / "bad.mrk.json").write_bytes(b"\xff\xfe\x00\x81")
    refused(*inputs, "--clicks", tmp_path / "bad.mrk.json", "--output", older)
    assert "nowhere" in refused(*inputs, "--clicks", tmp_path / "nowhere.mrk.json", "--output", older)


@pytest.mark.parametrize(
    "shape, step",
    [(SHAPE, (0.3, 0, 0)), (SHAPE, (0, 0, 1.5)), ((24, 64, 65), (0, 0, 0)), ((12, 32, 32), (500.0, 0, 0))],
)
def test_mask_of_another_geometry_is_refused(refused, inputs, tmp_path, older, shape, step):
    affine = AXIAL.copy()
    affine[:3, 3] += step
    values = np.zeros(shape, np.uint8)
    values[:, :10, -10:] = 1
    other = write_image(tmp_path / "other.nii.gz", values, affine)
    message = refused(*inputs, "--mask", other, "--output", older)
    assert "other.nii.gz lies on another grid" in message


def test_mask_of_another_spacing_is_refused(refused, inputs, tmp_path, older):
    affine = AXIAL.copy()
    affine[:2, :2] *= 0.9
    other = write_image(tmp_path / "other.nii.gz", np.ones(SHAPE, np.uint8), affine)
    assert "another grid" in refused(*inputs, "--mask", other, "--output", older)


def test_mask_that_is_no_image_or_not_there_is_refused(refused, inputs, tmp_path, older):
    (tmp_path / "letter.nii.gz").write_text("Dear colleague")
    assert "letter.nii.gz" in refused(*inputs, "--mask", tmp_path / "letter.nii.gz", "--output", older)
    assert "does not exist" in refused(*inputs, "--mask", tmp_path / "nowhere.nii.gz", "--output", older)


def test_journal_that_exists_is_refused_and_left_alone(refused, inputs, tmp_path, older):
    journal = tmp_path / "journal.jsonl"
    journal.write_text('{"event": "session"}\n')
    assert "exists already" in refused(*inputs, "--output", older, "--journal", journal)


def test_journal_in_a_folder_that_does_not_exist_is_refused_before_the_mask_is_written(
    refused, inputs, tmp_path, older
):
    journal = tmp_path / "missing" / "journal.jsonl"
    assert str(journal.parent) in refused(*inputs, "--output", older, "--journal", journal)


def test_journal_with_the_masks_name_is_refused(refused, inputs, tmp_path):
    same = tmp_path / "out.nii.gz"
    refused(*inputs, "--output", same, "--journal", same)


@pytest.mark.parametrize("name", ["folder/../out.nii.gz", "alias/out.nii.gz", "OUT.nii.gz", "./out.nii.gz"])
def test_journal_with_the_masks_name_in_other_words_is_refused(refused, inputs, tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "alias").symlink_to(".")
    told = refused(*inputs, "--output", tmp_path / "out.nii.gz", "--journal", f"{tmp_path}/{name}")
    assert "journal and mask are both called" in told.lower()


def test_full_disk_leaves_neither_mask_nor_journal(refused, inputs, tmp_path, older, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("sitk::ERROR")

    monkeypatch.setattr(sitk, "WriteImage", fail)
    refused(*inputs, "--output", older, "--journal", tmp_path / "journal.jsonl")


@pytest.mark.parametrize("name", ["mask.png", "mask", "missing/mask.nii.gz"])
def test_output_that_cannot_be_written_is_refused(refused, inputs, tmp_path, name):
    refused(*inputs, "--output", tmp_path / name, "--journal", tmp_path / "journal.jsonl")


def test_no_sequence_at_all_is_refused(refused, files, older):
    message = refused("correct", "--mask", files.mask, "--clicks", files.clicks, "--output", older, "--force")
    assert "a T1ce or a T2 volume is needed" in message


def test_fields_of_view_that_do_not_meet_are_refused(refused, inputs, tmp_path, older):
    affine = AXIAL.copy()
    affine[0, 3] += 500
    far = write_image(tmp_path / "far.nii.gz", ball_volume(t2=True).array, affine)
    assert "do not meet" in refused(*inputs, "--t2", far, "--output", older)


@pytest.mark.parametrize("name", ["mend", "first"])
def test_weights_with_a_wrong_hash_are_refused(refused, inputs, own_models, tmp_path, older, name):
    path = own_models / f"{name}.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    message = refused(*inputs, "--output", older, "--journal", tmp_path / "journal.jsonl", models=own_models)
    assert path.name in message
    assert "sha256" in message


def test_a_mask_of_several_labels_is_not_replaced_unasked(vsclick, refused, files, tmp_path):
    both = files.half.astype(np.uint8) * 2
    both[0, 0, 0] = 1
    mask = write_image(tmp_path / "both.nii.gz", both)
    words = ["--t1ce", files.t1ce, "--mask", mask, "--label", 2, "--clicks", files.clicks, "--output", mask]
    assert "both.nii.gz is there already" in refused("correct", *words)
    assert vsclick("correct", *words, "--force") == 0
