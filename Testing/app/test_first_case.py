"""The case with which the app is started, which comes while the page is there already."""

import asyncio
from concurrent.futures import Future

from bright_ball import CENTER, ball, ball_volume
from trame.app import get_server
from VSClickCorrectApp.application import BrowserApp
from VSClickCorrectApp.uploads import Uploads
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.workflow.opened_case import OpenedCase


def test_a_case_that_comes_late_does_not_replace_one_that_was_opened_meanwhile(bright_models):
    app = BrowserApp(Choice(str(bright_models), "", "cpu"), Uploads(), get_server("first", "vue3"))
    workbench, given = app.flow.workbench, Future()

    async def start():
        beginning = asyncio.create_task(app.begin(given))
        workbench.open(OpenedCase("sent", ball_volume(), None, ball(radius=5.0)))
        await workbench.begin()
        workbench.under_way.place(Click(CENTER, ClickKind.EXCLUDE))
        given.set_result(OpenedCase("given", ball_volume(), None, ball(radius=3.0)))
        await beginning
        assert workbench.case.name == "sent" and len(app.flow.clicks.rows) == 1
        said = app.status.typed_state.data
        assert said.is_error and said.message.startswith("Another case was opened while given was read")
        app.close()

    asyncio.run(start())
