"""Small DICOM series, written slice by slice."""

import numpy as np
import pytest
import SimpleITK as sitk


def _write_slice(path, image, number, uid):
    slab = image[:, :, number]
    direction = image.GetDirection()
    position = image.TransformIndexToPhysicalPoint((0, 0, number))
    for tag, value in {
        "0008|0016": "1.2.840.10008.5.1.4.1.1.4",
        "0008|0018": f"{uid}.{number + 1}",
        "0008|0060": "MR",
        "0018|0050": str(image.GetSpacing()[2]),
        "0020|000d": "1.2.826.0.1.3680043.2.1125.9",
        "0020|000e": uid,
        "0020|0013": str(number + 1),
        "0020|0032": "\\".join(f"{v:.9f}" for v in position),
        "0020|0037": "\\".join(f"{direction[n]:.9f}" for n in (0, 3, 6, 1, 4, 7)),
    }.items():
        slab.SetMetaData(tag, value)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    writer.SetFileName(str(path))
    writer.Execute(slab)


@pytest.fixture
def write_series():
    """Write a volume as a DICOM series, file names in no order; ``without`` slices are left out."""

    def write(folder, volume, uid="1.2.826.0.1.3680043.2.1125.1", without=()):
        folder.mkdir(parents=True, exist_ok=True)
        image = sitk.GetImageFromArray(volume.array.astype(np.int16))
        lps = np.diag([-1.0, -1.0, 1.0]) @ volume.grid.affine[:3]
        spacing = np.linalg.norm(lps[:, :3], axis=0)
        image.SetSpacing(spacing.tolist())
        image.SetOrigin(lps[:, 3].tolist())
        image.SetDirection((lps[:, :3] / spacing).ravel().tolist())
        for number in set(range(image.GetSize()[2])) - set(without):
            _write_slice(folder / f"{uid}-{number * 7 % 31:02d}.dcm", image, number, uid)
        return folder

    return write
