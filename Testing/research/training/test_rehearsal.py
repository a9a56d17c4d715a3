"""Parts of an experiment that do not fit are named before any case is read."""

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
