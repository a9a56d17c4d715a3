"""Cases done by this process and by others: all answers, errors as they are, and processes that die."""

import pickle
from functools import partial

import pytest
from doing_cases import BEFORE_FATAL, FATAL, FATAL_ONCE, STRANGERS, TORN, worked
from VSClickCorrectLib.errors import (
    CaseLockedError,
    DifferentPatients,
    ImageError,
    OutOfMemory,
    ProcessDied,
    VSClickError,
)
from VSClickCorrectLib.jobs.cases import Processes, ThisProcess
from VSClickCorrectResearch.datasets.importing import NoTumour


def outcomes(workers, folder, numbers):
    found = list(workers.each(partial(worked, str(folder)), numbers))
    assert sorted(outcome.task for outcome in found) == sorted(numbers)
    return {outcome.task: outcome for outcome in found}


def told(folder):
    """How often each case was done."""
    return {int(path.stem): len(path.read_text().splitlines()) for path in folder.glob("*.txt")}


@pytest.mark.parametrize("workers", [ThisProcess(), Processes(2)], ids=["here", "processes"])
def test_a_case_that_fails_says_why_and_the_others_are_done(workers, tmp_path):
    found = outcomes(workers, tmp_path, [0, TORN, 1, STRANGERS, 2])
    assert [found[number].result() for number in (0, 1, 2)] == [0, 10, 20]
    assert (type(found[TORN].error), str(found[TORN].error)) == (ImageError, "the scan is torn.")
    strangers = found[STRANGERS].error
    assert isinstance(strangers, DifferentPatients) and (strangers.first, strangers.second) == ("Ada", "Eve")
    assert "'Ada' and the T2 of 'Eve'" in str(strangers)
    with pytest.raises(ImageError, match="the scan is torn"):
        found[TORN].result()
    assert found[0].error is None


def test_a_process_that_dies_loses_its_own_case_alone(tmp_path):
    found = outcomes(Processes(2), tmp_path, [FATAL, 0, BEFORE_FATAL, 2, TORN, 4])
    assert {number: found[number].answer for number in (0, 1, 2, 4)} == {0: 0, 1: 10, 2: 20, 4: 40}
    assert isinstance(found[FATAL].error, ProcessDied)
    assert "its process ended before it was done" in str(found[FATAL].error)
    # What had been answered before the process died was not done twice; what was being done was once more.
    assert told(tmp_path)[0] == 1 and max(told(tmp_path).values()) <= 2


def test_a_case_whose_process_died_is_done_again(tmp_path):
    found = outcomes(Processes(2), tmp_path, [FATAL_ONCE, 0, 2])
    assert {number: outcome.answer for number, outcome in found.items()} == {FATAL_ONCE: 80, 0: 0, 2: 20}
    assert told(tmp_path)[FATAL_ONCE] == 1 and max(told(tmp_path).values()) <= 2


@pytest.mark.parametrize(
    "error",
    [
        ImageError("the scan\nis torn."),
        DifferentPatients("Ada", "Eve"),
        CaseLockedError("P1", "Ada on her computer"),
        OutOfMemory(),
        ProcessDied(),
        NoTumour("there is only Men."),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_goes_to_another_process_as_it_is(error):
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))
    assert isinstance(again, VSClickError)
