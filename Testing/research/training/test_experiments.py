"""The files that say what is trained: all that ship can be read and trained; a mistake is a sentence."""

import re
from pathlib import Path

import pytest
import torch
from VSClickCorrectLib.clicks.patches import PatchGeometry
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.corrector import network_input
from VSClickCorrectLib.networks.registry import build, dimensions
from VSClickCorrectResearch.training.experiments import read_experiment
from VSClickCorrectResearch.training.objective import loss_of, objective

FOLDER = Path(__file__).parents[3] / "Resources" / "Experiments"
FILES = sorted(FOLDER.glob("*.toml"))

# METHOD of the thesis: its tables 4.4 (initial model) and 4.5 to 4.8 (cuts), as test DSC.
THESIS = {
    "weighted BCE": 0.7091,
    "Dice": 0.8329,
    "Dice + BCE": 0.8432,
    "Tversky": 0.8150,
    "Focal Tversky": 0.8702,
    "64 cases, Focal Tversky": 0.8030,
    "Dice, no attention": 0.8072,
    "L_corr, no attention": 0.8251,
    "Dice, attention": 0.8328,
    "L_corr, attention; cut 48": 0.8417,
    "cut 16": 0.7042,
    "cut 32": 0.8042,
    "cut 40": 0.8350,
    "multi-encoder": 0.8687,
    "volumetric, depth 8": 0.8010,
    "volumetric, depth 16": 0.8152,
    "multi-encoder, fine-tuned": 0.8938,
}

SMALL = """\
role = "initial"
[network]
name = "unet3d"
[geometry]
spacing = [1.5, 1.0, 1.0]
[loss]
name = "dice"
[course]
batch = 2
"""


def test_every_figure_of_the_thesis_has_its_experiment():
    found = [e.thesis for e in map(read_experiment, FILES) if e.thesis]
    assert {t.what: t.dsc for t in found} == THESIS
    # Three to the letter, two of them once more.
    letter = [e for e in map(read_experiment, FILES) if e.name.startswith("thesis-")]
    assert len(letter) == 3
    assert len(found) == len(THESIS) + 2


def test_to_the_letter_is_what_the_thesis_says():
    initial, correction, tuned = (
        read_experiment(FOLDER / f"thesis-{name}.toml")
        for name in ("initial", "correction", "correction-fine-tuned")
    )
    assert (initial.geometry, initial.examples.crop) == (
        {"shape": [40, 256, 256], "intensities": "min-max"},
        (40, 256, 256),
    )
    assert (initial.examples.cases, initial.course.batch, initial.loss.name) == (64, 2, "focal_tversky")
    assert (correction.network["dropout"], correction.geometry["size"], correction.course.batch) == (
        0.4,
        48,
        4,
    )
    assert (correction.examples.start, correction.examples.clicks) == ("each-cut", "drawn")
    assert (tuned.examples.start, tuned.examples.clicks) == ("found", "algorithm-1")
    assert tuned.init_from == correction.name
    assert (tuned.network, tuned.geometry) == (correction.network, correction.geometry)
    for one in (initial, correction, tuned):
        assert one.network["channels"] == [32, 64, 128, 256]
        assert one.course.learning_rate == 1e-3
        # Fifty epochs, a look after each.
        assert one.course.steps == 50 * one.course.val_every
        assert not one.examples.augmented
        assert one.examples.missing_t1ce == one.examples.missing_t2 == 0.0


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_network_takes_what_its_examples_are_and_the_loss_has_a_slope(path):
    experiment = read_experiment(path)
    torch.manual_seed(0)
    network = build(**experiment.network)
    if experiment.role == "corrector":
        geometry = PatchGeometry(**experiment.geometry)
        channels = torch.rand(2, 4 if geometry.click_map else 3, *geometry.window.shape)
        targets = (torch.rand(2, 2, *geometry.window.shape) > 0.5).float()
        inputs = network_input(channels, dimensions(experiment.network["name"]))
    else:
        # No larger than shows the same.
        crop = [min(side, 32) for side in experiment.examples.crop]
        inputs = torch.rand(2, experiment.network["in_channels"], *crop)
        targets = (torch.rand(2, 1, *crop) > 0.9).float()
    loss = loss_of(experiment)(network(inputs), targets)
    loss.backward()
    assert loss.ndim == 0
    assert torch.isfinite(loss)
    assert any(p.grad.abs().max() > 0 for p in network.parameters())


def test_what_a_file_leaves_out_has_its_default_and_lists_become_tuples(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL + "[examples]\ncrop = [8, 16, 16]\n")
    experiment = read_experiment(path)
    assert experiment.name == "small"
    assert experiment.parameters == {}
    assert experiment.examples.crop == (8, 16, 16)
    assert experiment.examples.rounds == 1
    assert experiment.course.learning_rate == 1e-3
    assert experiment.thesis is None


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (("role", "roll"), "it has no role, which must be one of locator, initial, click, corrector"),
        (
            ('"initial"', '"magic"'),
            "role must be one of locator, initial, click, corrector, parts, not 'magic'",
        ),
        (("[loss]", "[lass]"), "it has no loss, which must be names and values"),
        (("batch = 2", "batches = 2"), "course has no batch, which must be a whole number of at least 1"),
        (
            ("batch = 2", "batch = 2\nbatches = 2"),
            "course has an unknown 'batches'; it may have batch, steps",
        ),
        (("batch = 2", ""), "course has no batch"),
        (("batch = 2", "batch = 2.0"), "batch of course must be a whole number of at least 1, not 2.0"),
        (("batch = 2", "batch = true"), "batch of course must be a whole number of at least 1, not True"),
        (("batch = 2", "batch = 2\naverage = nan"), "it has a number that is not finite"),
        (
            ("[loss]", '[examples]\nstart = "spoilt"\n[loss]'),
            "start of examples must be one of spoiled, init",
        ),
        (
            ("[loss]", '[examples]\nclicks = "seldom"\n[loss]'),
            "clicks of examples must be one of mixed, drawn, algorithm-1, not 'seldom'",
        ),
        (
            ("[loss]", '[examples]\nstart = "each-cut"\nrounds = 2\n[loss]'),
            "rounds of examples must be 1 where start is each-cut",
        ),
        (
            (
                "[loss]",
                '[examples]\nclicks = "algorithm-1"\nborder_clicks = 0\nbackground_clicks = 3\n[loss]',
            ),
            "examples have no clicks; give border_clicks a whole number of at least 1",
        ),
        (
            ("[loss]", "[examples]\napart_mm = -1\n[loss]"),
            "apart_mm of examples must be a number of at least 0",
        ),
        (("[loss]", "[examples]\naugmented = 0\n[loss]"), "augmented of examples must be true or false"),
        (("[loss]", "[examples]\ncrop = [0, 8, 8]\n[loss]"), "number 1 of crop of examples must be a whole"),
        (
            ("spacing = [1.5, 1.0, 1.0]", ""),
            "geometry must be names and values: spacing, three lengths in mm; or shape, numbers of slices",
        ),
        (
            ("spacing = [1.5, 1.0, 1.0]", "spacing = [1.5, 1.0, 1.0]\nshape = [40, 256, 256]"),
            "geometry must be names and values: spacing, three lengths in mm; or shape, numbers of slices",
        ),
        (
            ("[loss]", 'intensities = "min-max"\n[loss]'),
            "geometry must be names and values: spacing, three lengths in mm; or shape, numbers of slices",
        ),
        (
            ("spacing = [1.5, 1.0, 1.0]", "shape = [40, 256, 512]"),
            "number 3 of shape of geometry must be a whole number from 1 to 256, not 512",
        ),
        (
            ("spacing = [1.5, 1.0, 1.0]", 'shape = [40, 256, 256]\nintensities = "loud"'),
            "intensities of geometry must be one of robust, min-max, not 'loud'",
        ),
        (("1.5, ", "0.0, "), "number 1 of spacing of geometry must be a number from 0.1 to 20 mm, not 0.0"),
        (
            ("batch = 2", "batch = 2\nmilestones = [30, 0]"),
            "number 2 of milestones of course must be a whole",
        ),
        (
            ("batch = 2", "batch = 2\nmilestones = 30"),
            "milestones of course must be a list of epochs, not 30",
        ),
        (("batch = 2", "batch = 2\ndecay = 2"), "decay of course must be a number from 0 to 1, not 2"),
        (("batch = 2", "batch = "), "is no TOML file"),
        (("[course]", "[extra]\n[course]"), "it has an unknown 'extra'; it may have role, network"),
    ],
)
def test_mistakes_are_named(tmp_path, change, sentence):
    path = tmp_path / "small.toml"
    path.write_text(SMALL.replace(*change))
    with pytest.raises(ModelError, match=re.escape(str(path)) + ".*" + sentence):
        read_experiment(path)


def test_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ModelError, match="nowhere.toml does not exist"):
        read_experiment(tmp_path / "nowhere.toml")


def test_unknown_loss_is_named_with_those_there_are(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(SMALL.replace('"dice"', '"mice"'))
    with pytest.raises(ModelError, match="no loss 'mice'; choose one of weighted_bce, dice"):
        objective(read_experiment(path).loss)
