"""The page as it is written out for browsers."""

import asyncio
from collections import Counter

from trame.app import get_server
from trame_client.widgets.core import AbstractElement
from VSClickCorrectApp.application import BrowserApp
from VSClickCorrectApp.uploads import Uploads
from VSClickCorrectLib.inference.manifest import Choice


def test_elements_are_not_written_with_each_of_those_that_they_lie_in(bright_models, monkeypatch):
    written, html = Counter(), AbstractElement.html.fget

    def counted(element):
        written[element] += 1
        return html(element)

    monkeypatch.setattr(AbstractElement, "html", property(counted))
    app = BrowserApp(Choice(str(bright_models), "", "cpu"), Uploads(), get_server("written", "vue3"))

    async def close():
        app.close()

    asyncio.run(close())
    assert len(written) > 500
    # But for the few of each view, which trame-slicer makes.
    assert written.total() < 1.2 * len(written)
