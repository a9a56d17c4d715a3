"""Training on more sequences than T1ce and T2: columns of a list of cases."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch
from bright_ball import AXIAL, GRID, SHAPE, ball, ball_case
from handmade_models import change_entry, vouch_for
from safetensors.numpy import save
from volume_files import written
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.errors import ImageError, ModelError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.inference.device import choose_device
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectResearch.datasets.cases import inputs_of, list_cases
from VSClickCorrectResearch.datasets.labelled import LabelledCase
from VSClickCorrectResearch.training.augmentation import augment
from VSClickCorrectResearch.training.examples import crop_source, slab_source

FOUR = """\
role = "initial"
[network]
name = "unet3d"
in_channels = 4
channels = [2, 3]
[geometry]
spacing = [2.0, 2.0, 2.0]
[examples]
crop = [8, 8, 8]
sequences = ["t1", "flair"]
[loss]
name = "dice"
[course]
batch = 2
steps = 2
val_every = 1
"""
# Every second row and column, at the middle of four voxels.
COARSE = Grid((24, 32, 32), AXIAL @ np.array([[2, 0, 0, 0.5], [0, 2, 0, 0.5], [0, 0, 1, 0], [0, 0, 0, 1.0]]))


@pytest.fixture
def listed(tmp_path):
    """A list of two cases on four sequences; the second has no FLAIR."""
    case, rng = ball_case(), np.random.default_rng(0)
    written(tmp_path / "t1ce.nii.gz", case.t1ce.array, GRID)
    written(tmp_path / "t2.nii.gz", case.t2.array, GRID)
    written(tmp_path / "t1.nii.gz", rng.integers(0, 900, SHAPE).astype(np.int16), GRID)
    written(tmp_path / "flair.nii.gz", np.full(COARSE.shape, 300, np.int16), COARSE)
    written(tmp_path / "label.nii.gz", ball().astype(np.uint8), GRID)
    path = tmp_path / "cases.csv"
    row = "t1ce.nii.gz,t2.nii.gz,label.nii.gz,t1.nii.gz"
    path.write_text(f"case,t1ce,t2,label,t1,flair\na,{row},flair.nii.gz\nb,{row},\n")
    return path


def test_further_columns_are_read_onto_the_grid_of_the_case(listed):
    first, second = list_cases(listed, ("t1", "flair"))
    assert set(first.files) == {"t1ce", "t2", "label", "t1", "flair"}
    assert set(second.files) == {"t1ce", "t2", "label", "t1"}
    assert listed.parent / "flair.nii.gz" in inputs_of(listed, [first])
    one, other = first.load(), second.load()
    assert list(one.more) == list(other.more) == ["t1", "flair"]
    assert one.more["t1"].grid.matches(GRID)
    assert one.more["flair"].array.shape == SHAPE
    assert (one.more["flair"].array[:, 2:-2, 2:-2] == 300).all()
    assert other.more["flair"] is None


def further(case, *arrays):
    return LabelledCase(
        "it", case, ball(), more={str(n): a and Volume(a(), GRID) for n, a in enumerate(arrays)}
    )


def test_channels_are_t1ce_t2_and_the_further_ones_in_order():
    case = ball_case()
    both = further(case, lambda: case.t2.array, None, lambda: case.t1ce.array)
    for channels, target in (
        crop_source(both, (1.5, 1.5, 1.5), 0.0),
        slab_source(both, (16, 32, 32), "min-max"),
    ):
        assert channels.shape == (5, *target.shape[1:])
        assert np.array_equal(channels[2], channels[1])
        assert not channels[3].any()
        assert np.array_equal(channels[4], channels[0])
        assert not np.array_equal(channels[0], channels[1])


def test_every_image_is_recoloured_and_no_mask():
    channels = torch.rand(3, 5, 2, 4, 4) * 0.9 + 0.05
    seen, _ = augment(channels, torch.zeros(3, 1, 2, 4, 4), torch.Generator().manual_seed(1), images=4)
    changed = [
        [
            not any(torch.equal(seen[n, c], same) for same in (channels[n, c], channels[n, c].flip(-1)))
            for c in range(5)
        ]
        for n in range(3)
    ]
    assert changed == [[True] * 4 + [False]] * 3


def command(folder, listed, text=FOUR, *more):
    (folder / "four.toml").write_text(text)
    cases = ["--training", str(listed), "--validation", str(listed)]
    output = ["--output", str(folder / "run"), "--threads", "1", "--device", "cpu"]
    return main(["train", str(folder / "four.toml"), *cases, *output, *more])


def test_network_of_four_sequences_is_trained_from_a_list(listed, tmp_path):
    assert command(tmp_path, listed) == 0
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["experiment"]["examples"]["sequences"] == ["t1", "flair"]
    assert result["result"]["volumes"] == 2


@pytest.mark.parametrize(
    ("change", "more", "sentence"),
    [
        (("in_channels = 4", "in_channels = 3"), (), "cannot be trained: "),
        (
            ('"flair"', '"swi"'),
            (),
            "line 1: the column 'swi' is missing; name its files, or leave them out",
        ),
        (
            ('"flair"', '"mask"'),
            (),
            "number 2 of sequences of examples must be a name in small letters other than",
        ),
        (('"flair"', '"t1"'), (), "sequences of examples must be a list of different names"),
        (
            ('role = "initial"', 'role = "click"'),
            (),
            "for a locator or an initial model; a click sees T1ce and T2",
        ),
        (
            ("", ""),
            ("--release", "four"),
            "learns from t1, flair, which the product does not show a network; train",
        ),
    ],
)
def test_mistakes_are_told_before_anything_is_learnt(listed, tmp_path, capsys, change, more, sentence):
    assert command(tmp_path, listed, FOUR.replace(*change), *more) == 2
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_column_that_is_missing_is_not_taken_for_empty(listed):
    with pytest.raises(ImageError, match="line 1: the column 'swi' is missing"):
        list_cases(listed, ("t1", "flair", "swi"))


def test_cohort_has_no_further_sequences(tmp_path):
    with pytest.raises(
        ImageError, match="is a cohort, whose cases have T1ce and T2 alone; give a CSV list with t1."
    ):
        list_cases(tmp_path, ("t1",))


def test_file_that_is_not_there_or_lies_elsewhere_is_named(listed):
    far = replace(COARSE, affine=AXIAL + np.array([[0, 0, 0, 500], *[[0] * 4] * 3]))
    written(listed.parent / "flair.nii.gz", np.full(COARSE.shape, 300, np.int16), far)
    with pytest.raises(
        ImageError, match=r"case a: the fields of view of .*flair.nii.gz \(flair\) and of the case do"
    ):
        list_cases(listed, ("t1", "flair"))[0].load()
    (listed.parent / "flair.nii.gz").unlink()
    with pytest.raises(ImageError, match=r"line 2, column flair: .*flair.nii.gz does not exist"):
        list_cases(listed, ("t1", "flair"))


def test_product_refuses_a_network_of_other_channels_than_it_shows(own_models):
    from handmade_models import _zeros

    parameters = {"in_channels": 4, "out_channels": 1, "channels": [2, 1]}
    vouch_for(own_models, "first", save(_zeros("unet3d", parameters)))
    change_entry(own_models, "first", parameters=parameters)
    folder = ModelFolder(own_models)
    with pytest.raises(
        ModelError, match="network of first takes 4 channels, but a model of role initial is shown 2"
    ):
        folder.load(folder.entries["first"], choose_device("cpu"))
