"""VSClickCorrect: click-based correction of vestibular schwannoma segmentations.

Importing the package is cheap: torch is imported by ``networks`` and ``inference`` only when a network is
needed, slicer and vtk only by ``mrml``.
"""

import os

__version__ = "0.1.0"

# Threads that have nothing to do are to sleep rather than spin. Where other programs want the same cores, a
# spinning thread keeps its core from the one it waits for, and a click of 10 ms takes half a second. OpenMP
# reads this when torch brings it in, so it must be said before.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
