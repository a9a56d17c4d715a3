"""The tumour among the labels of a label map, or among the segments of a ``.seg.nrrd``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from VSClickCorrectLib.errors import ImageError

# A label by its number or a segment by its name; of several one that is there is enough.
Label = int | str | Sequence[int | str]
_SEGMENT = re.compile(r"Segment(\d+)_ID")
# Under this key Slicer says as what it keeps segments.
_KEPT_AS = "Segmentation_MasterRepresentation"
_MAX_NAMED = 6
# Maps of the whole brain have fewer labels, scans more values.
_MAX_LABELS = 256
# No tumour fills so much of an image; what does is the background of an inverted mask.
_MOST = 0.9


@dataclass(frozen=True)
class Segment:
    """One segment of a file.

    Parameters
    ----------
    number : int
        By which it is chosen: its label or, where the file has several layers, its place in the file.
    name, identifier : str
        As Slicer shows and knows it.
    layer, value : int
        Where its voxels are: which channel of the image, and what stands in them.
    """

    number: int
    name: str
    identifier: str
    layer: int
    value: int

    def is_called(self, label: int | str) -> bool:
        """Whether a person who says so means this segment."""
        if isinstance(label, str):
            return label.strip().casefold() in (self.name.casefold(), self.identifier.casefold())
        return label == self.number

    def voxels(self, layers: np.ndarray) -> np.ndarray:
        """Return its voxels, bool, from the file's ``(K, J, I, layer)``."""
        return layers[..., self.layer] == self.value


def labels_of(label: Label | None) -> tuple[int | str, ...]:
    """Return all labels that were named, none where none was; raises `ImageError` of the background."""
    if label is None:
        return ()
    labels = (label,) if isinstance(label, int | str) else tuple(label)
    if any(not isinstance(value, str) and value < 1 for value in labels):
        raise ImageError("a label is a whole number, 1 or more, for 0 is the background; name the tumour's.")
    return labels


def segments_of(image: sitk.Image, path: Path) -> list[Segment]:
    """Return the segments that Slicer listed in a NRRD file; none where it is a plain label map.

    Raises
    ------
    ImageError
        If the list is damaged, or the segments are kept as fractions.
    """
    if image.HasMetaDataKey(_KEPT_AS) and image.GetMetaData(_KEPT_AS) == "Fractional labelmap":
        raise ImageError(f"{path} holds fractions where a mask should be; save it as a binary labelmap.")
    places = sorted(int(match[1]) for key in image.GetMetaDataKeys() if (match := _SEGMENT.fullmatch(key)))
    layers = image.GetNumberOfComponentsPerPixel()
    segments = []
    for count, place in enumerate(places):
        names = {key: f"Segment{place}_{key}" for key in ("ID", "Name", "Layer", "LabelValue")}
        told = {key: image.GetMetaData(name) for key, name in names.items() if image.HasMetaDataKey(name)}
        try:
            # Files of Slicer before 4.11 have a layer for each segment, and say so of neither.
            layer, value = int(told.get("Layer", count)), int(told.get("LabelValue", 1))
        except ValueError:
            layer = layers
        if not 0 <= layer < layers:
            raise ImageError(f"the list of segments in {path} is damaged; save it again from Slicer.")
        number = value if layers == 1 else count + 1
        segments.append(Segment(number, told.get("Name", told["ID"]).strip(), told["ID"], layer, value))
    return segments


def chosen_segment(
    layers: np.ndarray, segments: Sequence[Segment], labels: Sequence[int | str], path: Path
) -> np.ndarray:
    """Return the voxels of one segment, of the only one that has any where none is named.

    Parameters
    ----------
    layers : ndarray
        ``(K, J, I, layer)``.
    segments : sequence of Segment
        All of the file.
    labels : sequence of int or str
        Which, by number or by name; empty where none is named.
    path : Path
        Where they were read.

    Raises
    ------
    ImageError
        If it is not clear which, none is the one that is named, or it is empty, or none is named,
        while there are voxels of no segment; the message lists them.
    """
    if not labels:
        _check_listed(layers, segments, path)
        filled = [voxels for segment in segments if (voxels := segment.voxels(layers)).any()]
        if len(filled) > 1:
            raise ImageError(
                f"{path} holds several segments ({_listed(segments)}); name the tumour's with --label, or "
                "save it alone."
            )
        return filled[0] if filled else np.zeros(layers.shape[:-1], bool)
    called = called_segments(segments, labels, path)
    chosen = np.any([segment.voxels(layers) for segment in called], axis=0)
    if not chosen.any():
        _check_listed(layers, segments, path)
    return chosen


def called_segments(segments: Sequence[Segment], labels: Sequence[int | str], path: Path) -> list[Segment]:
    """Return the segments that labels mean; raises `ImageError` if none is there, or one label means two."""
    found = [[s for s in segments if s.is_called(label)] for label in labels]
    for label, called in zip(labels, found, strict=True):
        if len(called) > 1:
            raise ImageError(f"{path} holds several segments '{label}' ({_listed(segments)}); give a number.")
    if not any(found):
        raise ImageError(f"{path} does not hold the segment {_either(labels)}; it holds {_listed(segments)}.")
    return [segment for called in found for segment in called]


def _check_listed(layers: np.ndarray, segments: Sequence[Segment], path: Path) -> None:
    """Refuse values that no segment has, as a program leaves that changes voxels and keeps the list."""
    for layer in range(layers.shape[-1]):
        known = [0, *(segment.value for segment in segments if segment.layer == layer)]
        others = np.setdiff1d(layers[..., layer], known)
        if others.size:
            raise ImageError(
                f"{path} holds voxels of {others[0]:g}, which is none of its segments ({_listed(segments)}); "
                "save it again from Slicer, or as a plain label map."
            )


def chosen_label(values: np.ndarray, labels: Sequence[int | str], path: Path) -> np.ndarray:
    """Return the voxels of a label of a label map ``(K, J, I)``, of the only one where none is named.

    Raises
    ------
    ImageError
        If there are several and none was named, the one named is not there, or the values are no labels, or
        they are those of an inverted mask.
    """
    if values.dtype.kind == "f":
        # Labels that a program scaled as it wrote them are whole but for a share of its steps.
        whole = np.rint(values)
        # Where nothing is near another label than 0, what is near 0 is no background but all that there is.
        values = np.where(np.abs(values - whole) < 1e-2, whole, values) if whole.any() else values
    there = [v for v in np.unique(values) if v != 0]
    names = ", ".join(f"{v:g}" for v in there[:_MAX_NAMED])
    if any(v != round(v) for v in there):
        raise ImageError(f"{path} holds fractions ({names}, …) where labels should be; threshold it first.")
    names += ", …" if len(there) > _MAX_NAMED else ""
    if not labels and len(there) > _MAX_LABELS:
        raise ImageError(f"{path} holds {len(there)} different values, as a scan does; name a mask.")
    if not labels and len(there) > 1:
        raise ImageError(f"{path} holds several labels ({names}); name the tumour's with --label.")
    voxels = np.isin(values, list(labels or there))
    # Masks of our own, which may be painted over and over, hold 1.
    if not labels and there not in ([], [1]) and voxels.mean() > _MOST:
        raise ImageError(
            f"{path} holds {names} nearly everywhere, as the background of an inverted mask; invert it first."
        )
    if labels and not voxels.any():
        raise ImageError(f"{path} does not hold the label {_either(labels)}; it holds {names or 'none'}.")
    return voxels


def _either(labels: Sequence[int | str]) -> str:
    return " or ".join(map(str, labels))


def _listed(segments: Sequence[Segment]) -> str:
    return ", ".join(f"{s.number} '{s.name}'" for s in segments[:_MAX_NAMED]) or "none"
