"""Parts of an experiment that do not fit are named before any case is read."""

from dataclasses import replace

import pytest
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.networks.registry import build
from VSClickCorrectResearch.training.experiments import read_experiment
from VSClickCorrectResearch.training.objective import objective
from VSClickCorrectResearch.training.rehearsal import rehearse
from VSClickCorrectResearch.training.schedule import Schedule
from VSClickCorrectResearch.training.train import train

INITIAL = """\
role = "initial"
[network]
name = "{network}"
channels = [2, 3]
{more}
[geometry]
spacing = [2.0, 2.0, 2.0]
[examples]
crop = [8, 8, 8]
[loss]
name = "focal_tversky"
{parameters}
[course]
batch = 2
"""


@pytest.fixture
def experiment(tmp_path):
    """Write and read an experiment."""

    def make(network="unet3d", more="", parameters=""):
        path = tmp_path / "mine.toml"
        path.write_text(INITIAL.format(network=network, more=more, parameters=parameters), encoding="utf-8")
        return read_experiment(path)

    return make


def refused(experiment):
    """What is said of an experiment, whose cohorts are not even there."""
    nowhere = experiment.name + " cohort"
    with pytest.raises(ModelError) as error:
        train(
            experiment, (nowhere, nowhere), nowhere, Schedule(1, val_every=1, threads=1, device="cpu"), seed=0
        )
    return str(error.value)


def test_unknown_parameter_of_a_loss_is_named(experiment):
    message = refused(experiment(parameters="parameters = {steepness = 2.0}"))
    assert "focal_tversky" in message
    assert "'steepness'" in message
    assert "gamma" in message


def test_network_of_slices_is_refused_for_volumes(experiment):
    message = refused(experiment("attention_unet2d", more="in_channels = 2"))
    assert "'attention_unet2d' sees slices" in message
    assert "initial" in message


def test_three_classes_are_refused(experiment):
    message = refused(experiment(more="out_channels = 3"))
    assert "(3, 8, 8, 8)" in message
    assert "out_channels" in message


@pytest.mark.parametrize("value", ['"much"', "true", "-1.0", "[1.0]"])
def test_parameter_of_a_loss_that_is_no_number_is_named(experiment, value):
    message = refused(experiment(parameters=f"parameters = {{gamma = {value}}}"))
    assert message.startswith(
        "Parameter 'gamma' of loss 'focal_tversky' must be a number of at least 0, not "
    )


@pytest.mark.parametrize("word", ["weights", "middle"])
def test_what_only_programs_can_give_a_loss_is_no_parameter_of_an_experiment(experiment, word):
    chosen = experiment(parameters=f"parameters = {{{word} = 2.0}}")
    message = refused(replace(chosen, loss=replace(chosen.loss, name="volumetric_correction")))
    assert message == f"Loss 'volumetric_correction' has no parameter '{word}'; it has peak, alpha."


@pytest.mark.parametrize("crop", [(12, 8, 8), (20, 64, 64), (64, 64, 44)])
def test_crop_that_cannot_be_halved_is_refused(experiment, crop):
    chosen = experiment()
    network = {"name": "unet3d", "channels": [2, 3, 4, 5]}
    message = refused(replace(chosen, network=network, examples=replace(chosen.examples, crop=crop)))
    assert message == (
        "'mine': the network 'unet3d' halves its sides 3 times; make crop of [examples] divisible by 8."
    )


def test_cube_that_cannot_be_halved_is_refused(experiment):
    chosen = experiment()
    network = {"name": "unet3d", "channels": [2, 3, 4, 5]}
    message = refused(replace(chosen, network=network, examples=replace(chosen.examples, cubes=(48, 60))))
    assert message == (
        "'mine': the network 'unet3d' halves its sides 3 times; make cubes of [examples] divisible by 8."
    )


def test_slab_that_cannot_be_halved_is_refused(experiment):
    network = {"name": "unet3d", "channels": [2, 3, 4, 5]}
    chosen = replace(experiment(), network=network, geometry={"shape": [40, 250, 256]})
    assert refused(chosen) == (
        "the network 'unet3d' halves its sides 3 times; make the geometry's shape divisible by 8."
    )


def test_network_that_halves_more_often_than_windows_allow_is_refused(experiment):
    chosen = replace(experiment(), network={"name": "unet3d", "channels": [2, 2, 2, 2, 2]})
    assert refused(chosen) == (
        "'mine': the network 'unet3d' halves its sides 4 times, but volumes are shown in multiples of 8; "
        "give it at most 4 channels."
    )


@pytest.mark.parametrize(
    ("name", "geometry", "word"),
    [
        ("attention_unet2d", {"size": 20}, "size"),
        ("multi_encoder_unet3d", {"size": 16, "slices": 5}, "slices"),
    ],
)
def test_cut_that_cannot_be_halved_is_refused(experiment, name, geometry, word):
    network = {"name": name, "channels": [2, 2, 2, 2]}
    chosen = replace(experiment(), role="corrector", network=network, geometry=geometry)
    assert f"make {word} of [geometry] divisible by 8" in refused(chosen)


def test_inputs_that_the_network_does_not_take_are_refused(experiment):
    message = refused(experiment(more="in_channels = 7"))
    assert message.startswith("'mine' cannot be trained: ")
    assert "7" in message


def test_what_fits_passes_and_leaves_the_network_as_it_was(experiment):
    fitting = experiment()
    network = build(**fitting.network)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    rehearse(fitting, network, objective(fitting.loss))
    assert network.training
    assert all(value.equal(before[name]) for name, value in network.state_dict().items())
