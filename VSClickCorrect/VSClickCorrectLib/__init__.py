"""VSClickCorrect: click-based correction of vestibular schwannoma segmentations.

Importing the package is cheap: torch is imported by ``networks`` and ``inference`` only when a network is
needed, slicer and vtk only by ``mrml``.
"""

__version__ = "0.1.0"
