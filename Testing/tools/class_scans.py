"""A small set of cases of three classes in four sequences, as files and a list."""

from pathlib import Path

import numpy as np
from volume_files import written
from VSClickCorrectLib.geometry.grid import Grid

SEQUENCES = ("t1", "t1ce", "t2", "flair")
CLASSES = ("oedema", "enhancing", "non-enhancing")
SHAPE = (20, 24, 26)
GRID = Grid(SHAPE, np.diag([-1.0, -1.0, 1.0, 1.0]))
# How bright background, oedema, enhancing and non-enhancing tumour are in each sequence.
LOOKS = {
    "t1": (300, 250, 300, 150),
    "t1ce": (300, 260, 900, 160),
    "t2": (300, 800, 500, 700),
    "flair": (300, 900, 600, 350),
}


def labels(seed: int) -> np.ndarray:
    """Return a ball of core in a shell of enhancing tumour in a ball of oedema."""
    rng = np.random.default_rng(seed)
    middle = np.array(SHAPE) / 2 + rng.uniform(-2, 2, 3)
    far = np.linalg.norm(np.moveaxis(np.indices(SHAPE), 0, -1) - middle, axis=-1) / rng.uniform(0.85, 1.15)
    found = np.zeros(SHAPE, np.uint8)
    for number, radius in ((1, 8.0), (2, 5.0), (3, 2.8)):
        found[far <= radius] = number
    return found


def image(sequence: str, truth: np.ndarray, seed: int) -> np.ndarray:
    """Return what a sequence shows of it."""
    rng = np.random.default_rng([seed, SEQUENCES.index(sequence)])
    return (np.take(LOOKS[sequence], truth) + rng.normal(0, 25, SHAPE)).astype(np.int16)


def write_list(folder: Path, count: int, first: int = 0) -> Path:
    """Write cases and the list of them; returns the list."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"case,{','.join(SEQUENCES)},label,remark"]
    for seed in range(first, first + count):
        truth = labels(seed)
        for sequence in SEQUENCES:
            written(folder / f"{seed}-{sequence}.nii.gz", image(sequence, truth, seed), GRID)
        written(folder / f"{seed}-label.nii.gz", truth, GRID)
        files = ",".join(f"{seed}-{name}.nii.gz" for name in (*SEQUENCES, "label"))
        lines.append(f"case-{seed},{files},made")
    path = folder / "classes.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
