"""What the page is told where something cannot be done."""

import pytest
from trame_server import Server
from VSClickCorrectApp.status import Status
from VSClickCorrectLib.errors import ImageError


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory.")], ids=repr)
def test_memory_that_runs_out_is_a_sentence(error):
    status = Status(Server().state)
    with status.reporting():
        raise error
    data = status.typed_state.data
    assert data.message == "There is not enough memory for this; close other programs or crop the images."
    assert data.is_error


def test_a_file_s_name_keeps_its_letters():
    status = Status(Server().state)
    status.say("nope.nii.gz does not say which side is left. Ready.")
    assert status.typed_state.data.message.startswith("nope.nii.gz does not say")
    status.say("undone: a click.")
    assert status.typed_state.data.message == "Undone: a click."
    status.fail(ImageError("nope.nii.gz does not exist; check the path."))
    assert status.typed_state.data.message == "nope.nii.gz does not exist; check the path."
