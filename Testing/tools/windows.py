"""The two windows behind one way to drive them: the panel's widgets, and the page without a browser."""

from __future__ import annotations

import asyncio

from guide_pictures import open_module
from pythonqt import bare
from slicer_desktop import application
from trame_server import Server
from trame_slicer.core import SlicerApp
from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectApp.logic.clicks_logic import ClicksLogic
from VSClickCorrectApp.logic.worklist_logic import WorklistLogic
from VSClickCorrectApp.page_host import PageHost
from VSClickCorrectApp.page_keys import PAGE_KEYS
from VSClickCorrectApp.shown_case import ShownCase
from VSClickCorrectApp.status import Status
from VSClickCorrectLib.workflow.workflow import Workflow
from VSClickCorrectLib.worklist.worklist import Worklist
from worklist_panel import choose, open_worklist


class PanelWindow:
    """The Slicer module's panel, of real widgets."""

    def __init__(self, folder, corrector):
        application()
        self._folder, self._headless = folder, HeadlessScene()
        self._widget, self._desktop = open_module(self._headless.scene)
        self._ui = self._widget.ui
        for selector in self._selectors:
            selector.setMRMLScene(self._headless.scene)
        self.flow = self._widget.panel.flow
        self.flow.networks.corrector = corrector
        self.questions, self.answers = self._desktop.questions, self._desktop.answers
        self._keys = {key: action for key, _, action in self._widget.panel.shortcuts()}

    @property
    def status(self):
        return self._ui.statusLabel.text

    def open(self):
        open_worklist(self._widget, self._folder)
        self._settle()

    def press(self, verb):
        getattr(self._ui, f"{verb}CaseButton").click()
        self._settle()

    def key(self, name):
        with self._widget.reporting():
            self._keys[name]()
        self._settle()

    def go_to(self, index):
        choose(self._widget, index)
        self._settle()

    def click(self, click):
        button = getattr(self._ui, f"{click.kind.value}Button")
        if not button.checked:
            button.click()
        node = self._widget.panel.correction.click_node(click.kind)
        # What the panel imports of Slicer is there once its module was opened.
        from VSClickCorrectLib.panel.self_test import click_in_view

        click_in_view(node, self.flow.workbench.reference, click.position_ras)
        self._settle()

    def remove(self, row):
        bare(self._ui.clickTable).selectRow(row - 1)
        self._ui.removeButton.click()
        self._settle()

    def collect(self, collecting):
        bare(self._ui.collectCheckBox).setChecked(collecting)

    def comment(self, text):
        self._ui.commentEdit.text = text
        bare(self._ui.commentEdit).editingFinished.emit()

    def close(self):
        assert self._desktop.faults == []
        self._widget.cleanup()
        for selector in self._selectors:
            selector.setMRMLScene(None)
        self._headless.close()

    def _settle(self):
        application().processEvents()
        self.flow.workbench.settle()

    @property
    def _selectors(self):
        return self._ui.t1ceSelector, self._ui.t2Selector, self._ui.segmentSelector


class PageWindow:
    """What the page's controls are bound to, with an event loop of its own and neither views nor browser."""

    def __init__(self, folder, corrector):
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self.questions, self.answers = [], []
        server, slicer_app = Server(), SlicerApp()
        self._status = Status(server.state)
        self._host = PageHost(server.state, self._status)
        self.flow = Workflow(self._host, slicer_app.scene, lambda case: ShownCase(slicer_app.scene, case))
        self.flow.networks.corrector = corrector
        self._clicks = ClicksLogic(server, slicer_app, self._host, self.flow)
        self._worklist = WorklistLogic(server, self._host, self.flow)
        self._state, self._slicer_app = server.state, slicer_app
        self._state.ready()

    @property
    def status(self):
        return self._status.typed_state.data.message

    def open(self):
        worklist = Worklist.open(self._folder / "cases", self._folder / "results", "AB")
        self._do(self._host.bound(self.flow.worklist.begin), worklist)

    def press(self, verb):
        self._do(getattr(self._worklist, verb))

    def key(self, name):
        action = next(key.action for key in PAGE_KEYS if key.name == name)
        self._do(getattr(self._clicks, action))

    def go_to(self, index):
        self._do(self._worklist.go_to, self.flow.worklist.rows[index].case.name)

    def click(self, click):
        self._clicks.choose(click.kind.value)
        self._do(self._clicks.place, click.position_ras)

    def remove(self, row):
        self._do(self._clicks.remove, row)

    def collect(self, collecting):
        self._do(setattr, self._clicks.typed_state.data, "collecting", collecting)

    def comment(self, text):
        self._do(self._worklist.comment, text, self._worklist.typed_state.data.current)

    def close(self):
        self._do(self.flow.worklist.close)
        self._host.end()
        self.flow.workbench.close()
        self._loop.close()

    def _do(self, action, *arguments):
        async def doing():
            with self._state:
                action(*arguments)
            await asyncio.sleep(0.01)
            while self.flow.worklist.busy:
                if question := self._host.typed_state.data.text:
                    self.questions.append(question)
                    self._host.answer(self.answers.pop(0))
                await asyncio.sleep(0.01)
            self.flow.workbench.settle()

        self._loop.run_until_complete(asyncio.wait_for(doing(), 60))
