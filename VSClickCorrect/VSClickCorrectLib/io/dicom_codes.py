"""Codes and names that stand in what is written as DICOM: what was segmented, and by what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from VSClickCorrectLib import __version__
from VSClickCorrectLib.io.dicom_headers import needed
from VSClickCorrectLib.io.dicom_source import TASK

if TYPE_CHECKING:
    from pydicom.sr.coding import Code

NAME = "Vestibular schwannoma"
MAKER = "VSClickCorrect"
VERSION = __version__
# Of the series in a study; those of scanners are smaller.
SEGMENTATION_SERIES, REPORT_SERIES, CONTOUR_SERIES = 9001, 9002, 9003
_CODES = {
    # SNOMED CT 126949007 is "acoustic neuroma", of which "vestibular schwannoma" is a synonym.
    "tumour": ("126949007", "SCT", NAME),
    "category": ("49755003", "SCT", "Morphologically Abnormal Structure"),
    "nerve": ("8598002", "SCT", "Vestibulocochlear nerve"),
    "family": ("123110", "DCM", "Artificial Intelligence"),
    "procedure": ("24590-2", "LN", "Brain MRI"),
    "volume": ("118565006", "SCT", "Volume"),
    "longest": ("103339001", "SCT", "Long axis"),
    "across": ("103340004", "SCT", "Short axis"),
    "axial": ("24422004", "SCT", "Axial"),
    "mm3": ("mm3", "UCUM", "cubic millimeter"),
    "mm": ("mm", "UCUM", "millimeter"),
}


def identity(series: int) -> dict[str, Any]:
    """Return what highdicom asks of every object: its own UIDs, its series, and what made it."""
    hd = needed("highdicom", TASK)
    return {
        "series_instance_uid": hd.UID(),
        "series_number": series,
        "sop_instance_uid": hd.UID(),
        "instance_number": 1,
        "manufacturer": MAKER,
        "manufacturer_model_name": MAKER,
        "software_versions": VERSION,
        "device_serial_number": VERSION,
    }


def code(name: str) -> Code:
    """Return a code by our name for it; raises `ImageError` if pydicom is not installed."""
    return needed("pydicom.sr.coding", TASK).Code(*_CODES[name])
