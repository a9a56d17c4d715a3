"""Public images of heads to put simulated schwannomas into, and what was read off them by eye.

Every head is read from a folder of data that is not part of the project, by these relative paths:

=================  ==============================================================================
``tcga-du-7294``   ``heads/tcga-du-7294/stripped-{T1ce,T2}.nii.gz``; glioma, Apache-2.0 repository
``brats-gli``      ``heads/brats-gli-00001/stripped-{T1ce,T2}.nii.gz``; glioma, Apache-2.0 repository
``hanke``          ``heads/hanke/T1.nii.gz``; healthy, head and neck, PDDL
``rorden-stroke``  ``heads/rorden-stroke/{T1,T2}.nii.gz``; left-hemisphere stroke, MIT
``colin27``        optional, ``heads/colin27/{ch2,ch2bet}.nii.gz``: from the Debian package mricron-data
                   (``/usr/share/mricron/templates/``), BSD-3-clause; Holmes et al., J Comput Assist
                   Tomogr 1998, 22:324-333
``mni152``         optional, ``heads/mni152/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz``, an average:
                   from the PyPI package nilearn (``nilearn/datasets/data/``), free use with the notice
                   of the McConnell Brain Imaging Centre; Fonov et al., NeuroImage 2011, 54:313-327
``fnndsc-adi``     ``heads/fnndsc-adi/{T1,T2}.nii.gz``; healthy, Apache-2.0 repository
``open-ms-01``     ``heads/open-ms-01/{T1,T2}.nii.gz``, and ``open-ms-04`` likewise; multiple sclerosis, thick
                   slices, CC BY; Lesjak et al., Neuroinformatics 2018, 16:51-63
``philips-mprage`` ``heads/philips-mprage/T1.nii.gz``; healthy, BSD-2-clause
``trio-mprage``    ``heads/trio-mprage/T1.nii.gz``; healthy, CBICA's repository
``brainchop``      ``heads/brainchop/T1.nii.gz``; healthy, MIT
``t2lesion``       ``heads/t2lesion/T2.nii.gz``, no T1; stroke, defaced, MIT
``clinical-t2``    ``heads/clinical-t2/T2.nii.gz``, no T1; stroke, BSD-2-clause
=================  ==============================================================================

The canals were found by eye: by their fluid in every whole head's T2, by the nerves in T1. In the images cut
to the brain they are those of colin27 carried over by an affine registration, moved by a few millimetres
toward the brain.
"""

from __future__ import annotations

from dataclasses import dataclass

from VSClickCorrectLib.geometry.triples import Point3


@dataclass(frozen=True)
class HeadSource:
    """Where a head comes from and what was read off its images.

    One of the sequences may be missing. ``dark`` and ``bright`` are the limits bone|CSF and CSF|brain in T1
    as fractions of its percentile ``white``; ``fluid`` is the limit brain|CSF in T2 likewise, and ``dark``
    that of bone in T2 where there is no T1. ``canals`` is right porus, right fundus, left porus, left fundus,
    each RAS mm.
    """

    canals: tuple[Point3, ...]
    dark: float
    bright: float = 0.0
    fluid: float = 0.0
    t1: str | None = None
    t2: str | None = None
    white: float = 99.8  # lower where fat outshines all else
    mask: str | None = None  # of the brain, where one comes with the image
    spacing: float = 1.0
    contrast: bool = False
    stripped: bool = True

    @property
    def files(self) -> tuple[str, ...]:
        """The sequences that there are, relative to the folder of data."""
        return tuple(file for file in (self.t1, self.t2) if file is not None)

    @property
    def all_files(self) -> tuple[str, ...]:
        """The sequences, and the mask of the brain where there is one."""
        return self.files if self.mask is None else (*self.files, self.mask)


SOURCES = {
    "tcga-du-7294": HeadSource(
        t1="heads/tcga-du-7294/stripped-T1ce.nii.gz",
        t2="heads/tcga-du-7294/stripped-T2.nii.gz",
        contrast=True,
        dark=0.0,
        bright=0.30,
        canals=((-98, 106, 35), (-90, 109.5, 35.5), (-144, 104, 35.8), (-152.5, 107.5, 36.5)),
    ),
    "brats-gli": HeadSource(
        t1="heads/brats-gli-00001/stripped-T1ce.nii.gz",
        t2="heads/brats-gli-00001/stripped-T2.nii.gz",
        contrast=True,
        dark=0.0,
        bright=0.23,
        canals=((-93, 108, 35), (-84.5, 111.5, 36), (-142.5, 107, 35.5), (-151, 110.5, 36.3)),
    ),
    "hanke": HeadSource(
        t1="heads/hanke/T1.nii.gz",
        spacing=0.8,
        stripped=False,
        dark=0.08,
        bright=0.32,
        canals=((24.5, 8.5, -44), (34, 11.5, -43.5), (-27, 7, -43), (-36, 8.8, -42)),
    ),
    "rorden-stroke": HeadSource(
        t1="heads/rorden-stroke/T1.nii.gz",
        t2="heads/rorden-stroke/T2.nii.gz",
        dark=0.0,
        bright=0.30,
        canals=((22, -21.3, -29.1), (29, -19.4, -29.3), (-21.5, -22.5, -25), (-29.5, -19, -24.2)),
    ),
    "colin27": HeadSource(
        t1="heads/colin27/ch2.nii.gz",
        mask="heads/colin27/ch2bet.nii.gz",
        stripped=False,
        dark=0.125,
        bright=0.26,
        canals=((31, -24.5, -40.5), (40, -22, -40), (-28.5, -25.5, -40.5), (-38, -21.5, -40)),
    ),
    "mni152": HeadSource(
        t1="heads/mni152/mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz",
        dark=0.0,
        bright=0.55,
        canals=((28, -27.5, -40), (37, -24.5, -40), (-28, -27.5, -40), (-37, -24.5, -40)),
    ),
    "fnndsc-adi": HeadSource(
        t1="heads/fnndsc-adi/T1.nii.gz",
        t2="heads/fnndsc-adi/T2.nii.gz",
        spacing=0.8,
        dark=0.16,
        bright=0.45,
        fluid=0.42,
        stripped=False,
        canals=((26.5, 12.3, -3), (36, 13, -2.8), (-17, 15, -0.2), (-26, 16.5, -0.3)),
    ),
    "open-ms-01": HeadSource(
        t1="heads/open-ms-01/T1.nii.gz",
        t2="heads/open-ms-01/T2.nii.gz",
        white=94.0,
        dark=0.15,
        bright=0.30,
        fluid=0.62,
        stripped=False,
        canals=((22.5, -17, -47.5), (31.5, -15.5, -48), (-22, -14.5, -49), (-31, -13.5, -49.3)),
    ),
    "open-ms-04": HeadSource(
        t1="heads/open-ms-04/T1.nii.gz",
        t2="heads/open-ms-04/T2.nii.gz",
        white=97.0,
        dark=0.14,
        bright=0.30,
        fluid=0.58,
        stripped=False,
        canals=((19, 7.5, -25.7), (28, 9, -26), (-32.5, 2.5, -23), (-41.5, 3.5, -23)),
    ),
    "philips-mprage": HeadSource(
        t1="heads/philips-mprage/T1.nii.gz",
        dark=0.12,
        bright=0.31,
        stripped=False,
        canals=((24.5, -8, -5), (33, -5, -4.6), (-25, -8.5, -3.8), (-33.5, -5.8, -3.5)),
    ),
    "trio-mprage": HeadSource(
        t1="heads/trio-mprage/T1.nii.gz",
        dark=0.1,
        bright=0.27,
        stripped=False,
        canals=((27.5, 12.5, -18.3), (36, 15.5, -17.8), (-26.5, 15.5, -21), (-34, 19, -20.5)),
    ),
    "brainchop": HeadSource(
        t1="heads/brainchop/T1.nii.gz",
        dark=0.19,
        bright=0.37,
        stripped=False,
        canals=((24, -27.5, -36), (33, -24.5, -34.8), (-24, -28, -36.8), (-33, -25, -35.3)),
    ),
    "t2lesion": HeadSource(
        t2="heads/t2lesion/T2.nii.gz",
        dark=0.12,
        fluid=0.48,
        stripped=False,
        canals=((23, 13, -86.3), (32, 14.5, -86.7), (-25, 14.5, -84.2), (-34, 15, -84.5)),
    ),
    "clinical-t2": HeadSource(
        t2="heads/clinical-t2/T2.nii.gz",
        dark=0.13,
        fluid=0.55,
        stripped=False,
        canals=((26, -24.5, -37), (34.5, -24, -37.2), (-26, -23.5, -36.3), (-34.5, -23.5, -36.7)),
    ),
}
HEAD_NAMES = tuple(SOURCES)
