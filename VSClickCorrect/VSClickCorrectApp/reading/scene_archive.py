"""The files of a saved scene, unpacked: none outside its folder, and no reference to any other."""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
from html import unescape
from pathlib import Path, PureWindowsPath
from urllib.parse import unquote

from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectLib.io.files import DAMAGED_ZIP
from VSClickCorrectLib.io.nrrd import names_no_other_folder

_SAYS_UTF8 = 0x800
_MB = 1 << 20
# Attributes of a description in which storage nodes name files and addresses.
_PLACE = re.compile(
    r"""\b(?:fileName|uri|(?:fileList|uriList)Member\d*)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.DOTALL
)
# Files that lead to no other. Of images NRRD alone, whose header is looked at.
_SELF_CONTAINED = {
    *(".mrml", ".nrrd", ".nhdr", ".raw", ".gz", ".json", ".txt", ".csv", ".tsv", ".png", ".jpg", ".jpeg"),
    *(".tfm", ".h5", ".mat", ".ctbl", ".vp", ".vtk", ".vtp", ".stl", ".ply", ".fcsv", ".acsv"),
}


def unpack_scene(path: Path, folder: Path, most_bytes: float) -> Path | None:
    """Unpack a scene and return its description; None if it holds none or is damaged.

    MRML itself unpacks into whatever folder the names in an archive lead to, and reads whatever files a
    description names.

    Raises
    ------
    ImageError
        If it holds more than ``most_bytes``, or refers to files that are not in it.
    StorageError
        If there is no room.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            files = [info for info in archive.infolist() if not info.is_dir()]
            if any(map(_leads_out, files)):
                return None
            if sum(info.file_size for info in files) > most_bytes:
                raise ImageError(
                    f"{path} holds more than {most_bytes / _MB:.0f} MB; save a scene with this case alone."
                )
            _extract(archive, files, folder)
    except OSError as error:
        # bzip2 calls damaged data so, and gives no number.
        if error.errno is None:
            return None
        raise StorageError(
            f"{path} cannot be unpacked ({error.strerror}); make room and try again."
        ) from None
    except DAMAGED_ZIP:
        return None
    description = next(folder.glob("*/*.mrml"), None)
    if description is None:
        return None
    return description if _is_whole(path, description) else None


def _extract(archive: zipfile.ZipFile, files: list[zipfile.ZipInfo], folder: Path) -> None:
    for info in files:
        target = folder / _name_of(info)
        target.parent.mkdir(parents=True, exist_ok=True)
        with archive.open(info) as source, target.open("wb") as unpacked:
            shutil.copyfileobj(source, unpacked)


def _is_whole(path: Path, description: Path) -> bool:
    """Whether a description can be read; raises `ImageError` if it, or a file beside it, leads to others."""
    # In another encoding, or with entities of its own, it could say one thing here and another to MRML.
    content = description.read_bytes()
    if b"\0" in content or b"<!" in content.replace(b"<!--", b""):
        return False
    found = _PLACE.findall(content.decode("utf-8", "surrogateescape"))
    for file in description.parent.rglob("*"):
        if file.is_file() and file.suffix.lower() not in _SELF_CONTAINED:
            raise ImageError(
                f"{path} holds a file of another kind ('{file.name}'); save images as NRRD in Slicer."
            )
        if file.suffix.lower() in (".nrrd", ".nhdr") and not names_no_other_folder(file):
            raise ImageError(
                f"'{file.name}' in {path} keeps its voxels elsewhere; save the scene as .mrb again."
            )
    for place in (unquote(unescape(double or single)) for double, single in found):
        if _is_elsewhere(place):
            raise ImageError(f"{path} refers to '{place}', which is not in it; save the scene as .mrb again.")
    return True


def _is_elsewhere(place: str) -> bool:
    # A letter and a colon is a drive, more letters are an address.
    windows = PureWindowsPath(place)
    return ":" in place or bool(windows.drive or windows.root) or ".." in windows.parts


def _name_of(info: zipfile.ZipInfo) -> str:
    # Slicer writes UTF-8 without saying so, which by the format's rules is DOS's code page.
    if info.flag_bits & _SAYS_UTF8:
        return info.filename
    return info.filename.encode("cp437").decode("utf-8", "surrogateescape")


def _leads_out(info: zipfile.ZipInfo) -> bool:
    # What is read as Windows does knows both kinds of slashes.
    place = PureWindowsPath(_name_of(info))
    return bool(place.drive or place.root) or ".." in place.parts or stat.S_ISLNK(info.external_attr >> 16)
