"""DICOM SEG: a mask as a DICOM segmentation object, whose frames lie on the slices of the series."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.geometry.grid import Grid
from VSClickCorrectLib.io import dicom_codes
from VSClickCorrectLib.io.dicom_codes import code
from VSClickCorrectLib.io.dicom_headers import needed, undamaged
from VSClickCorrectLib.io.dicom_source import TASK, SourceFrame, SourceSeries

if TYPE_CHECKING:
    from highdicom import PixelMeasuresSequence, PlaneOrientationSequence
    from highdicom.seg import Segmentation, SegmentDescription
    from pydicom import Dataset

_COLOUR = (230, 159, 0)
_SLICE = "1.2.840.10008.5.1.4.1.1.4"
_SIZES = ("PixelSpacing", "SliceThickness", "SpacingBetweenSlices")
# What makes a file one of several frames.
_OF_FRAMES = ("NumberOfFrames", "SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")


def segmentation_object(
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
        If highdicom is not installed, the mask lies on another grid than the images, or these are several
        files of many frames each.
    """
    with undamaged(source.path):
        seg, hd = needed("highdicom.seg", TASK), needed("highdicom", TASK)
        rows, columns, step = source.grid.spacing[[1, 0, 2]].round(9).tolist()
        first = source.frames[0]
        measures = hd.PixelMeasuresSequence((rows, columns), step, step)
        orientation = hd.PlaneOrientationSequence("PATIENT", [*first.row, *first.column])
        written = seg.Segmentation(
            source_images=_images(source, measures, orientation),
            pixel_array=source.as_stored(source.arranged(values, grid)).astype(np.uint8),
            segmentation_type="BINARY",
            segment_descriptions=[_description(automatic)],
            **dicom_codes.identity(dicom_codes.SEGMENTATION_SERIES),
            content_description=dicom_codes.NAME,
            content_label="TUMOUR",
            series_description=f"{dicom_codes.NAME}, segmentation",
            pixel_measures=measures,
            plane_orientation=orientation,
            # Of an empty mask it says on the terminal that it cannot.
            omit_empty_frames=bool(values.any()),
        )
        _name_kinds(written, source.headers)
        return written


def _images(
    source: SourceSeries, measures: PixelMeasuresSequence, orientation: PlaneOrientationSequence
) -> list[Dataset]:
    """Return the images as highdicom takes them, all of one size and turned alike.

    It takes over what the first of them says, a distance of slices that is none, say, rather than what it is
    given, refuses others that differ in the last digit, and looks for both in one place alone.
    """
    if len(source.headers) == len(source.frames):
        return [_as_slice(frame, measures, orientation) for frame in source.frames]
    if len(source.headers) > 1:
        raise ImageError(
            f"{source.path} holds {len(source.headers)} files of many frames each, to which no segmentation "
            "can refer; save the mask as NIfTI or NRRD."
        )
    [image] = source.headers
    told: Dataset | dict = next(iter(image.get("SharedFunctionalGroupsSequence", ())), {})
    shared = _with(told, PixelMeasuresSequence=measures, PlaneOrientationSequence=orientation)
    return [_with(image, SharedFunctionalGroupsSequence=[shared])]


def _as_slice(
    frame: SourceFrame, measures: PixelMeasuresSequence, orientation: PlaneOrientationSequence
) -> Dataset:
    """Return an image of one slice as a file of its own; one of one frame is told as such, too."""
    told = {keyword: measures[0][keyword].value for keyword in _SIZES}
    return _with(
        frame.header,
        SOPClassUID=frame.header.SOPClassUID if frame.number is None else _SLICE,
        ImagePositionPatient=[f"{value:.9f}"[:16] for value in frame.position],
        ImageOrientationPatient=orientation[0].ImageOrientationPatient,
        **told,
        **dict.fromkeys(_OF_FRAMES),
    )


def _name_kinds(segmentation: Segmentation, images: Sequence[Dataset]) -> None:
    """Let references name what kind of object each image is, whatever highdicom was told."""
    kinds = {image.SOPInstanceUID: image.SOPClassUID for image in images}
    for element in segmentation.iterall():
        for item in element.value if element.VR == "SQ" else ():
            if (kind := kinds.get(item.get("ReferencedSOPInstanceUID"))) is not None:
                item.ReferencedSOPClassUID = kind


def _with(dataset: Dataset | dict, **values: Any) -> Dataset:
    """Return what holds the same elements but those that are given; None leaves one out."""
    copy = needed("pydicom", TASK).Dataset()
    copy.update(dataset)
    for keyword, value in values.items():
        # Else what both hold would be changed.
        copy.pop(keyword, None)
        if value is not None:
            setattr(copy, keyword, value)
    return copy


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
