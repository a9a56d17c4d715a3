"""A three-class network trained in seconds, released, and run in the module: from cases to a diameter."""

from dataclasses import replace

import numpy as np
import pytest
from VSClickCorrectLib.cli.main import main
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.measure.tumour_parts import PARTS
from VSClickCorrectLib.mrml.part_segments import part_ids
from VSClickCorrectLib.mrml.segment_mask import SegmentMask

TEXT = """\
role = "parts"
classes = ["intrameatal", "extrameatal", "cochlea"]
channels = ["t1ce", "t2", "mask"]
[network]
name = "unet3d"
in_channels = 3
out_channels = 4
channels = [4, 8]
each_sample = true
[geometry]
spacing = [2.0, 1.5, 1.5]
shape = [16, 24, 24]
[examples]
crop = [16, 24, 24]
[loss]
name = "generalised_dice"
entropy = 1.0
[course]
batch = 2
steps = 40
val_every = 40
learning_rate = 1e-2
"""


@pytest.fixture
def models(tmp_path, small):
    """A folder with a model that `vsclick train` has made of one case in a list."""
    from VSClickCorrectResearch.simulation.inner_ear import MEASURED_PLACE
    from VSClickCorrectResearch.simulation.phantom import phantom_head
    from VSClickCorrectResearch.simulation.true_parts import true_parts

    head = phantom_head(np.random.default_rng(0), 2.0, MEASURED_PLACE)
    write_volume(tmp_path / "T1ce.nii.gz", small.t1ce)
    write_volume(tmp_path / "T2.nii.gz", small.t2)
    classes = true_parts(head, small.grid, small.truth)
    write_volume(tmp_path / "classes.nii.gz", replace(small.t1ce, array=classes))
    write_mask(tmp_path / "tumour.nii.gz", small.truth, small.grid)
    lists = tmp_path / "classes.csv"
    lists.write_text("case,t1ce,t2,label\none,T1ce.nii.gz,T2.nii.gz,classes.nii.gz\n")
    (tmp_path / "tiny.toml").write_text(TEXT)
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "manifest.json").write_text('{"format": 1, "models": []}')
    words = ["train", str(tmp_path / "tiny.toml"), "--training", str(lists), "--validation", str(lists)]
    words += [
        "--output",
        str(tmp_path / "run"),
        "--threads",
        "1",
        "--device",
        "cpu",
        "--release",
        "parts-tiny",
    ]
    assert main([*words, "--models", str(folder)]) == 0
    return folder


def test_module_parts_the_tumour_by_a_network_that_train_made(widget, begun, models, small, wait, desktop):
    flow = widget.panel.flow
    # Where there are no models at all, and where there is one of parts.
    for folder, hidden in ((models.parent, True), (models, False)):
        flow.networks.choice = Choice(str(folder), "", "cpu")
        flow.workbench.changed.emit()
        assert widget.ui.partsButton.isHidden() == hidden
    widget.ui.partsButton.click()
    segmentation, _ = flow.workbench.segment
    ids = part_ids(segmentation)
    assert list(ids) == list(PARTS), widget.ui.statusLabel.text
    volume = flow.workbench.reference
    masks = {name: SegmentMask(segmentation, one, volume).read(small.grid.box) for name, one in ids.items()}
    tumour = flow.workbench.values()
    np.testing.assert_array_equal(masks["intrameatal"] | masks["extrameatal"], tumour)
    assert not (masks["intrameatal"] & masks["extrameatal"]).any()
    assert not (masks["cochlea"] & tumour).any()
    assert "Largest extrameatal axial diameter" in widget.ui.partsLabel.text
    widget.ui.copyButton.click()
    assert "Largest extrameatal axial diameter" in desktop.app.texts[-1]
    assert wait(lambda: widget.ui.volumeLabel.text != "–")
