"""Files of images: each is read by its own reader, led nowhere else, and blamed for its own faults alone."""

import bz2
import errno
import gzip
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from any_grid import itk_image
from hdf5_lure import nifti_that_is_hdf5
from volume_files import PLAIN, VOLUME, written
from VSClickCorrectLib.errors import ImageError, StorageError
from VSClickCorrectLib.io import image_files
from VSClickCorrectLib.io.image_files import read_header
from VSClickCorrectLib.io.images import read_volume

LIBRARY = Path(image_files.__file__).resolve().parents[2]
NRRD = {
    "type": "int8",
    "dimension": "3",
    "space": "left-posterior-superior",
    "sizes": "4 4 4",
    "space directions": "(1,0,0) (0,1,0) (0,0,1)",
    "encoding": "raw",
    "space origin": "(0,0,0)",
}


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "secret.raw"
    path.write_bytes(b"SECRET" * 20)
    return path


def nrrd(path, content=bytes(64), **fields):
    lines = {**NRRD, **{name.replace("_", " "): value for name, value in fields.items()}}
    text = "".join(f"{name}: {value}\n" for name, value in lines.items())
    path.write_bytes(f"NRRD0004\n{text}\n".encode() + content)
    return path


# Files that are not what they are called, or lead to others


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".seg.nrrd", ".h5", ".mha", ""])
def test_hdf5_is_read_under_no_name(tmp_path, secret, suffix):
    path = tmp_path / f"t1ce{suffix}"
    path.write_bytes(nifti_that_is_hdf5(secret))
    # Left to choose, ITK is led to the other file.
    if suffix == ".nii":
        assert sitk.GetArrayFromImage(sitk.ReadImage(str(path))).tobytes().startswith(b"SECRET")
    for read in (read_volume, read_header):
        with pytest.raises(ImageError, match="is not an image that can be read"):
            read(path)


@pytest.mark.parametrize("suffix", [".mha", ".mhd", ".nii", ".nrrd", ".dcm", ""])
def test_metaimage_is_read_under_no_name(tmp_path, secret, suffix):
    sitk.WriteImage(sitk.Image(4, 4, 4, sitk.sitkUInt8), str(tmp_path / "good.mhd"))
    text = (tmp_path / "good.mhd").read_text().replace("good.raw", str(secret))
    path = tmp_path / f"t1ce{suffix}"
    path.write_text(text)
    if suffix == ".mha":
        assert sitk.GetArrayFromImage(sitk.ReadImage(str(path))).tobytes().startswith(b"SECRET")
    with pytest.raises(ImageError, match="is not an image that can be read|keeps its voxels in another file"):
        read_volume(path)


def test_metaimage_of_99999999_dimensions_is_refused(tmp_path):
    sitk.WriteImage(sitk.Image(4, 4, 4, sitk.sitkUInt8), str(tmp_path / "t1ce.mha"))
    content = (tmp_path / "t1ce.mha").read_bytes()
    (tmp_path / "t1ce.mha").write_bytes(content.replace(b"NDims = 3", b"NDims = 99999999"))
    with pytest.raises(ImageError, match="is not an image that can be read"):
        read_volume(tmp_path / "t1ce.mha")


@pytest.mark.parametrize("name", ["t1ce.nhdr", "t1ce.mhd", "t1ce.hdr", "t1ce.img"])
def test_formats_of_two_files_are_refused(tmp_path, name):
    sitk.WriteImage(itk_image(VOLUME.array, PLAIN), str(tmp_path / name))
    with pytest.raises(
        ImageError, match=f"{name} keeps its voxels in another file; save it as one file, NIf"
    ):
        read_volume(tmp_path / name)


@pytest.mark.parametrize("word", ["data file", "datafile", "Data File", "DATA_FILE"])
@pytest.mark.parametrize(
    "place", ["secret.raw", "{folder}/secret.raw", "pipe", "/dev/zero", "LIST", "s%d 1 2 1"]
)
def test_a_nrrd_leads_to_no_other_file(tmp_path, secret, word, place):
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")
    path = nrrd(tmp_path / "t1ce.nrrd", **{word: place.format(folder=tmp_path)})
    with pytest.raises(ImageError, match="keeps its voxels in another file or has no proper header; save it"):
        read_volume(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(b"\n\n", b"\n", 1),
        lambda text: text.replace(b"encoding", b"\rdata file: secret.raw\rencoding"),
        lambda text: text.replace(b"encoding", b"content: \0\nencoding"),
    ],
)
def test_a_nrrd_without_a_proper_header_is_refused(tmp_path, secret, change):
    path = nrrd(tmp_path / "t1ce.nrrd")
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ImageError, match="or has no proper header; save it as one file"):
        read_volume(path)


@pytest.mark.parametrize(
    "fields",
    [
        {"sizes": "9999 9999 9999"},
        {"sizes": "4 4 99999999999999999999"},
        {"sizes": "4 4 0"},
        {"dimension": "99999999"},
        {"dimension": "99", "sizes": "1 " * 99},
        {"type": "block", "block size": "9999999999"},
        {"type": "double"},
        {"sizes:": "1 1 1"},
        {"encoding": "gzip", "sizes": "4000 4000 4000"},
    ],
    ids=str,
)
def test_a_nrrd_that_announces_what_it_cannot_hold_is_refused_unread(tmp_path, fields, monkeypatch):
    path = nrrd(tmp_path / "t1ce.nrrd", **fields)
    monkeypatch.setattr(image_files, "_read_alone", lambda *_: pytest.fail("it was read"))
    with pytest.raises(ImageError, match="is incomplete or damaged; copy it again or export it again"):
        read_volume(path)


@pytest.mark.parametrize(
    ("kind", "size"),
    [
        ("u1", 1),
        ("i1", 1),
        ("u2", 2),
        ("i2", 2),
        ("u4", 4),
        ("i4", 4),
        ("u8", 8),
        ("i8", 8),
        ("f4", 4),
        ("f8", 8),
    ],
)
@pytest.mark.parametrize("suffix", [".nii.gz", ".nii", ".nrrd"])
def test_the_size_of_the_voxels_is_known_before_they_are_read(tmp_path, suffix, kind, size):
    path = written(tmp_path / f"t1ce{suffix}", np.zeros((3, 4, 5), kind))
    assert read_header(path).voxel_bytes == 60 * size


@pytest.mark.parametrize("encoding", ["raw", "ascii", "hex", "gzip"])
@pytest.mark.parametrize("kind", ["uchar", "unsigned char", "signed char", "int8_t", "UINT8"])
def test_a_nrrd_is_read_in_every_spelling(tmp_path, kind, encoding):
    values = np.arange(64, dtype=np.uint8)
    content = {
        "raw": values.tobytes(),
        "gzip": gzip.compress(values.tobytes()),
        "hex": values.tobytes().hex().encode(),
        "ascii": " ".join(map(str, values)).encode(),
    }[encoding]
    path = nrrd(tmp_path / "t1ce.nrrd", content, type=kind, encoding=encoding)
    np.testing.assert_array_equal(read_volume(path).array.ravel(), values)


@pytest.mark.parametrize("encoding", ["bzip2", "BZ2"])
def test_a_nrrd_that_is_packed_in_another_way_is_not_called_damaged(tmp_path, encoding):
    path = nrrd(tmp_path / "t1ce.nrrd", bz2.compress(bytes(64)), encoding=encoding)
    with pytest.raises(ImageError, match="t1ce.nrrd is packed by bzip2, which is not read"):
        read_volume(path)


def test_a_single_file_of_dicom_is_read_by_gdcm_alone(tmp_path, write_series):
    (path, *_) = sorted(write_series(tmp_path / "series", VOLUME).iterdir())
    assert read_header(path).reader == "GDCMImageIO"
    with pytest.raises(ImageError, match="is not a volume"):
        read_volume(path.rename(tmp_path / "slice"))


# What is not the file's fault


def read_with_little_memory(path, megabytes):
    """Read in a process that gets no more than so much memory beyond what it has; return what it says."""
    program = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "import SimpleITK as sitk\n"
        "from VSClickCorrectLib.errors import VSClickError\n"
        "from VSClickCorrectLib.io.images import read_volume\n"
        "sitk.ProcessObject.GlobalWarningDisplayOff()\n"
        # OpenBLAS takes its memory when it is first called, and ends the program if there is none.
        "np.linalg.inv(np.eye(64))\n"
        "now = int(open('/proc/self/statm').read().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (now + (int(sys.argv[2]) << 20),) * 2)\n"
        "try: print('read', read_volume(Path(sys.argv[1])).array.shape)\n"
        "except VSClickError as error: print(type(error).__name__, error)\n"
    )
    command = [sys.executable, "-c", program, path, str(megabytes)]
    environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=True).stdout


@pytest.mark.skipif(sys.platform != "linux", reason="other systems know no such limit")
@pytest.mark.parametrize("name", ["t1ce.nii.gz", "t1ce.nii", "t1ce.nrrd"])
# Too little for ITK's voxels, for those of the library that it calls, and for numpy's.
@pytest.mark.parametrize("megabytes", [20, 80, 130])
def test_memory_that_runs_out_is_not_blamed_on_the_file(tmp_path, name, megabytes):
    path = tmp_path / name
    sitk.WriteImage(sitk.Image(256, 256, 256, sitk.sitkFloat32), str(path), useCompression=True)
    assert read_with_little_memory(path, megabytes) in (
        "OutOfMemory there is not enough memory for this; close other programs or crop the images.\n",
        "read (256, 256, 256)\n" if megabytes == 130 else "",
    )


def refused(path, kind=ImageError):
    with pytest.raises(kind) as told:
        read_volume(path)
    return str(told.value)


@pytest.mark.parametrize("name", ["t1ce.nii.gz", "t1ce.nii", "t1ce.nrrd"])
@pytest.mark.parametrize("part", ["header", "voxels"])
def test_a_drive_that_fails_is_not_blamed_on_the_file(tmp_path, name, part, monkeypatch):
    path = written(tmp_path / name, VOLUME.array)

    def fail(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    def fail_as_itk_does(*_):
        raise RuntimeError("ITK ERROR: could not read")

    if part == "voxels":
        header = read_header(path)
        monkeypatch.setattr(image_files, "read_header", lambda _: header)
        monkeypatch.setattr(image_files, "_read_alone", fail_as_itk_does)
        assert "incomplete or damaged" in refused(path)
    monkeypatch.setattr(image_files, "check_file", lambda _: None)
    monkeypatch.setattr(Path, "open", fail)
    assert refused(path) == f"{path} cannot be read (Input/output error); check the drive and try again."


def test_a_full_temporary_folder_is_not_blamed_on_the_file(tmp_path, make_drive, monkeypatch):
    drive = make_drive(12)
    noise = np.random.default_rng(0).integers(0, 30000, (20, 20, 20)).astype(np.int16)
    # With this beside it the other is read alone, in a temporary folder.
    written(tmp_path / "t1ce.nii", noise)
    path = written(tmp_path / "t1ce.nii.gz", noise)
    monkeypatch.setattr(tempfile, "tempdir", str(drive.folder))
    said = (
        f"the temporary folder {drive.folder} cannot be written (No space left on device); make room there."
    )
    assert refused(path, StorageError) == said
    drive.fill()
    assert refused(path, StorageError) == said
    assert [p.name for p in drive.folder.iterdir()] == ["ballast"]


def test_a_nrrd_file_of_points_in_time_is_told_as_such_and_not_as_damaged(tmp_path):
    fields = (
        "NRRD0005\ntype: uint8\ndimension: 4\nsizes: 4 3 2 5\nencoding: raw\n"
        "kinds: domain domain domain time\nspace: LPS\n"
        "space directions: (1,0,0) (0,1,0) (0,0,2) none\nspace origin: (0,0,0)\n\n"
    )
    path = tmp_path / "dynamic.nrrd"
    path.write_bytes(fields.encode() + bytes(120))
    with pytest.raises(
        ImageError, match=r"dynamic.nrrd is not a volume \(its size is 4×3×2×5\); give a three"
    ):
        read_volume(path)
