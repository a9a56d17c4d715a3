"""Saved scenes, read without Slicer's windows."""

from __future__ import annotations

import math
from pathlib import Path

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.io.files import temporary_folder
from VSClickCorrectLib.mrml.persistence import undisturbed

from VSClickCorrectApp.headless_scene import HeadlessScene
from VSClickCorrectApp.reading.scene_archive import unpack_scene


def load_scene(path: Path, most_bytes: float = math.inf) -> HeadlessScene:
    """Read an ``.mrb`` into a new scene, for use without Slicer's windows.

    Parameters
    ----------
    path : Path
        The file.
    most_bytes : float
        How much it may hold, unpacked.

    Raises
    ------
    ImageError
        If the file is missing, cannot be read as a whole, holds more, or refers to other files.
    """
    if not path.is_file():
        raise ImageError(f"{path} does not exist; choose a scene that was saved as .mrb.")
    with temporary_folder("vsclick-scene-") as folder, undisturbed():
        description = unpack_scene(path, folder, most_bytes)
        if description is not None:
            headless = HeadlessScene()
            headless.scene.SetURL(str(description))
            if headless.scene.Connect():
                return headless
            headless.close()
    raise ImageError(f"{path} is no Slicer scene that can be read; save the scene from Slicer as .mrb again.")
