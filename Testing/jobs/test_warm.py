"""A child that has its networks loaded before there is a task."""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from VSClickCorrectLib.errors import Cancelled
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.manifest import Choice, ModelFolder
from VSClickCorrectLib.jobs import process as process_module
from VSClickCorrectLib.jobs.job import Job
from VSClickCorrectLib.jobs.warm import WarmChild

pytestmark = pytest.mark.usefixtures("forked_children")


@pytest.fixture
def case(small):
    return Case(small.t1ce, small.t2)


@pytest.fixture
def warm(bright_models):
    child = WarmChild(Choice(str(bright_models), device="cpu"))
    yield child
    child.end()


def until(condition):
    for _ in range(12_000):
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_what_it_finds_is_what_the_segmenter_finds_and_nothing_stays(warm, case, bright_models):
    folder = warm.folder
    job = Job.start_segmentation(case, Choice(str(bright_models), device="cpu"), warm=warm)
    found = job.result()
    expected = InitialSegmenter.load(ModelFolder(bright_models), "cpu").segment(case)
    assert found.found and found.certainty == pytest.approx(expected.certainty)
    np.testing.assert_array_equal(found.on(case.grid), expected.on(case.grid))
    assert not folder.exists() and warm.status is not None


def test_one_that_has_loaded_others_is_left_alone(warm, case, bright_models):
    job = Job.start_segmentation(case, Choice(str(bright_models), device="auto"), warm=warm)
    job.cancel()
    assert warm.status is None and warm.is_ready_for(Choice(str(bright_models), device="cpu"))


def test_a_search_in_it_is_cancelled_at_once(warm, case, bright_models):
    folder = warm.folder
    job = Job.start_segmentation(case, Choice(str(bright_models), device="cpu"), warm=warm)
    job.cancel()
    with pytest.raises(Cancelled):
        job.result()
    assert not folder.exists() and warm.status is not None


def test_networks_that_cannot_be_loaded_are_told_by_who_searches(case, tmp_path):
    warm = WarmChild(Choice(str(tmp_path), device="cpu"))
    with pytest.raises(Exception, match=r"holds no manifest\.json"):
        Job.start_segmentation(case, Choice(str(tmp_path), device="cpu"), warm=warm).result()


def test_it_ends_with_its_parent_and_leaves_nothing(bright_models):
    library = Path(process_module.__file__).parents[2]
    program = (
        f"import sys; sys.path.insert(0, {str(library)!r})\n"
        "from VSClickCorrectLib.inference.manifest import Choice\n"
        "from VSClickCorrectLib.jobs.warm import WarmChild\n"
        f"child = WarmChild(Choice({str(bright_models)!r}, device='cpu'))\n"
        "print(child.folder, flush=True)\n"
        "sys.stdin.read()\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    folder = Path(parent.stdout.readline().strip())
    assert folder.is_dir()
    parent.kill()
    parent.communicate()
    assert until(lambda: not folder.exists())
