"""Good files from which bad ones are made: a small examination, its mask, clicks, journal and models."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bright_ball import CENTER, GRID, RADIUS_MM, ball, ball_volume, write_image, write_points
from handmade_models import write_bright_models
from vs_seg_files import write_series
from VSClickCorrectLib.clicks.click import Click, ClickKind
from VSClickCorrectLib.clicks.mask import ArrayMask
from VSClickCorrectLib.geometry.volume import Case
from VSClickCorrectLib.io.images import read_volume
from VSClickCorrectLib.session.correction import CorrectionSession
from VSClickCorrectLib.session.oracle import Oracle

R, A, S = CENTER
BORDER = (R + RADIUS_MM, A, S)
# What `vsclick segment` says of the good scan, whatever its type of voxels and its name. The ball of 7 mm has
# 4/3 π 7³ = 1437 mm³ before it is cut into voxels.
FOUND = "A mask of 1471 mm³ was written to out.nii.gz."


@dataclass(frozen=True)
class GoodFiles:
    """A folder of good files; not to be changed."""

    folder: Path

    @property
    def t1ce(self) -> Path:
        """An uncompressed NIfTI file."""
        return self.folder / "T1ce.nii"

    @property
    def mask(self) -> Path:
        """Half of the ball."""
        return self.folder / "mask.nii"

    @property
    def clicks(self) -> Path:
        """One click on the ball's border."""
        return self.folder / "clicks.mrk.json"

    @property
    def journal(self) -> Path:
        """A journal of one click."""
        return self.folder / "journal.jsonl"

    @property
    def models(self) -> Path:
        """Models that find what is bright."""
        return self.folder / "models"

    @property
    def series(self) -> Path:
        """The scan as a DICOM series."""
        return self.folder / "series"


def write_good_files(folder: Path) -> GoodFiles:
    """Write them all."""
    good = GoodFiles(folder)
    write_image(good.t1ce, ball_volume().array)
    half = ball()
    half[:, :, :29] = False
    write_image(good.mask, half.astype(np.uint8))
    write_points(good.clicks, [(*BORDER, "boundary")])
    write_bright_models(good.models)
    write_series(good.series, ball_volume().array, GRID)
    case = Case(read_volume(good.t1ce))
    session = CorrectionSession(case, ArrayMask(case.grid, half), Oracle(ball()))
    session.apply(Click(BORDER, ClickKind.BOUNDARY))
    session.journal.save(good.journal)
    return good
