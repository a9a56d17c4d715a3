"""Training on several classes end to end: from lists of named sequences, and what does not fit is named."""

import json

import numpy as np
import pytest
import torch
from class_scans import CLASSES, SEQUENCES, write_list
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectResearch.datasets.class_cases import list_class_cases
from VSClickCorrectResearch.training.class_task import ClassTask, class_example
from VSClickCorrectResearch.training.experiments import read_experiment
from VSClickCorrectResearch.training.schedule import Schedule
from VSClickCorrectResearch.training.train import train

TEXT = """\
role = "parts"
classes = ["oedema", "enhancing", "non-enhancing"]
channels = ["t1", "t1ce", "t2", "flair"]
[network]
name = "unet3d"
in_channels = 4
out_channels = 4
channels = [8, 16]
each_sample = true
[geometry]
spacing = [1.0, 1.0, 1.0]
shape = [16, 24, 24]
[examples]
crop = [16, 16, 16]
missing_t1ce = 0.1
missing_t2 = 0.1
[loss]
name = "generalised_dice"
entropy = 1.0
[course]
batch = 2
steps = 90
val_every = 45
learning_rate = 1e-2
"""


@pytest.fixture(scope="module")
def lists(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    return write_list(folder / "training", 4), write_list(folder / "validation", 2, first=10)


def experiment(folder, text=TEXT):
    path = folder / "three.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_command_trains_three_classes_on_four_sequences_and_releases_them(lists, tmp_path, capsys):
    models = tmp_path / "models"
    models.mkdir()
    (models / "manifest.json").write_text('{"format": 1, "models": []}')
    training, validation = lists
    words = ["train", str(experiment(tmp_path)), "--training", str(training), "--validation", str(validation)]
    words += ["--output", str(tmp_path / "run"), "--threads", "1", "--device", "cpu"]
    assert main([*words, "--release", "tiny", "--models", str(models)]) == 0
    assert "dsc_non-enhancing" in capsys.readouterr().out
    result = json.loads((tmp_path / "run" / "result.json").read_text())["result"]
    assert result["cases"] == 2
    assert all(result[f"dsc_{name}"] > 0.75 for name in CLASSES), result
    assert result["generalised_dice"] > 0.75
    entry = ModelFolder(models).entry("parts")
    assert (entry.classes, entry.channels) == (list(CLASSES), list(SEQUENCES))
    assert ModelFolder(models).load(entry, torch.device("cpu")) is not None


def task(lists, tmp_path, text=TEXT):
    read = read_experiment(experiment(tmp_path, text))
    sequences = [name for name in read.channels if name != "mask"]
    cases = [one.load() for one in list_class_cases(lists[0], sequences, read.classes)]
    examples = [class_example(case, read) for case in cases]
    return ClassTask(read, examples, examples, seed=3), cases, examples


def test_a_batch_follows_from_its_step_and_keeps_labels_with_their_voxels(lists, tmp_path):
    made, _, _ = task(lists, tmp_path)
    inputs, targets = made.batch_at(5)
    again = made.batch_at(5)
    assert torch.equal(inputs, again[0])
    assert torch.equal(targets, again[1])
    assert not torch.equal(inputs, made.batch_at(6)[0])
    assert inputs.shape == (2, 4, 16, 16, 16)
    assert targets.shape == (2, 1, 16, 16, 16)
    assert set(targets.unique().tolist()) <= {0, 1, 2, 3}
    # Enhancing tumour is by far the brightest of a T1ce, whatever its contrast, unless that was left out.
    for image, truth in zip(inputs[:, 1], targets[:, 0], strict=True):
        if image.any():
            assert image[truth == 2].mean() > image[truth == 0].mean() + 0.2


def test_a_sequence_is_left_out_now_and_then_and_never_all(lists, tmp_path):
    text = TEXT.replace("missing_t1ce = 0.1", "missing_t1ce = 0.5").replace(
        "missing_t2 = 0.1", "missing_t2 = 0.5"
    )
    made, _, _ = task(lists, tmp_path, text)
    there = np.concatenate([made.batch_at(n)[0].flatten(2).any(2).numpy() for n in range(20)])
    assert there[:, [0, 3]].all()
    # One of both in each sample.
    assert (there[:, [1, 2]].sum(axis=1) == 1).all()
    assert 5 < there[:, 1].sum() < 35


def test_the_mask_that_a_network_sees_is_the_tumour_or_one_spoiled_on_purpose(lists, tmp_path):
    text = TEXT.replace('"flair"]', '"mask"]')
    made, _, _ = task(lists, tmp_path, text)
    inputs, targets = (torch.cat(parts) for parts in zip(*(made.batch_at(n) for n in range(10)), strict=True))
    right = [torch.equal(m, (t > 0).float()) for m, t in zip(inputs[:, 3], targets[:, 0], strict=True)]
    assert 3 < sum(right) < 18
    assert set(inputs[:, 3].unique().tolist()) == {0.0, 1.0}


def test_labels_at_working_resolution_are_the_class_that_fills_most(lists, tmp_path):
    _, cases, examples = task(lists, tmp_path, TEXT.replace("[1.0, 1.0, 1.0]", "[2.0, 2.0, 2.0]"))
    for case, (images, labels) in zip(cases, examples, strict=True):
        assert images.shape[1:] == labels.shape
        assert np.count_nonzero(labels) * 8 == pytest.approx(np.count_nonzero(case.labels), rel=0.15)
        assert set(np.unique(labels)) == {0, 1, 2, 3}


def refused(folder, text):
    """What is said of an experiment whose cases are not even there."""
    with pytest.raises(ModelError) as error:
        read = read_experiment(experiment(folder, text))
        nowhere = folder / "nowhere.csv"
        train(read, (nowhere, nowhere), folder / "out", Schedule(1, val_every=1, threads=1, device="cpu"), 0)
    assert not (folder / "out").exists()
    return str(error.value)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "out_channels = 4",
            "out_channels = 3",
            "out_channels of [network] is 3, but 3 classes and the back",
        ),
        ("out_channels = 4\n", "", "out_channels of [network] is 1, but 3 classes and the background need 4"),
        ("in_channels = 4", "in_channels = 2", "in_channels of [network] is 2, but 4 channels need 4"),
        ('"unet3d"', '"resnet"', "name of network must be one of unet3d"),
        ('name = "generalised_dice"', 'name = "focal"', "no loss 'focal' for several classes"),
        ('classes = ["oedema", "enhancing", "non-enhancing"]\n', "", "needs classes and channels"),
        ('role = "parts"', 'role = "initial"', "which are for the role parts"),
        (
            '"oedema", "enhancing"',
            '"enhancing", "enhancing"',
            "classes must be a list of names, each of them",
        ),
    ],
)
def test_what_does_not_fit_is_named_before_any_case_is_read(old, new, said, tmp_path):
    assert old in TEXT
    assert said in refused(tmp_path, TEXT.replace(old, new))
