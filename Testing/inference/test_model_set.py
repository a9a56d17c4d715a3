"""The networks that are loaded together."""

import pytest
from bright_ball import ball_volume
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.manifest import ModelFolder
from VSClickCorrectLib.inference.model_set import Networks


def test_both_come_from_the_folder_ready_to_run(bright_models):
    networks = Networks.load(ModelFolder(bright_models), "cpu")
    assert networks.corrector.entry.name == "mend"
    ball = Case(ball_volume(), ball_volume(t2=True))
    assert networks.segmenter.segment(ball).found


def test_a_corrector_that_is_not_there_is_named(bright_models):
    with pytest.raises(ModelError, match="model 'other' of role corrector"):
        Networks.load(ModelFolder(bright_models), "cpu", "other")
