"""The corrector: what it is shown around clicks, and what it proposes there."""

from dataclasses import replace

import numpy as np
import pytest
from bright_ball import CENTER, GRID, RADIUS_MM, ball, ball_case, dice
from handmade_models import CUT_GEOMETRY, SLICES, change_entry, read_manifest
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.errors import ImageError, ModelError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.corrector import Corrector
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.networks.registry import halvings
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectResearch.simulation.user import border_clicks

R, A, S = CENTER
BORDER = [(R + RADIUS_MM, A, S), (R, A - RADIUS_MM, S + 1.5), (R - RADIUS_MM, A, S - 3)]
CHANNELS = {"t1ce": 0, "t2": 1, "mask": 2, "clicks": 3}


@pytest.fixture(scope="module")
def case():
    return ball_case()


@pytest.fixture(scope="module")
def corrector(bright_models):
    return Corrector.load(ModelFolder(bright_models))


@pytest.fixture(scope="module")
def random_corrector(model_folder):
    return Corrector.load(ModelFolder(model_folder))


@pytest.fixture
def shown(corrector, monkeypatch):
    """The cuts that the corrector's network is given."""
    seen = []

    def look(cuts):
        seen.append(cuts.copy())
        return np.zeros((len(cuts), SLICES, 48, 48), np.float32)

    monkeypatch.setattr(corrector, "run", look)
    return seen


@pytest.fixture
def spoiled():
    """The ball with its patient's right half cut off."""
    values = ball()
    values[:, :, :29] = False
    return ArrayMask(GRID, values)


def test_identity_is_name_and_beginning_of_the_hash(corrector, bright_models):
    sha256 = next(e["sha256"] for e in read_manifest(bright_models) if e["role"] == "corrector")
    assert corrector.identity == f"mend@{sha256[:12]}"


def test_corrector_can_be_chosen_by_name(model_folder):
    models = ModelFolder(model_folder)
    assert Corrector.load(models, "small-corrector", "cpu").entry.name == "small-corrector"
    with pytest.raises(ModelError, match="small-initial"):
        Corrector.load(models, "small-initial")


def test_probabilities_lie_between_0_and_1_on_the_voxels_of_the_box(random_corrector, case, spoiled):
    for proposal in random_corrector.propose(case, spoiled, [Click(place) for place in BORDER]):
        assert proposal.probability.dtype == np.float32
        assert proposal.probability.shape == proposal.box.shape
        assert 0.0 <= proposal.probability.min() <= proposal.probability.max() <= 1.0
        assert np.ptp(proposal.probability) > 0
        assert proposal.threshold == 0.5


def test_threshold_of_the_manifest_is_the_proposals(own_models, case, spoiled):
    change_entry(own_models, "mend", threshold=0.3)
    (proposal,) = Corrector.load(ModelFolder(own_models)).propose(case, spoiled, [Click(CENTER)])
    assert proposal.threshold == 0.3


def test_proposal_covers_the_cut_around_the_click(corrector, case, spoiled):
    (proposal,) = corrector.propose(case, spoiled, [Click(CENTER)])
    # 48 x 0.6 mm of 0.75 mm voxels, five slices; the click is at (k, j, i) = (12, 30.67, 29.33).
    assert proposal.box.shape[0] == SLICES
    assert all(37 <= n <= 39 for n in proposal.box.shape[1:])
    assert proposal.box.start[0] == 12 - 2
    middle = (np.array(proposal.box.start) + proposal.box.stop - 1) / 2
    assert np.abs(middle - (12, 30.67, 29.33)).max() <= 0.51


@pytest.mark.parametrize("place", [CENTER, *BORDER])
def test_proposal_of_a_network_that_finds_the_ball_is_the_ball(corrector, case, spoiled, place):
    (proposal,) = corrector.propose(case, spoiled, [Click(place)])
    assert dice(proposal.values, ball()[proposal.box.slices]) > 0.97


def test_batch_of_clicks_is_seen_as_one_by_one(random_corrector, case, spoiled):
    clicks = [Click(place) for place in BORDER]
    together = random_corrector.see(case, spoiled, clicks)
    alone = [random_corrector.see(case, spoiled, [click])[0] for click in clicks]
    assert [p.click for p in together] == clicks
    for one, other in zip(together, alone, strict=True):
        assert one.box == other.box
        assert np.allclose(one.probability, other.probability, atol=1e-3)
    # The tolerance is small against what tells the clicks apart.
    first, second = (p.probability[..., :30, :30] for p in together[:2])
    assert np.abs(first - second).max() > 5e-3


def test_proposing_changes_neither_mask_nor_images(random_corrector, case, spoiled):
    before = [spoiled.values.copy(), case.t1ce.array.copy(), case.t2.array.copy()]
    random_corrector.propose(case, spoiled, [Click(place) for place in BORDER])
    for array, copy in zip((spoiled.values, case.t1ce.array, case.t2.array), before, strict=True):
        assert np.array_equal(array, copy)


def test_cut_shows_sequences_and_mask_at_the_click(corrector, case, spoiled, shown):
    corrector.propose(case, spoiled, [Click(CENTER)])
    (cut,) = shown[0]
    assert cut.shape == (4, SLICES, 48, 48)
    assert cut.dtype == np.float32
    # At the centre 1000 of 1000; 20 pixels = 12 mm behind it head, 400 of 1000.
    assert np.allclose(cut[:2, 2, 24, 24], 1.0, atol=0.01)
    assert np.allclose(cut[:2, 2, 44, 24], 0.4, atol=0.01)
    # Columns run to the patient's left; the right half of the mask was cut off.
    assert cut[CHANNELS["mask"], 2, 24, 18] == 0.0
    assert cut[CHANNELS["mask"], 2, 24, 30] == 1.0


def test_each_click_map_shows_its_own_click_in_the_middle(corrector, case, spoiled, shown):
    clicks = [
        Click(CENTER, ClickKind.INCLUDE),
        Click((R - 6.0, A - 4.8, S), ClickKind.EXCLUDE),
        Click((R + 6.0, A, S)),
    ]
    corrector.propose(case, spoiled, clicks)
    maps = shown[0][:, CHANNELS["clicks"], 2]
    # The middle lies between pixels 23 and 24: Gaussians of 1.5 mm, 0.3 mm off in both axes.
    peak = np.exp(-0.5 * (0.3**2 + 0.3**2) / 1.5**2)
    assert np.allclose(maps[0][23:25, 23:25], peak, atol=1e-3)
    assert np.allclose(maps[1][23:25, 23:25], -peak, atol=1e-3)
    assert maps[0].min() >= 0.0
    assert maps[1].max() <= 0.0
    assert not maps[2].any()


def test_corrector_without_click_map_is_shown_three_channels(corrector, case, spoiled, monkeypatch):
    entry = replace(corrector.entry, geometry=CUT_GEOMETRY | {"click_map": False})
    plain, seen = Corrector(entry, corrector.network), []
    monkeypatch.setattr(plain, "run", lambda cuts: seen.append(cuts.shape) or np.zeros((1, 5, 48, 48)))
    plain.propose(case, spoiled, [Click(CENTER, ClickKind.INCLUDE)])
    assert seen == [(1, 3, SLICES, 48, 48)]


@pytest.mark.parametrize("missing", ["t1ce", "t2"])
def test_missing_sequence_is_a_channel_of_zeros_and_the_other_one_suffices(
    corrector, case, spoiled, missing, monkeypatch
):
    alone = Case(**{name: v for name, v in case.sequences.items() if name != missing}, **{missing: None})
    (proposal,) = corrector.propose(alone, spoiled, [Click(CENTER)])
    assert dice(proposal.values, ball()[proposal.box.slices]) > 0.97
    seen = []
    monkeypatch.setattr(corrector, "run", lambda cuts: seen.append(cuts) or np.zeros((1, 5, 48, 48)))
    corrector.propose(alone, spoiled, [Click(CENTER)])
    for name in ("t1ce", "t2"):
        assert seen[0][0, CHANNELS[name]].any() == (name != missing)


def test_click_outside_the_image_is_refused_with_its_place(corrector, case, spoiled):
    with pytest.raises(ImageError, match=r"R -60\.0, A 25\.0, S 18\.0 mm lies outside the image"):
        corrector.propose(case, spoiled, [Click(CENTER), Click((-R, -A, S))])


@pytest.mark.parametrize("index", [(0, 0, 0), (23, 63, 63), (0, 63, 0)])
def test_click_in_the_corner_of_the_image_is_answered_on_what_there_is(
    random_corrector, case, spoiled, index
):
    click = Click(tuple(GRID.index_to_ras(index)))
    (proposal,) = random_corrector.propose(case, spoiled, [click])
    assert GRID.box.contains(proposal.box)
    assert not proposal.box.empty
    assert np.isfinite(proposal.probability).all()


def test_clicks_of_three_rounds_bring_a_spoiled_mask_to_the_ball(corrector, case):
    mask = ArrayMask(GRID, np.roll(ball(), (1, 3, 0), axis=(0, 1, 2)))
    session = CorrectionSession(case, mask, corrector)
    scores = [dice(mask.values, ball())]
    for _ in range(3):
        for click in border_clicks(GRID, ball(), mask.values, 3):
            session.apply(click)
        scores.append(dice(mask.values, ball()))
    assert scores[0] < 0.9
    assert scores[-1] > 0.95
    assert scores == sorted(scores)


def test_shipped_corrector_improves_a_spoiled_mask_by_clicks(shipped_models, small):
    corrector = Corrector.load(ModelFolder(shipped_models))
    spoiled = np.roll(small.truth, (1, 3, 0), axis=(0, 1, 2))
    mask = ArrayMask(small.grid, spoiled)
    session = CorrectionSession(small.case, mask, corrector)
    for _ in range(2):
        for click in border_clicks(small.grid, small.truth, mask.values, 5):
            session.apply(click)
    assert dice(mask.values, small.truth) > dice(spoiled, small.truth) + 0.1


@pytest.mark.parametrize("missing", ["t1ce", "t2"])
def test_shipped_corrector_improves_the_mask_even_where_a_sequence_is_missing(shipped_models, small, missing):
    case = Case(**(small.case.sequences | {missing: None}))
    spoiled = np.roll(small.truth, (1, 3, 0), axis=(0, 1, 2))
    mask = ArrayMask(small.grid, spoiled)
    session = CorrectionSession(case, mask, Corrector.load(ModelFolder(shipped_models)))
    for click in border_clicks(small.grid, small.truth, spoiled, 5):
        session.apply(click)
    assert dice(mask.values, small.truth) > dice(spoiled, small.truth) + 0.05


def sides_seen(corrector, case, mask, narrower):
    """The side of the cuts that its network is shown."""
    sides = []
    hook = corrector.network.register_forward_pre_hook(lambda _, shown: sides.append(shown[0].shape[-1]))
    (found,) = corrector.see(case, mask, [Click(CENTER)], narrower)
    hook.remove()
    assert found.probability.shape == found.box.shape
    return sides


def test_narrower_cuts_see_a_pixel_of_the_last_stage_less(corrector, case, spoiled):
    step = 2 ** halvings(corrector.entry.network, corrector.entry.parameters)
    assert sides_seen(corrector, case, spoiled, False) == [48]
    assert sides_seen(corrector, case, spoiled, True) == [48 - step if step > 1 else 48]


@pytest.mark.parametrize(("size", "seen"), [(8, 8), (16, 16), (24, 24), (32, 24), (48, 40)])
def test_the_corrector_that_ships_is_shown_no_less_than_three_quarters(case, spoiled, size, seen):
    """It halves three times, so its cuts go by eights."""
    ships = Corrector.load(ModelFolder(None), None, "cpu")
    ships.geometry = replace(ships.geometry, size=size)
    assert sides_seen(ships, case, spoiled, True) == [seen]
