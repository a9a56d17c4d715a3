"""A tumour is parted and stays what it is; what lies beside it is found outside of it."""

import json

import numpy as np
import pytest
import torch
from any_grid import SIGNED_PERMUTATIONS
from parting_network import LEVELS, parting
from scipy import ndimage
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import CorrectionError, ModelError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.parts import class_shares
from VSClickCorrectResearch.evaluation.forward import Place, forward, inputs_of

SHAPE = (24, 30, 36)


def scene(signed=None):
    """A tumour of two levels, cut at the middle, a cochlea beside it, and a stray spot as bright as that."""
    affine = np.eye(4)
    affine[:3, :3] = np.diag([-1.0, -1.0, 1.0]) if signed is None else signed
    grid = Grid(SHAPE, affine)
    k, j, i = np.indices(SHAPE)
    tumour = (i - 16) ** 2 + (j - 15) ** 2 + (k - 12) ** 2 <= 36
    numbers = np.where(tumour, np.where(i < 16, 1, 2), 0)
    numbers[(i - 26) ** 2 + (j - 15) ** 2 + (k - 12) ** 2 <= 9] = 3
    stray = numbers.copy()
    stray[12, 8, 24] = 3
    image = (np.take(LEVELS, stray) * 1000).astype(np.int16)
    # So that the range of intensities is known.
    image[0, 0, :2] = 0, 1000
    return Case(Volume(image, grid)), ArrayMask(grid, tumour), numbers


@pytest.mark.parametrize("signed", [None, *SIGNED_PERMUTATIONS[::9]])
def test_a_tumour_is_parted_where_the_network_says_however_it_is_stored(signed):
    case, mask, numbers = scene(signed)
    before = mask.values.copy()
    found = parting().find(case, mask)
    np.testing.assert_array_equal(mask.values, before)
    whole = np.zeros(SHAPE, np.uint8)
    whole[found.box.slices] = found.numbers
    np.testing.assert_array_equal(np.isin(whole, (1, 2)), mask.values)
    # At its rim a tumour is as bright as its darker part.
    within = ndimage.binary_erosion(mask.values, iterations=2)
    assert np.count_nonzero(whole[within] != numbers[within]) < 0.1 * within.sum()
    cochlea = ndimage.binary_erosion(numbers == 3)
    assert (whole[cochlea] == 3).all()
    assert not (whole == 3)[numbers != 3].any()
    # Only the largest part is the cochlea.
    assert whole[12, 8, 24] == 0
    np.testing.assert_array_equal(found.voxels("cochlea"), found.numbers == 3)


def test_a_mask_that_is_wrong_is_parted_as_it_is():
    case, mask, _ = scene()
    wrong = np.roll(mask.values, 5, axis=1)
    found = parting().find(case, ArrayMask(case.grid, wrong))
    whole = np.zeros(SHAPE, np.uint8)
    whole[found.box.slices] = found.numbers
    np.testing.assert_array_equal(np.isin(whole, (1, 2)), wrong)


def test_the_box_grows_with_the_mask_and_one_like_no_tumour_is_refused():
    case, mask, _ = scene()
    extent = mask.extent()
    assert parting(shape=(48, 48, 48)).window(case.grid, extent).geometry.shape == (48, 48, 48)
    # 13 voxels and 10 mm on either side.
    assert parting(shape=(8, 8, 8)).window(case.grid, extent).geometry.shape == (40, 40, 40)
    fine = parting(shape=(8, 8, 8), spacing=(0.1, 0.1, 0.1))
    with pytest.raises(CorrectionError, match="larger than any tumour"):
        fine.window(case.grid, case.grid.box)


def test_an_empty_mask_and_a_sequence_that_no_case_has_are_named():
    case, mask, _ = scene()
    with pytest.raises(CorrectionError, match="nothing to part; find the tumour first"):
        parting().find(case, ArrayMask(case.grid))
    with pytest.raises(ModelError, match="needs the sequence 'flair', but here there are t1ce, t2"):
        parting(("flair", "mask")).find(case, mask)


def test_a_sequence_that_is_missing_is_zero_and_the_mask_is_seen():
    case, mask, _ = scene()
    segmenter = parting(("t2", "mask"))
    window = segmenter.window(case.grid, mask.extent())
    channels = segmenter.channels(case.sequences, mask, window)
    assert not channels[0].any()
    assert channels[1].sum() == pytest.approx(mask.values.sum(), rel=0.05)


def test_its_output_is_one_probability_as_all_models_are_verified_that_of_the_part_outside():
    case, mask, numbers = scene()
    segmenter = parting()
    inputs = inputs_of(segmenter.model, Place(case, case.grid.box, mask, []))
    (output,) = forward(segmenter.model, inputs, exact=True)
    assert output.shape == inputs[0].window.box.shape
    shares = class_shares(segmenter.model.network, torch.zeros(3, 8, 8, 8))
    np.testing.assert_allclose(shares.sum(axis=0), 1, atol=1e-5)
    # That of the whole tumour would be the mask, whatever the network's weights are.
    numbers = numbers[inputs[0].window.box.slices]
    none, inside, outside = (ndimage.binary_erosion(numbers == number) for number in (0, 1, 2))
    assert none.any() and output[none].mean() < 0.3
    assert inside.any() and output[inside].mean() < 0.3
    assert outside.any() and output[outside].mean() > 0.8


def test_a_manifest_says_what_a_model_of_parts_needs(tmp_path):
    entry = {"name": "p", "role": "parts", "file": "p", "sha256": "0", "network": "unet3d"}
    entry["geometry"] = {"spacing": [1, 1, 1], "shape": [16, 16, 16]}

    def refused(**changes):
        text = json.dumps({"models": [{**entry, **changes}]})
        (tmp_path / "manifest.json").write_text(text)
        with pytest.raises(ModelError) as error:
            ModelFolder(tmp_path)
        return str(error.value)

    assert "'p' is of role parts, so it needs classes and channels" in refused(classes=["a"])
    assert "which are for the role parts, not initial" in refused(
        role="initial", geometry={"spacing": [1, 1, 1]}, classes=["a"], channels=["t1ce"]
    )
    assert "shape" in refused(geometry={"spacing": [1, 1, 1]}, classes=["a"], channels=["t1ce"])
