"""A child process that loads its networks before there is anything to do."""

from __future__ import annotations

from pathlib import Path

from VSClickCorrectLib.jobs.exchange import write_warming
from VSClickCorrectLib.jobs.process import Child


class WarmChild(Child):
    """Loads networks and waits for a case; see `Job.start_segmentation`.

    To start Python, import torch and load the networks takes longer than to find a tumour.

    Parameters
    ----------
    models : Path or None
        A folder of models; None for those that ship with the product.
    device : str
        As for `InitialSegmenter.load`.
    python : Path, optional
        As for `Child`, whose errors are raised.
    version : str
        As for `ModelFolder`.

    Attributes
    ----------
    networks : (Path or None, str, str)
        Models, device and version.
    """

    def __init__(
        self, models: Path | None, device: str, python: Path | None = None, version: str = ""
    ) -> None:
        super().__init__(lambda folder: write_warming(folder, models, device, version), python)
        self.networks = models, device, version

    def is_ready_for(self, models: Path | None, device: str, version: str = "") -> bool:
        """Whether it lives and loads, or has loaded, these networks."""
        return self.networks == (models, device, version) and self.status is None
