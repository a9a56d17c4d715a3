"""Write Resources/Samples, the synthetic case of demo, sample data, app and ``vsclick models verify``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from VSClickCorrectLib.geometry.volume import Volume
from VSClickCorrectLib.io.images import write_mask, write_volume
from VSClickCorrectLib.io.shipped import START, T1CE, T2, TUMOUR
from VSClickCorrectResearch.simulation.acquisition import DEMO_ACQUISITION
from VSClickCorrectResearch.simulation.mask_perturbations import uneven_border
from VSClickCorrectResearch.simulation.phantom import phantom_head
from VSClickCorrectResearch.simulation.shapes import procedural_shape
from VSClickCorrectResearch.simulation.synthesis import synthesize

FOLDER = Path(__file__).resolve().parents[2] / "Resources" / "Samples"
SEED, VOLUME_MM3 = 0, 1500.0
# Coarser than most scans and in few grey levels, so that the files stay small.
ACQUISITION = replace(DEMO_ACQUISITION, spacing=(1.0, 1.0, 2.0), matrix=(172, 208, 40))
LEVELS = 64.0


def in_few_levels(volume: Volume) -> Volume:
    """Return a sequence in `LEVELS` grey levels between its robust minimum and maximum, and some above."""
    low, high = volume.intensity_range
    scaled = np.clip((volume.array.astype(float) - low) / (high - low), 0, 1.5) * LEVELS
    return Volume(np.round(scaled).astype(np.int16), volume.grid)


def main() -> None:
    """Write all files."""
    rng = np.random.default_rng(SEED)
    made = synthesize(
        phantom_head(rng, spacing=1.0), procedural_shape(rng, VOLUME_MM3), "left", rng, ACQUISITION
    )
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, volume in ((T1CE, made.t1ce), (T2, made.t2)):
        write_volume(FOLDER / name, in_few_levels(volume))
    write_mask(FOLDER / TUMOUR, made.truth, made.grid)
    start = uneven_border(made.truth, made.grid.spacing[::-1], np.random.default_rng(SEED))
    write_mask(FOLDER / START, start, made.grid)
    for path in sorted(FOLDER.iterdir()):
        print(f"{path.name}: {path.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
