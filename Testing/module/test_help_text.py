"""What the module's help tells a newcomer to press is there, and in the order in which it can be pressed."""

import re
import xml.etree.ElementTree as ET

import pytest
from module_files import MODULE

UI = MODULE / "Resources" / "UI" / "VSClickCorrect.ui"
SAMPLE_NAME = "Vestibular schwannoma, synthetic"


@pytest.fixture
def named(module):
    """What the help names, in its order."""
    from VSClickCorrectLib.panel.help_text import help_text

    return re.findall(r"<i>(.*?)</i>", help_text())


@pytest.fixture
def sample(module, headless):
    """The two volumes that Sample Data adds."""
    from VSClickCorrectLib.panel.samples import add_synthetic_case

    return add_synthetic_case(headless.scene)


def test_what_it_names_is_there(named, sample):
    shown = {text.text.rstrip(":") for text in ET.parse(UI).iter("string") if text.text}
    assert len(named) > 6
    assert not set(named) - shown - {SAMPLE_NAME, *(node.GetName() for node in sample)}


def test_the_tumour_is_looked_for_once_volumes_are_chosen(widget, named, sample):
    # Volumes that are in the scene are not chosen yet.
    assert not widget.ui.initialButton.enabled
    widget.ui.t1ceSelector.setCurrentNode(sample[0])
    assert widget.ui.initialButton.enabled
    assert named.index("T1 with contrast") < named.index("T2") < named.index("Find the tumour")
