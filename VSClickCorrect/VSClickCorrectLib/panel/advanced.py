"""The section Advanced: models, device, weights, merge."""

from __future__ import annotations

from pathlib import Path

from slicer.i18n import tr as _

from VSClickCorrectLib.clicks.merging import MERGES
from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.manifest import DEVICES, Choice
from VSClickCorrectLib.panel.packages import unfit_packages
from VSClickCorrectLib.panel.parameters import SceneParameters
from VSClickCorrectLib.panel.section import Connection, Section


class AdvancedSection(Section):
    """What runs and how it is used. Models, device and folder are the user's, the rest is the scene's."""

    def __init__(self, ui, desktop, flow, parameters: SceneParameters) -> None:
        super().__init__(ui, desktop, flow)
        self._parameters = parameters
        names = (_("automatic"), _("graphics card (CUDA)"), _("Apple GPU (MPS)"), _("processor"))
        self.ui.deviceSelector.addItems(list(names))
        self.ui.mergeSelector.addItems([_(name) for name in MERGES])
        device = self.desktop.setting("Device")
        self.ui.deviceSelector.currentIndex = DEVICES.index(device) if device in DEVICES else 0
        self.ui.modelsFolderPath.currentPath = self.desktop.setting("ModelsFolder")
        self._list_models()
        self.flow.networks.choice = self.choice
        self.ui.learnCheckBox.checked = self.flow.learning.on = self.desktop.setting("Learn") == "yes"
        self.flow.learning.changed.connect(self._learned)

    @property
    def choice(self) -> Choice:
        """The models that are chosen."""
        index = self.ui.modelSelector.currentIndex
        return Choice(
            self.ui.modelsFolderPath.currentPath.strip(),
            self._names[index] if 0 <= index < len(self._names) else "",
            DEVICES[self.ui.deviceSelector.currentIndex],
        )

    def connections(self) -> list[Connection]:
        """See `Section.connections`."""
        return [
            Connection("deviceSelector", "currentIndexChanged(int)", self.other_models),
            Connection("modelSelector", "currentIndexChanged(int)", self.other_models),
            Connection("modelsFolderPath", "currentPathChanged(QString)", self.other_folder),
            Connection("learnCheckBox", "clicked()", self.learn),
            Connection("mergeSelector", "currentIndexChanged(int)", self.other_merge),
        ]

    def warm_up(self) -> None:
        """Load the models while nobody waits for them."""
        if unfit_packages():
            return
        if not self._names:
            self._list_models()
        if self._parameters.node is not None and not self.flow.networks.is_loaded():
            self.host.start(self._load())

    def other_models(self) -> None:
        """Use the chosen models from the next click on."""
        self.desktop.keep_setting("Device", self.choice.device)
        self.flow.networks.choice = self.choice
        self.host.start(self.workbench.follow())

    def other_folder(self) -> None:
        """Use the models of another folder, once it holds some."""
        folder = self.ui.modelsFolderPath.currentPath.strip()
        if folder and not (Path(folder) / "manifest.json").is_file():
            sentence = _("{folder} holds no manifest.json; name a folder with models, or none.")
            raise ModelError(sentence.format(folder=folder))
        self.desktop.keep_setting("ModelsFolder", folder)
        self._list_models()
        self.other_models()

    def learn(self) -> None:
        """Learn from accepted cases from now on, or no more."""
        on = bool(self.ui.learnCheckBox.checked)
        self.desktop.keep_setting("Learn", "yes" if on else "")
        self.flow.learning.on = on

    def other_merge(self) -> None:
        """Use the chosen merge from the next click on."""
        if self._parameters.node is not None:
            self._parameters.node.merge = tuple(MERGES)[self.ui.mergeSelector.currentIndex]

    def refresh(self) -> None:
        """See `Section.refresh`."""
        self.ui.mergeSelector.currentIndex = tuple(MERGES).index(self._parameters.node.merge)

    def _learned(self) -> None:
        """Offer what was learned, and show the corrector that is used now."""
        self._list_models()
        corrector = self.flow.networks.choice.corrector
        if corrector in self._names:
            self.ui.modelSelector.blockSignals(True)
            self.ui.modelSelector.currentIndex = self._names.index(corrector)
            self.ui.modelSelector.blockSignals(False)

    async def _load(self) -> None:
        self.desktop.show_status(_("Loading the networks…"))
        await self.flow.networks.load()
        self.desktop.show_status("")

    def _list_models(self) -> None:
        folder = self.ui.modelsFolderPath.currentPath.strip()
        try:
            # What reads a manifest may not be installed yet; until then it is the folder's first corrector.
            self._names = [] if unfit_packages() else Choice(folder).correctors()
        except ModelError as error:
            self.host.fail(error)
            self._names = []
        self.ui.modelSelector.blockSignals(True)
        self.ui.modelSelector.clear()
        self.ui.modelSelector.addItems(self._names)
        self.ui.modelSelector.blockSignals(False)
