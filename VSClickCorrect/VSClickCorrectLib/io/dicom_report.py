"""A structured report of a segmentation's measurements, by DICOM's template TID 1500."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io import dicom_codes
from VSClickCorrectLib.io.dicom_codes import code
from VSClickCorrectLib.io.dicom_headers import needed
from VSClickCorrectLib.io.dicom_source import TASK, SourceSeries
from VSClickCorrectLib.measure.measurements import Measurements

if TYPE_CHECKING:
    from highdicom import sr
    from highdicom.seg import Segmentation


def report_of(
    source: SourceSeries, segmentation: Segmentation, measured: Measurements
) -> sr.Comprehensive3DSR:
    """Return volume and axial diameters of a segmentation's one segment.

    Long and short axis are the largest axial diameter and the largest perpendicular to it in that slice; that
    they were measured in axial slices stands with them.

    Parameters
    ----------
    source : SourceSeries
        The images.
    segmentation : Segmentation
        The DICOM SEG, on these images.
    measured : Measurements
        What was measured of its mask.

    Raises
    ------
    ImageError
        If highdicom is not installed, or the mask is empty.
    """
    sr = needed("highdicom.sr", TASK)
    [segment] = segmentation.SegmentSequence
    group = sr.VolumetricROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(segment.TrackingUID, segment.TrackingID),
        referenced_segment=sr.ReferencedSegment(
            segmentation.SOPClassUID,
            segmentation.SOPInstanceUID,
            segment_number=1,
            source_series=sr.SourceSeriesForSegmentation(source.headers[0].SeriesInstanceUID),
        ),
        finding_type=code("tumour"),
        finding_sites=[sr.FindingSite(code("nerve"))],
        algorithm_id=sr.AlgorithmIdentification(dicom_codes.MAKER, dicom_codes.VERSION),
        measurements=list(_measurements(measured)),
    )
    report = sr.MeasurementReport(
        observation_context=sr.ObservationContext(observer_device_context=_observer()),
        procedure_reported=code("procedure"),
        imaging_measurements=[group],
    )
    return sr.Comprehensive3DSR(
        evidence=[segmentation, *source.headers],
        content=report[0],
        **dicom_codes.identity(dicom_codes.REPORT_SERIES),
        series_description=f"{dicom_codes.NAME}, measurements",
        is_complete=True,
    )


def _measurements(measured: Measurements) -> Iterator[sr.Measurement]:
    sr = needed("highdicom.sr", TASK)
    if measured.diameter is None or measured.perpendicular is None:
        raise ImageError("the mask is empty, so there is nothing to report.")
    yield sr.Measurement(code("volume"), measured.volume_mm3, code("mm3"))
    for name, line in (("longest", measured.diameter), ("across", measured.perpendicular)):
        yield sr.Measurement(code(name), line.mm, code("mm"), method=code("axial"))


def _observer() -> sr.ObserverContext:
    sr, hd = needed("highdicom.sr", TASK), needed("highdicom", TASK)
    device = sr.DeviceObserverIdentifyingAttributes(
        uid=hd.UID(),
        name=dicom_codes.MAKER,
        manufacturer_name=dicom_codes.MAKER,
        model_name=dicom_codes.MAKER,
        serial_number=dicom_codes.VERSION,
    )
    return sr.ObserverContext(needed("pydicom.sr.codedict", TASK).codes.DCM.Device, device)
