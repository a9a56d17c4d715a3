"""``vsclick simulate`` with one phantom and one tumour in place of the data folder."""

import sys
from dataclasses import replace

from VSClickCorrectLib.cli.main import STOPPED, main
from VSClickCorrectLib.signals import end_on_signals


def put_in_place() -> None:
    """Let this process find a phantom and a tumour in whatever data folder."""
    import numpy as np
    from VSClickCorrectResearch.datasets import cohort
    from VSClickCorrectResearch.simulation.phantom import phantom_head
    from VSClickCorrectResearch.simulation.shapes import procedural_shape

    head = replace(phantom_head(np.random.default_rng(0), 2.0), name="ordinary")
    shape = replace(procedural_shape(np.random.default_rng(1), 900.0), name="training")
    cohort.load_heads = lambda *_: [head]
    cohort.load_label_maps = lambda *_: []
    cohort.read_shapes = lambda *_: [shape]


if __name__ == "__main__":
    end_on_signals(STOPPED)
if __name__ in ("__main__", "__mp_main__"):
    # The processes that make the cases begin with this file, too.
    put_in_place()
if __name__ == "__main__":
    sys.exit(main())
