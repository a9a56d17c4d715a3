"""What holds for every test, and model folders and cases for all of them."""

import atexit
import gc
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import pytest
from example_counts import count_of
from hypothesis import settings


def _give_memory_back(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)


# No test fails for being slow: the machine may be busy. Every run draws other examples, so few do.
settings.register_profile("vsclickcorrect", deadline=None, max_examples=20)
# Many; `make properties` says how many each property was tried on.
settings.register_profile("thorough", deadline=None, max_examples=300, print_blob=True)
settings.load_profile("vsclickcorrect")

# Imports leave little garbage, and looking for it among a million objects takes long.
gc.disable()

# Small networks gain nothing from several threads, and lose much where the machine is busy.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Files lie in memory where there is room: what is written safely waits for the disk, thousands of times.
_MEMORY, _ROOM = Path("/dev/shm"), 4 << 30
if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ROOM:
    os.environ["TMPDIR"] = tempfile.tempdir = tempfile.mkdtemp(prefix="vsclick-tests-", dir=_MEMORY)
    # As everybody may enter /tmp: some tests are somebody else.
    Path(tempfile.tempdir).chmod(0o755)
    atexit.register(_give_memory_back, tempfile.tempdir)

# Tests start hundreds of Python processes: what they all import is compiled once, whatever the shell says.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# What was learned on this machine is nothing for tests.
_USER_DATA = tempfile.TemporaryDirectory(prefix="vsclick-data-")
os.environ["VSCLICK_DATA"] = _USER_DATA.name

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = ROOT / "models"
EXPERIMENTS = ROOT / "Resources" / "Experiments"
SMALL_PARAMETERS = {
    "locator": {"in_channels": 2, "out_channels": 1, "channels": [2, 4]},
    "initial": {"in_channels": 2, "out_channels": 1, "channels": [3, 4]},
    "corrector": {
        "image_channels": 10,
        "mask_channels": 10,
        "out_channels": 5,
        "channels": [4, 6, 8, 10],
        "dropout": 0.1,
    },
}


_STATUS = pytest.StashKey[int]()


def pytest_collection_finish(session):
    """Look for garbage from now on, and in no later look among what was imported."""
    gc.enable()
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session, exitstatus):
    """Remember how the tests ended, and keep the files of those that failed."""
    session.config.stash[_STATUS] = int(exitstatus)
    if exitstatus == pytest.ExitCode.TESTS_FAILED:
        atexit.unregister(_give_memory_back)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    """End with that status and without Python's own end.

    In it what is left of thousands of VTK and Qt objects is destroyed in no order, which crashed once after
    all tests had run. Commands under test are processes of their own and end as users' do.
    """
    if _STATUS in config.stash:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(config.stash[_STATUS])


@pytest.fixture(autouse=True)
def _quick_hands(monkeypatch):
    """Tests decide about a case in the moment in which it comes, as no person does."""
    monkeypatch.setattr("VSClickCorrectLib.workflow.just_shown.SEEN_S", 0.0)


@pytest.fixture(scope="session", autouse=True)
def _installed_once():
    """Of what is installed `vsclick` looks for its commands once, not once for each of hundreds of calls."""
    from VSClickCorrectLib.cli import commands

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(commands, "entry_points", lru_cache(commands.entry_points))
        yield


@pytest.fixture
def user_data(tmp_path, monkeypatch):
    """The user's own data, of one test alone; a child process has the same."""
    folder = tmp_path / "user-data"
    monkeypatch.setenv("VSCLICK_DATA", str(folder))
    return folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory):
    """Small networks with seeded random weights, released as trained ones are; not to be changed."""
    import torch
    from safetensors.torch import save_file
    from VSClickCorrectLib.networks.registry import build
    from VSClickCorrectResearch.training.experiments import read_experiment
    from VSClickCorrectResearch.training.export import export

    folder = tmp_path_factory.mktemp("random-models")
    torch.manual_seed(1)
    for role, parameters in SMALL_PARAMETERS.items():
        shipped = read_experiment(EXPERIMENTS / f"{role}.toml")
        small = replace(shipped, network={"name": shipped.network["name"], **parameters})
        trained = folder.parent / f"{folder.name}-{role}.safetensors"
        network = build(**small.network)
        # Without batch statistics of their own, random networks say the same of everything.
        noise = (4, 20, 16, 16) if role == "corrector" else (2, 2, 16, 16, 16)
        for _ in range(20):
            network(torch.rand(noise))
        save_file(network.state_dict(), trained)
        export(small, trained, f"small-{role}", folder)
    return folder


@pytest.fixture(scope="session")
def bright_models(tmp_path_factory):
    """Networks that find what is bright (see tools/handmade_models.py); not to be changed."""
    from handmade_models import write_bright_models

    return write_bright_models(tmp_path_factory.mktemp("bright-models"))


@pytest.fixture(scope="session")
def click_models(tmp_path_factory):
    """As `bright_models`, with a network that takes clicks for the initial mask; not to be changed."""
    from handmade_models import write_click_models

    return write_click_models(tmp_path_factory.mktemp("click-models"))


@pytest.fixture
def own_models(bright_models, tmp_path):
    """A copy of `bright_models` that a test may spoil."""
    return shutil.copytree(bright_models, tmp_path / "models")


@pytest.fixture(scope="session")
def shipped_models():
    """The models that ship with the product."""
    if not (SHIPPED / "manifest.json").is_file():
        pytest.skip("models/manifest.json is not there yet; train and release the models first")
    return SHIPPED


@pytest.fixture(scope="session")
def small():
    """The built-in synthetic case, about 96 x 96 x 25 voxels, with its truth."""
    from VSClickCorrectResearch.simulation.synthesis import small_case

    return small_case(0)


def pytest_terminal_summary(terminalreporter, config):
    """In a thorough run say how many examples each property held on."""
    if config.getoption("--hypothesis-profile") != "thorough":
        return
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    counts = {report.nodeid: count for report in reports if (count := count_of(report))}
    terminalreporter.section("examples that each property held on")
    for name, count in counts.items():
        terminalreporter.write_line(f"{count:7d}  {name}")
    terminalreporter.write_line(f"{sum(counts.values()):7d}  in {len(counts)} properties")


@pytest.fixture(scope="module")
def forked_children():
    """Jobs whose children have imported torch already, where how a child starts is not what is tested."""
    from forking import children_forked

    with children_forked():
        yield


@pytest.fixture
def make_drive(tmp_path):
    """Make a small drive that a test may fill, protect or take away; skipped where none can be mounted."""
    from drives import Drive

    drives = []

    def make(kilobytes):
        drives.append(Drive(tmp_path / "drive", kilobytes))
        return drives[-1]

    yield make
    for drive in drives:
        drive.close()
