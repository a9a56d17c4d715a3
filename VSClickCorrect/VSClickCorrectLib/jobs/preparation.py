"""Making initial masks ahead, for cases of a worklist that nobody has opened yet."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.inference.initial import InitialSegmenter
from VSClickCorrectLib.inference.initial_mask import InitialMask
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.io.images import read_case
from VSClickCorrectLib.jobs.prepared import Preparation, keep_prepared, versions_of


def prepare(
    preparation: Preparation, progress: Callable[[float, str], None] = lambda fraction, message: None
) -> InitialMask:
    """Make the initial mask of a case and keep it; doing it again does no harm.

    Parameters
    ----------
    preparation : Preparation
        Which case.
    progress : callable, optional
        Told the fraction done and what is going on.

    Returns
    -------
    InitialMask
        What was kept.

    Raises
    ------
    ImageError, ModelError, StorageError
        If images or models cannot be used, or the mask cannot be written; nothing is kept then.
    """
    progress(0.0, "reading the images")
    versions = versions_of(preparation.files)
    images = images_of(preparation.files, preparation.series, preparation.different_patients)
    segmenter = segmenter_of(preparation.choice)
    initial = segmenter.segment(images, progress)
    keep_prepared(preparation, initial, images, versions)
    return initial


def prepare_apart(preparation: Preparation) -> None:
    """Make the initial mask of a case and keep it, for a process that does not need it; see `prepare`."""
    prepare(preparation)


def images_of(files: dict[str, str], series: dict[str, str], different_patients: bool) -> Case:
    """Read a case's images; parameters are those of `Preparation`, errors those of `WorkCase.load`."""
    t1ce, t2 = (Path(files[name]) if name in files else None for name in ("t1ce", "t2"))
    return read_case(t1ce, t2, different_patients, series)


def segmenter_of(choice: Choice) -> InitialSegmenter:
    """Load networks once; see `ModelFolder`, `InitialSegmenter`."""
    return _segmenter(choice, choice.models.digest)


@lru_cache(maxsize=1)
def _segmenter(choice: Choice, _digest: str) -> InitialSegmenter:
    """Load networks anew where the folder holds others now: a worker lives for days."""
    return InitialSegmenter.load(choice.models, choice.device)
