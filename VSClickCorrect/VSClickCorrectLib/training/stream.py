"""Examples at working resolution in a folder that may still be growing while a network learns from it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from VSClickCorrectLib.errors import ImageError
from VSClickCorrectLib.training.examples import Example

_LOOK_AGAIN = 50  # draws


class Stream:
    """The examples of a folder, each an ``.npz`` with ``ch`` (float16) and ``tg`` (uint8, 255 for tumour).

    Parameters
    ----------
    folder : Path
        Where another process may go on writing, each file whole from the moment it has its name.

    Raises
    ------
    ImageError
        If there is no example yet.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._draws = folder, 0
        self._paths = self._listed()

    def _listed(self) -> list[Path]:
        paths = sorted(self._folder.glob("[0-9]*.npz"))
        if not paths:
            raise ImageError(f"{self._folder} holds no examples; write some with 'vsclick simulate'.")
        return paths

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, n: int) -> Example:
        with np.load(self._paths[n], allow_pickle=False) as kept:
            return kept["ch"], (kept["tg"] / np.float16(255)).astype(np.float16)

    def draw(self, rng: np.random.Generator) -> Example:
        """Return an example; the newest are among those that can be drawn."""
        self._draws += 1
        if self._draws % _LOOK_AGAIN == 0:
            self._paths = self._listed()
        return self[int(rng.integers(len(self._paths)))]


def is_stream(folder: Path) -> bool:
    """Tell whether a folder holds such examples."""
    return folder.is_dir() and next(folder.glob("[0-9]*.npz"), None) is not None
