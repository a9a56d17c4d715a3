"""DICOM SEG: a mask as a DICOM segmentation object, whose frames lie on the slices of the series."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io import dicom_codes
from VSClickCorrectLib.io.dicom_codes import code
from VSClickCorrectLib.io.dicom_headers import needed
from VSClickCorrectLib.io.dicom_source import TASK, SourceSeries

if TYPE_CHECKING:
    from highdicom.seg import Segmentation, SegmentDescription

_COLOUR = (230, 159, 0)


def segmentation_of(
    source: SourceSeries, values: np.ndarray, grid: Grid, automatic: bool = False
) -> Segmentation:
    """Return a mask as a DICOM SEG of one segment that refers to every slice on which it is.

    Parameters
    ----------
    source : SourceSeries
        The images on which it was drawn.
    values : ndarray of bool
        ``(K, J, I)``.
    grid : Grid
        The grid of these images.
    automatic : bool
        Whether no person had a part in it.

    Raises
    ------
    ImageError
        If highdicom is not installed, or the mask lies on another grid than the images.
    """
    seg, hd = needed("highdicom.seg", TASK), needed("highdicom", TASK)
    rows, columns, step = source.grid.spacing[[1, 0, 2]].round(9).tolist()
    first = source.frames[0]
    return seg.Segmentation(
        source_images=list(source.headers),
        pixel_array=source.as_stored(source.arranged(values, grid)).astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=[_description(automatic)],
        **dicom_codes.identity(dicom_codes.SEGMENTATION_SERIES),
        content_description=dicom_codes.NAME,
        content_label="TUMOUR",
        series_description=f"{dicom_codes.NAME}, segmentation",
        pixel_measures=hd.PixelMeasuresSequence((rows, columns), step, step),
        plane_orientation=hd.PlaneOrientationSequence("PATIENT", [*first.row, *first.column]),
    )


def _description(automatic: bool) -> SegmentDescription:
    seg, hd = needed("highdicom.seg", TASK), needed("highdicom", TASK)
    return seg.SegmentDescription(
        segment_number=1,
        segment_label=dicom_codes.NAME,
        segmented_property_category=code("category"),
        segmented_property_type=code("tumour"),
        algorithm_type="AUTOMATIC" if automatic else "SEMIAUTOMATIC",
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            dicom_codes.MAKER, code("family"), dicom_codes.VERSION
        ),
        tracking_uid=hd.UID(),
        tracking_id=dicom_codes.NAME,
        anatomic_regions=[code("nerve")],
        display_color=hd.color.CIELabColor.from_rgb(*_COLOUR),
    )
