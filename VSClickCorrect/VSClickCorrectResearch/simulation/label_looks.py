"""What the tissues of a label map look like: as after contrast agent and in T2, or as nothing on earth."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from VSClickCorrectResearch.simulation.head import Tissue


class Matter(IntEnum):
    """Tissues of a label map, both sides of the brain taken together."""

    AIR = 0
    CSF = 1
    CORTEX = 2
    WHITE = 3
    CEREBELLAR_CORTEX = 4
    CEREBELLAR_WHITE = 5
    STEM = 6
    THALAMUS = 7
    STRIATUM = 8
    PALLIDUM = 9
    HIPPOCAMPUS = 10
    DIENCEPHALON = 11
    PLEXUS = 12
    LESION = 13
    BONE = 14
    MARROW = 15
    FAT = 16
    MUSCLE = 17
    SKIN = 18
    MUCOSA = 19
    EYE = 20
    NERVE = 21
    ARTERY = 22
    VEIN = 23


# T1 after contrast, T2, texture (share of the intensity), tissue.
_LOOKS = {
    Matter.AIR: (0.02, 0.02, 0.0, Tissue.BACKGROUND),
    Matter.CSF: (0.15, 0.95, 0.04, Tissue.CSF),
    Matter.CORTEX: (0.42, 0.50, 0.05, Tissue.BRAIN),
    Matter.WHITE: (0.54, 0.37, 0.03, Tissue.BRAIN),
    Matter.CEREBELLAR_CORTEX: (0.43, 0.49, 0.05, Tissue.BRAIN),
    Matter.CEREBELLAR_WHITE: (0.53, 0.38, 0.03, Tissue.BRAIN),
    Matter.STEM: (0.49, 0.40, 0.04, Tissue.BRAIN),
    Matter.THALAMUS: (0.48, 0.42, 0.04, Tissue.BRAIN),
    Matter.STRIATUM: (0.44, 0.44, 0.03, Tissue.BRAIN),
    Matter.PALLIDUM: (0.50, 0.30, 0.04, Tissue.BRAIN),
    Matter.HIPPOCAMPUS: (0.42, 0.51, 0.04, Tissue.BRAIN),
    Matter.DIENCEPHALON: (0.49, 0.38, 0.05, Tissue.BRAIN),
    Matter.PLEXUS: (0.65, 0.75, 0.20, Tissue.BRAIN),
    Matter.LESION: (0.40, 0.68, 0.06, Tissue.BRAIN),
    Matter.BONE: (0.07, 0.06, 0.3, Tissue.BONE),
    Matter.MARROW: (0.50, 0.32, 0.18, Tissue.SOFT),
    Matter.FAT: (0.80, 0.70, 0.08, Tissue.SOFT),
    Matter.MUSCLE: (0.38, 0.20, 0.12, Tissue.SOFT),
    Matter.SKIN: (0.55, 0.35, 0.15, Tissue.SOFT),
    Matter.MUCOSA: (0.60, 0.80, 0.15, Tissue.SOFT),
    Matter.EYE: (0.18, 0.90, 0.02, Tissue.SOFT),
    Matter.NERVE: (0.42, 0.42, 0.05, Tissue.SOFT),
    Matter.ARTERY: (0.80, 0.08, 0.10, Tissue.SOFT),
    Matter.VEIN: (0.90, 0.12, 0.10, Tissue.SOFT),
}
TISSUES = np.array([_LOOKS[matter][3] for matter in Matter], np.uint8)
# What free contrast leaves as it is: air gives no signal, and without bone's darkness no canal is seen.
_DARK = (Matter.AIR, Matter.BONE)
_FREE_SHARE = 0.25
_FATTY = (Matter.FAT, Matter.MARROW)
_BLOOD = (Matter.ARTERY, Matter.VEIN)


@dataclass(frozen=True, eq=False)
class Looks:
    """Intensities by `Matter`.

    Parameters
    ----------
    t1, t2 : ndarray of float32
        Means, as those of a `Head`.
    texture : ndarray of float32
        Standard deviation within the tissue as a share of the mean.
    """

    t1: np.ndarray
    t2: np.ndarray
    texture: np.ndarray


def random_looks(rng: np.random.Generator) -> Looks:
    """Return looks like those of real sequences, or in a quarter of the calls any whatever.

    Free looks follow Billot et al., Med Image Anal 2023, 86:102789: mean and standard deviation of each
    tissue are uniform. A network that has seen them leans on form and place more than on a contrast.
    """
    return _free(rng) if rng.random() < _FREE_SHARE else _usual(rng)


def _table() -> np.ndarray:
    return np.array([_LOOKS[matter][:3] for matter in Matter], np.float32)


def _usual(rng: np.random.Generator) -> Looks:
    t1, t2, texture = _table().T.copy()
    brain = TISSUES == Tissue.BRAIN
    for means in (t1, t2):
        # Grey and white matter differ more or less, by the sequence.
        middle = means[brain].mean()
        means[brain] = middle + rng.uniform(0.5, 1.4) * (means[brain] - middle)
        means *= rng.uniform(0.88, 1.12, len(means)).astype(np.float32)
    if rng.random() < 0.35:  # fat saturation
        t1[list(_FATTY)] *= np.float32(rng.uniform(0.2, 0.5))
    if rng.random() < 0.35:
        t2[list(_FATTY)] *= np.float32(rng.uniform(0.15, 0.5))
    if rng.random() < 0.3:  # spin echo: flowing blood is dark
        t1[list(_BLOOD)] *= np.float32(rng.uniform(0.1, 0.8))
    if rng.random() < 0.3:  # balanced steady state: blood is bright in T2
        t2[list(_BLOOD)] = np.float32(rng.uniform(0.3, 0.8))
    return Looks(t1, t2, texture * np.float32(rng.uniform(0.6, 1.6)))


def _free(rng: np.random.Generator) -> Looks:
    usual = _table()
    count = len(usual)
    t1, t2 = (rng.uniform(low, 0.9, count).astype(np.float32) for low in (0.05, 0.05))
    # A tumour is brighter than brain in T1, by a factor: there must be room above it.
    brain = TISSUES == Tissue.BRAIN
    t1[brain] = rng.uniform(0.15, 0.65, int(brain.sum()))
    t1[list(_DARK)], t2[list(_DARK)] = usual[list(_DARK), 0], usual[list(_DARK), 1]
    return Looks(t1, t2, rng.uniform(0.02, 0.2, count).astype(np.float32))
