"""Headers of DICOM files by pydicom, which reads what SimpleITK does not; it and highdicom are optional."""

from __future__ import annotations

import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.files import check_file, reading

if TYPE_CHECKING:
    from pydicom import Dataset

INSTALL = "install vsclickcorrect[dicom] (in Slicer: slicer.util.pip_install('highdicom'))"
# What pydicom raises of damaged files: it reads values when they are asked for, whatever is in them.
DAMAGED = (
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    struct.error,
    zlib.error,
)


def needed(name: str, task: str) -> ModuleType:
    """Import ``pydicom`` or ``highdicom``, or a module of theirs.

    Parameters
    ----------
    name : str
        The module.
    task : str
        What it is needed for, to be told where it is missing: ``"to write DICOM"``.

    Raises
    ------
    ImageError
        If it is not installed.
    """
    try:
        return import_module(name)
    except ImportError:
        raise ImageError(f"{task} {name.partition('.')[0]} is needed; {INSTALL}.") from None


@contextmanager
def undamaged(path: Path) -> Iterator[None]:
    """Raise `ImageError` of a file where pydicom fails inside on what it holds; it is not to warn of it."""
    errors = import_module("pydicom.errors")
    try:
        with reading(path), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except ImageError:
        raise
    except (errors.InvalidDicomError, errors.BytesLengthException, *DAMAGED):
        raise ImageError(f"{path} is damaged, or no whole DICOM file; export it again.") from None


def read_header(path: Path, task: str) -> Dataset:
    """Read all of a DICOM file but its pixels.

    Raises
    ------
    ImageError
        If pydicom is not installed, which ``task`` needs, or the file is damaged.
    """
    pydicom = needed("pydicom", task)
    check_file(path)
    with undamaged(path):
        return pydicom.dcmread(path, stop_before_pixels=True)
