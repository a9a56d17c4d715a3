"""A click corrects the same voxels of the patient, whichever of 48 ways the file stores them."""

import numpy as np
import pytest
from example_counts import examples
from hypothesis import given
from hypothesis import strategies as st
from orientations import CODES, affine_of, ras_array, stored
from scipy.spatial.transform import Rotation
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.clicks.merging import MERGES, Proposal, through_click
from VSClickCorrectLib.clicks.patches import PatchGeometry, extract_patch, patch_grid
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.geometry.volume import Case, Volume
from VSClickCorrectLib.session.correction import CorrectionSession

# In voxels along R, A and S, not on the middle of any: rounding has no half to decide.
CLICKS = [
    ((3.2, 5.3, 3.1), ClickKind.BOUNDARY),
    ((8.9, 2.2, 4.2), ClickKind.EXCLUDE),
    ((1.1, 7.8, 6.7), ClickKind.INCLUDE),
]
NOISE = np.random.default_rng(7).random((2, *ras_array().shape), np.float32)
START = np.random.default_rng(8).random(ras_array().shape) < 0.5


class Lopsided:
    """Looks at real cuts; what lies to the left, behind or above counts otherwise than the pixel itself."""

    identity = "lopsided@000000000000"
    geometry = PatchGeometry(size=16, pixel_mm=0.6, slices=5)

    def propose(self, case, mask, clicks):
        return [self._proposal(case, mask, click) for click in clicks]

    def _proposal(self, case, mask, click):
        window = patch_grid(case.grid, click, self.geometry)
        t1ce, t2, drawn = extract_patch(case, mask, window, self.geometry, click)
        behind, above = np.roll(drawn, 2, axis=1), np.roll(t1ce, 1, axis=0)
        said = 0.5 + t1ce - np.roll(t2, 2, axis=2) + 0.3 * (behind - above)
        return Proposal(click, window.box, window.resample_back(said.astype(np.float32)))


def corrected(code, motion, merge):
    """Play the clicks on the head in one orientation, moved in the scanner."""
    arrays = [stored(code, array) for array in (*NOISE, START)]
    grid = Grid(arrays[0].shape, motion @ affine_of(code))
    case = Case(*(Volume(array, grid) for array in arrays[:2]))
    session = CorrectionSession(case, ArrayMask(grid, arrays[2]), Lopsided(), None, merge)
    for place, kind in CLICKS:
        ras = (motion @ affine_of("RAS") @ [*place, 1])[:3]
        session.apply(Click(tuple(map(float, ras)), kind))
    return session.mask.values


@st.composite
def motions(draw):
    """Rotations by less than what makes another axis the axial one, and shifts."""
    motion, angles = np.eye(4), [draw(st.floats(-12, 12)) for _ in range(3)]
    motion[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    motion[:3, 3] = [draw(st.floats(-100, 100)) for _ in range(3)]
    return motion


@pytest.mark.parametrize("merge", MERGES)
def test_all_48_are_corrected_alike(merge):
    expected = corrected("RAS", np.eye(4), merge)
    assert 0 < np.count_nonzero(expected != START) < START.size
    for code in CODES:
        np.testing.assert_array_equal(corrected(code, np.eye(4), merge), stored(code, expected), err_msg=code)


@pytest.mark.parametrize("place", [(5, 4, 4), (8, 6, 4)])
def test_a_click_that_insists_decides_of_the_same_voxels_in_all_48(place):
    # A block whose corner is voxel (8, 6) of R and A: 1.5 mm along either from voxel (5, 4) runs its border,
    # and beside its own corner there are two voxels of background.
    said = np.full(ras_array().shape, 0.001, np.float32)
    said[3:6, 6:, :9] = said[3:6, :7, 8:] = 0.999
    click = Click(tuple(map(float, (affine_of("RAS") @ [*place, 1])[:3])))

    def insisted(code):
        probability = stored(code, said)
        grid = Grid(probability.shape, affine_of(code))
        return through_click(grid, Proposal(click, grid.box, probability), insisted=True).insisted

    expected = insisted("RAS")
    assert expected.any()
    for code in CODES:
        np.testing.assert_array_equal(insisted(code), stored(code, expected), err_msg=code)


@examples(1)
@given(code=st.sampled_from(CODES), motion=motions(), merge=st.sampled_from(tuple(MERGES)))
def test_head_that_lies_askew_in_the_scanner_is_corrected_as_if_it_lay_straight(code, motion, merge):
    expected = corrected("RAS", np.eye(4), merge)
    differs = corrected(code, motion, merge) != stored(code, expected)
    # Rounding may decide a voxel at the very threshold; the wrong side would cost scores of them.
    assert np.count_nonzero(differs) <= 2


def test_mirrored_head_is_not_corrected_as_the_head_is():
    # Otherwise the tests above could not tell left from right.
    straight = corrected("RAS", np.eye(4), "replace")
    for axis in range(3):
        mirror = np.eye(4)
        mirror[axis, axis] = -1
        assert np.count_nonzero(corrected("RAS", mirror, "replace") != straight) > 50
