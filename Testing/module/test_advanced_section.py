"""The section Advanced: models, learning and the device."""

from pythonqt import bare


def test_folder_without_models_is_said_to_hold_none(widget, begun, tmp_path):
    widget.ui.modelsFolderPath.currentPath = str(tmp_path)
    assert "no manifest.json" in widget.ui.statusLabel.text


def test_models_of_ones_own_are_offered_and_kept_for_the_next_time(widget, bright_models, desktop):
    from pythonqt import Settings

    widget.ui.modelsFolderPath.currentPath = str(bright_models)
    names = [bare(widget.ui.modelSelector).itemText(i) for i in range(widget.ui.modelSelector.count)]
    assert widget.panel.advanced.choice.folder == str(bright_models)
    assert widget.panel.advanced.choice.corrector in names
    assert Settings.values["VSClickCorrect/ModelsFolder"] == str(bright_models)


def test_learning_is_switched_on_by_the_user_and_stays_so(widget, bright_models, user_data):
    from pythonqt import Settings
    from VSClickCorrectLib.inference.adapted_models import keep_adapted
    from VSClickCorrectLib.inference.manifest import ModelFolder

    flow = widget.panel.flow
    assert not flow.learning.on and not widget.ui.learnCheckBox.checked
    widget.ui.learnCheckBox.click()
    assert flow.learning.on and Settings.values["VSClickCorrect/Learn"] == "yes"
    widget.ui.modelsFolderPath.currentPath = str(bright_models)
    models = ModelFolder(bright_models)
    tensors = {n: t.half() for n, t in models.load_as_trained(models.entry("corrector")).state_dict().items()}
    told = {"cases": 5, "own": [0.1, 0.2], "builtin": [0.3, 0.3]}
    kept = keep_adapted(models.entry("corrector"), tensors, told)
    flow.networks.choice = flow.networks.choice._replace(corrector=kept.name)
    flow.learning.changed.emit()
    section = widget.panel.advanced
    assert section.choice.corrector == kept.name and section.choice.correctors() == ["mend", kept.name]
    widget.ui.modelSelector.currentIndex = 0
    assert flow.networks.choice.corrector == "mend"
    widget.ui.learnCheckBox.click()
    assert not flow.learning.on and Settings.values["VSClickCorrect/Learn"] == ""


def test_models_are_listed_once_the_packages_that_read_them_are_installed(widget, bright_models, monkeypatch):
    from VSClickCorrectLib.panel import advanced

    section = widget.panel.advanced
    monkeypatch.setattr(advanced, "unfit_packages", lambda: {"fastjsonschema": ""})
    widget.ui.modelsFolderPath.currentPath = str(bright_models)
    assert (widget.ui.modelSelector.count, section.choice.corrector) == (0, "")
    section.warm_up()
    assert widget.ui.modelSelector.count == 0
    monkeypatch.setattr(advanced, "unfit_packages", dict)
    section.warm_up()
    names = [bare(widget.ui.modelSelector).itemText(i) for i in range(widget.ui.modelSelector.count)]
    assert names == section.choice.correctors()
    assert section.choice.corrector == names[0]
