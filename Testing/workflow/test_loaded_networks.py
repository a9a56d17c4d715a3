"""Networks that are loaded when they are first needed."""

import asyncio

import pytest
from VSClickCorrectLib.errors import ModelError, OutOfMemory
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.inference.model_set import Networks
from VSClickCorrectLib.workflow.loaded_networks import LoadedNetworks


class Threads:
    """A host that does what takes long in a thread."""

    async def background(self, work):
        return await asyncio.to_thread(work)


@pytest.fixture
def tries(monkeypatch):
    tries, load = [], Networks.load

    def counted(*arguments):
        tries.append(arguments)
        return load(*arguments)

    monkeypatch.setattr(Networks, "load", counted)
    return tries


def test_networks_that_could_not_be_loaded_are_loaded_at_the_next_try(bright_models, monkeypatch):
    networks, tries, load = (
        LoadedNetworks(Threads(), Choice(str(bright_models), "", "cpu")),
        [],
        Networks.load,
    )

    def first_fails(*arguments):
        tries.append(arguments)
        if len(tries) == 1:
            raise OutOfMemory
        return load(*arguments)

    monkeypatch.setattr(Networks, "load", first_fails)

    async def ask():
        with pytest.raises(OutOfMemory):
            await networks.load()
        return [await networks.load(), await networks.load()]

    first, second = asyncio.run(ask())
    assert first is second and len(tries) == 2


def test_who_asks_while_they_are_loaded_waits_for_the_same(bright_models, tries):
    networks = LoadedNetworks(Threads(), Choice(str(bright_models), "", "cpu"))

    async def ask():
        return await asyncio.gather(networks.load(), networks.load())

    first, second = asyncio.run(ask())
    assert first is second and len(tries) == 1


def test_another_choice_is_loaded_anew(bright_models, tries):
    networks = LoadedNetworks(Threads(), Choice(str(bright_models), "", "cpu"))
    first = asyncio.run(networks.load())
    networks.choice = networks.choice._replace(corrector=networks.choice.correctors()[0])
    assert not networks.is_loaded()
    assert asyncio.run(networks.load()) is not first
    assert len(tries) == 2


def test_folder_without_models_has_no_correctors(tmp_path):
    with pytest.raises(ModelError):
        Choice(str(tmp_path)).correctors()
