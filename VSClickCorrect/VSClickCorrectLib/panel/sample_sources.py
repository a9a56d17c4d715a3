"""What the module Sample Data offers of this one.

Slicer imports it as it starts, so it imports next to nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import slicer
from slicer.i18n import tr as _


def register(sample_data_logic: Any, icons: Path) -> None:
    """Offer both cases in the module Sample Data.

    Parameters
    ----------
    sample_data_logic : SampleData.SampleDataLogic
        The class.
    icons : Path
        The folder with the thumbnails.
    """
    offers = (
        (_("Vestibular schwannoma, synthetic"), "synthetic.png", load_synthetic),
        (_("Vestibular schwannoma, VS-SEG-001"), "vs-seg.png", load_vs_seg),
    )
    for title, thumbnail, action in offers:
        sample_data_logic.registerCustomSampleDataSource(
            category="VSClickCorrect",
            sampleName=title,
            uris=[],
            fileNames=[],
            nodeNames=[],
            checksums=[],
            loadFiles=[],
            loadFileTypes=[],
            thumbnailFileName=str(icons / thumbnail),
            customDownloader=action,
        )


def load_synthetic(_source: Any) -> None:
    """Load the sample case and show it."""
    from VSClickCorrectLib.panel.samples import add_synthetic_case

    with slicer.util.tryWithErrorDisplay(_("The case could not be read."), waitCursor=True):
        t1ce, t2 = add_synthetic_case(slicer.mrmlScene)
        slicer.util.setSliceViewerLayers(background=t1ce, foreground=t2, foregroundOpacity=0, fit=True)


def load_vs_seg(_source: Any) -> None:
    """Download VS-SEG-001, after asking, and show it."""
    import SampleData

    from VSClickCorrectLib.panel.samples import add_vs_seg_001, consent_question

    if not slicer.util.confirmOkCancelDisplay(consent_question()):
        return
    with slicer.util.tryWithErrorDisplay(_("The case could not be downloaded."), waitCursor=True):
        logic = SampleData.SampleDataLogic()
        volume = add_vs_seg_001(slicer.mrmlScene, logic.downloadFileIntoCache)
        slicer.util.setSliceViewerLayers(background=volume, foreground=None, fit=True)
