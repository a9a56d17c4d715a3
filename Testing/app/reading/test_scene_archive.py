"""Scenes of unknown origin: they hold all that they need, no more than is allowed, and lead nowhere else."""

import zipfile

import numpy as np
import pytest
import SimpleITK as sitk
from VSClickCorrectApp.reading.saved_scenes import load_scene
from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.mrml.persistence import save_scene

MB = 1 << 20


@pytest.fixture
def saved(scene, volume_node, tmp_path):
    """A scene of one volume, as a function from names to contents that changes it."""
    path = tmp_path / "one.mrb"
    save_scene(scene, path)

    def changed(change):
        with zipfile.ZipFile(path) as archive:
            files = {name: archive.read(name) for name in archive.namelist()}
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in change(files).items():
                archive.writestr(name, content)
        return path

    return changed


def volume_in(files):
    return next(name for name in files if name.endswith("T1ce.nrrd"))


def test_a_scene_that_was_packed_anew_is_read(saved):
    load_scene(saved(lambda files: files)).close()


@pytest.mark.parametrize(
    "place",
    [
        "{elsewhere}",
        "&#47;secret.nrrd",
        "..%2Fsecret.nrrd",
        "../secret.nrrd",
        r"C:\secret.nrrd",
        "http://127.0.0.1:9/secret.nrrd",
    ],
)
@pytest.mark.parametrize("attribute", ["fileName", "uri", "fileListMember3"])
def test_no_file_or_address_outside_of_it_is_read(saved, tmp_path, place, attribute):
    elsewhere = tmp_path / "secret.nrrd"
    sitk.WriteImage(sitk.GetImageFromArray(np.full((4, 4, 4), 42, np.int16)), str(elsewhere))
    place = place.format(elsewhere=elsewhere)

    def change(files):
        name = next(name for name in files if name.endswith(".mrml"))
        text = files[name].decode()
        assert 'fileName="Data/T1ce.nrrd"' in text
        if attribute == "fileName":
            text = text.replace('fileName="Data/T1ce.nrrd"', f'fileName="{place}"')
        else:
            text = text.replace(
                'fileName="Data/T1ce.nrrd"', f'fileName="Data/T1ce.nrrd" {attribute}="{place}"'
            )
        return files | {name: text}

    with pytest.raises(ImageError, match=r"one\.mrb refers to '.*secret\.nrrd', which is not in it"):
        load_scene(saved(change))


@pytest.mark.parametrize(
    "place", ["{folder}/secret", "../../secret", "LIST\n{folder}/secret", "%03d.raw 1 8 1"]
)
@pytest.mark.parametrize("field", ["data file", "datafile", "DATA FILE"])
@pytest.mark.parametrize("name", ["T1ce.nrrd", "T1ce.nhdr"])
def test_no_voxels_outside_of_it_are_read(saved, tmp_path, place, field, name):
    (tmp_path / "secret").write_bytes(bytes(2 * 8 * 12 * 16))
    header = "NRRD0004\ntype: short\ndimension: 3\nsizes: 16 12 8\nencoding: raw\nendian: little\n"
    header += f"{field}: {place.format(folder=tmp_path)}"

    def change(files):
        return files | {volume_in(files).replace("T1ce.nrrd", name): header.encode()}

    with pytest.raises(ImageError, match=rf"'{name}' in .*one\.mrb keeps its voxels elsewhere"):
        load_scene(saved(change))


@pytest.mark.parametrize("name", ["T1ce.mhd", "T1ce.img", "model.gltf", "run.py"])
def test_files_of_kinds_that_lead_elsewhere_are_refused(saved, name):
    def change(files):
        return files | {volume_in(files).replace("T1ce.nrrd", name): b"x"}

    with pytest.raises(ImageError, match=rf"one\.mrb holds a file of another kind \('{name}'\)"):
        load_scene(saved(change))


def test_more_than_is_allowed_is_refused_before_it_is_unpacked(saved):
    path = saved(lambda files: files | {"one/Data/zeros.txt": bytes(3 * MB)})
    with pytest.raises(ImageError, match=r"one\.mrb holds more than 2 MB"):
        load_scene(path, 2 * MB)
    load_scene(path, 4 * MB).close()


def test_a_description_that_expands_without_end_is_refused(saved):
    bomb = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    text = f'<!DOCTYPE MRML [<!ENTITY a0 "0123456789">{bomb}]><MRML><Volume name="&a11;"/></MRML>'

    def change(files):
        return {name: text.encode() if name.endswith(".mrml") else content for name, content in files.items()}

    with pytest.raises(ImageError, match="no Slicer scene that can be read"):
        load_scene(saved(change))
