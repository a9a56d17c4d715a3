"""A small case for the app, the app in this process without a browser, and a real Chromium."""

import asyncio
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from app_server import CHROMIUM, AppServer, ForkedApp
from bright_ball import ball, ball_volume, write_image

# What passes pages on, or knows numbers alone, needs no page of its own.
_WITHOUT_PAGES = {
    "test_brush.py",
    "test_gateway.py",
    "test_intensity_windows.py",
    "test_mask_changes.py",
    "test_serve.py",
}
collect_ignore = [
    path.name
    for path in Path(__file__).parent.glob("test_*.py")
    if path.name not in _WITHOUT_PAGES and find_spec("trame_slicer") is None
]

# Each context would load two pages for a field to type addresses in, which take longer than ours. The last
# list of features counts, so what playwright switches off is in it, too.
_UNUSED = [
    "WebUIOmniboxAimPopup",
    "WebUIOmniboxPopup",
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
]
# In a container there is no sandbox, and nothing but the page itself is to be loaded.
_QUIET = [
    f"--disable-features={','.join(_UNUSED)}",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
START_RADIUS_MM = 5.0


@pytest.fixture(scope="module", autouse=True)
def _forked(forked_children):
    """What the children of jobs do is tested with the jobs."""


@pytest.fixture(scope="session")
def case_files(tmp_path_factory):
    """T1ce, T2 and start as NIfTI files."""
    folder = tmp_path_factory.mktemp("case")
    return SimpleNamespace(
        t1ce=write_image(folder / "t1ce.nii.gz", ball_volume().array),
        t2=write_image(folder / "t2.nii.gz", ball_volume(t2=True).array),
        mask=write_image(folder / "mask.nii.gz", ball(radius=START_RADIUS_MM).astype(np.uint8)),
    )


@pytest.fixture(scope="module")
def slicer_app():
    """The app's scene, in this process."""
    from trame_slicer.core import SlicerApp

    return SlicerApp()


@pytest.fixture(scope="module")
def browser_app(request, bright_models):
    """The app with its page, in this process without a browser.

    ``run`` runs a coroutine in its loop, ``open_ball`` opens a case of the bright ball by name.
    """
    from trame.app import get_server
    from VSClickCorrectApp.application import BrowserApp
    from VSClickCorrectApp.uploads import Uploads
    from VSClickCorrectLib.inference.manifest import Choice
    from VSClickCorrectLib.workflow.opened_case import OpenedCase

    server = get_server(request.module.__name__, "vue3")
    made = BrowserApp(Choice(str(bright_models), "", "cpu"), Uploads(), server)
    loop = asyncio.new_event_loop()
    made.run = loop.run_until_complete

    async def begin(name):
        start = ball(radius=START_RADIUS_MM)
        made.flow.workbench.open(OpenedCase(name, ball_volume(), ball_volume(t2=True), start))
        await made.flow.workbench.begin()

    made.open_ball = lambda name: made.run(begin(name))

    async def closed():
        made.close()

    yield made
    made.run(closed())
    loop.close()


@pytest.fixture
def parts(slicer_app, bright_models):
    """The workflow as the page has it, with no page: what waits for the views to draw is done at once."""
    from trame_server import Server
    from VSClickCorrectApp.page_host import PageHost
    from VSClickCorrectApp.shown_case import ShownCase
    from VSClickCorrectApp.status import Status
    from VSClickCorrectLib.inference.manifest import Choice
    from VSClickCorrectLib.workflow.workflow import Workflow

    class Host(PageHost):
        def later(self, seconds, action):
            if seconds < 1:
                action()

    server = Server()
    status = Status(server.state)
    host = Host(server.state, status)
    choice = Choice(str(bright_models), "", "cpu")
    flow = Workflow(host, slicer_app.scene, lambda case: ShownCase(slicer_app.scene, case), choice)
    message = status.typed_state.data
    yield SimpleNamespace(
        server=server, status=status, host=host, flow=flow, workbench=flow.workbench, message=message
    )
    flow.worklist.worklist = None
    flow.workbench.close()


@pytest.fixture(scope="module")
def start_app(tmp_path_factory):
    """Start the app with arguments, as its command does; it ends with the module."""
    yield from _started(AppServer, tmp_path_factory)


@pytest.fixture(scope="module")
def serve_app(tmp_path_factory):
    """Serve a page in a process that has imported everything already; it ends with the module."""
    yield from _started(ForkedApp, tmp_path_factory)


def _started(kind, tmp_path_factory):
    servers = []

    def start(*arguments, **environment):
        log = tmp_path_factory.mktemp("server") / "log.txt"
        servers.append(kind(*arguments, log=log, **environment))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture(scope="session")
def browser():
    """A running Chromium, and the event loop on which playwright talks with it."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed; on Debian or Ubuntu: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=_QUIET)
        # As some people have it: what moves by itself is drawn sixty times a second, a quarter of all work.
        chromium.new_context = partial(chromium.new_context, reduced_motion="reduce")
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield SimpleNamespace(chromium=chromium, loop=loop)
        asyncio._set_running_loop(loop)
        chromium.close()


@pytest.fixture(scope="module")
def chromium(browser):
    """A running Chromium; other modules run event loops of their own, so its own rests after a module."""
    asyncio._set_running_loop(browser.loop)
    yield browser.chromium
    asyncio._set_running_loop(None)
