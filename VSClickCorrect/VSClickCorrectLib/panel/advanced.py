"""The section Advanced: models, device, weights, merge; and the packages that all of it needs."""

from __future__ import annotations

from pathlib import Path

from slicer.i18n import tr as _

from VSClickCorrectLib.errors import ModelError
from VSClickCorrectLib.inference.models import ModelFolder
from VSClickCorrectLib.panel.packages import unfit_packages
from VSClickCorrectLib.panel.section import Connection, Section
from VSClickCorrectLib.panel.workbench import Choice

DEVICES = ("auto", "cuda", "mps", "cpu")
MERGES = ("progressive", "blend", "replace")


class AdvancedSection(Section):
    """What runs and how it is used. Models, device and folder are the user's, the rest is the scene's."""

    def __init__(self, panel) -> None:
        super().__init__(panel)
        names = (_("automatic"), _("graphics card (CUDA)"), _("Apple GPU (MPS)"), _("processor"))
        self.ui.deviceSelector.addItems(list(names))
        self.ui.mergeSelector.addItems([_("progressive"), _("blend"), _("replace")])
        device = self.desktop.setting("Device")
        self.ui.deviceSelector.currentIndex = DEVICES.index(device) if device in DEVICES else 0
        self.ui.modelsFolderPath.currentPath = self.desktop.setting("ModelsFolder")
        self._list_models()

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
            Connection("mergeSelector", "currentIndexChanged(int)", self.other_merge),
        ]

    def install(self) -> bool:
        """Ask for packages that are missing or too old; return whether everything is there."""
        return not unfit_packages() or self.desktop.install_packages(self.panel.say)

    def warm_up(self) -> None:
        """Load the models while nobody waits for them."""
        if self.panel.parameters is None or unfit_packages() or self.panel.workbench.is_loaded(self.choice):
            return
        self.desktop.show_status(_("Loading the networks…"))
        with self.desktop.waiting():
            self.panel.workbench.load(self.choice)
        self.desktop.show_status("")

    def other_models(self) -> None:
        """Use the chosen models from the next click on."""
        self.desktop.keep_setting("Device", self.choice.device)
        if self.panel.correction is not None:
            self.panel.begin()

    def other_folder(self) -> None:
        """Use the models of another folder, once it holds some."""
        folder = self.ui.modelsFolderPath.currentPath.strip()
        if folder and not (Path(folder) / "manifest.json").is_file():
            sentence = _("{folder} holds no manifest.json; name a folder with models, or none.")
            raise ModelError(sentence.format(folder=folder))
        self.desktop.keep_setting("ModelsFolder", folder)
        self._list_models()
        self.other_models()

    def other_merge(self) -> None:
        """Use the chosen merge from the next click on."""
        if self.panel.parameters is not None:
            self.panel.parameters.merge = MERGES[self.ui.mergeSelector.currentIndex]

    def refresh(self) -> None:
        """See `Section.refresh`."""
        self.ui.mergeSelector.currentIndex = MERGES.index(self.panel.parameters.merge)

    def _list_models(self) -> None:
        folder = self.ui.modelsFolderPath.currentPath.strip()
        try:
            entries = list(ModelFolder(Path(folder) if folder else None).entries.values())
        except ModelError as error:
            self.panel.say(error)
            entries = []
        self._names = [entry.name for entry in entries if entry.role == "corrector"]
        self.ui.modelSelector.blockSignals(True)
        self.ui.modelSelector.clear()
        self.ui.modelSelector.addItems(self._names)
        self.ui.modelSelector.blockSignals(False)
