"""What the page is told where something cannot be done."""

import asyncio

import pytest
from trame_server import Server
from VSClickCorrectLib.app.models import LazyNetworks
from VSClickCorrectLib.app.status import Status
from VSClickCorrectLib.errors import OutOfMemory
from VSClickCorrectLib.inference.models import ModelFolder
from VSClickCorrectLib.inference.networks import Networks


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("CUDA out of memory.")], ids=repr)
def test_memory_that_runs_out_is_a_sentence(error):
    status = Status(Server().state)
    with status.reporting():
        raise error
    data = status.typed_state.data
    assert data.message == "There is not enough memory for this; close other programs or crop the images."
    assert data.is_error


def test_networks_that_could_not_be_loaded_are_loaded_at_the_next_try(bright_models, monkeypatch):
    networks, tries, load = LazyNetworks(ModelFolder(bright_models), "cpu"), [], Networks.load

    def first_fails(*arguments):
        tries.append(arguments)
        if len(tries) == 1:
            raise OutOfMemory
        return load(*arguments)

    monkeypatch.setattr(Networks, "load", first_fails)

    async def ask():
        with pytest.raises(OutOfMemory):
            await networks.get()
        return [await networks.get(), await networks.get()]

    first, second = asyncio.run(ask())
    assert first is second and len(tries) == 2
