"""Whoever says that memory ran out: one error, one sentence; and what stops nobody leaves a trace."""

import pytest
from VSClickCorrectLib.errors import (
    ImageError,
    OutOfMemory,
    StorageError,
    VSClickError,
    enough_memory,
    passed_over,
)

SAID = (
    MemoryError(),
    MemoryError("Unable to allocate 244. MiB for an array with shape (400, 400, 400) and data type float32"),
    RuntimeError(
        "[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate memory: you tried "
        "to allocate 1073741824 bytes. Error code 12 (Cannot allocate memory)"
    ),
    RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 7.79 GiB total capacity)"),
    RuntimeError("MPS backend out of memory (MPS allocated: 1.00 GB)"),
    RuntimeError("itkImportImageContainer.hxx:179:\nFailed to allocate memory for image."),
    RuntimeError("std::bad_alloc"),
)


@pytest.mark.parametrize("error", SAID, ids=str)
def test_memory_that_ran_out_is_one_error(error):
    with pytest.raises(OutOfMemory) as told, enough_memory():
        raise error
    assert isinstance(told.value, VSClickError)
    assert told.value.sentence == (
        "There is not enough memory for this; close other programs or crop the images."
    )


@pytest.mark.parametrize(
    "error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), OSError(28), KeyError()]
)
def test_other_errors_stay_what_they_are(error):
    with pytest.raises(type(error)) as told, enough_memory():
        raise error
    assert told.value is error


def test_what_is_passed_over_leaves_a_trace(caplog):
    with passed_over("the table was not written", StorageError):
        raise StorageError("the drive is full.")
    assert caplog.messages == ["the table was not written: the drive is full."]
    assert caplog.records[0].name == "VSClickCorrect"


def test_only_the_errors_that_were_named_are_passed_over():
    with pytest.raises(ImageError), passed_over("nothing", StorageError):
        raise ImageError("no image.")
