"""A child process that loads its networks before there is anything to do."""

from __future__ import annotations

from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.jobs.exchange import write_warming
from VSClickCorrectLib.jobs.process import Child


class WarmChild(Child):
    """Loads networks and waits for a case; see `Job.start_segmentation`.

    To start Python, import torch and load the networks takes longer than to find a tumour.

    Parameters
    ----------
    choice : Choice
        Which networks.

    Raises
    ------
    ModelError
        As `Child`.
    """

    def __init__(self, choice: Choice) -> None:
        super().__init__(lambda folder: write_warming(folder, choice))
        self.choice = choice

    def is_ready_for(self, choice: Choice) -> bool:
        """Whether it lives and loads, or has loaded, these networks."""
        return self.choice == choice and self.status is None
