"""Clicks on the oblique volume of the MRML tests, and what a correction tells and shows of them."""

import numpy as np
from VSClickCorrectLib.clicks.click import ClickKind
from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.mrml.click_nodes import ClickNodes

BOUNDARY, INCLUDE, EXCLUDE = ClickKind
TUMOUR = Box((3, 4, 5), (5, 7, 8))
SITE = (9.1, 16.2, -24.0)  # the middle of voxel (4, 5, 6): 10 - 2.4 + 1.5, 20 - 1.8 - 2, -30 + 6
ELSEWHERE = (7.2, 15.4, -28.5)  # the middle of voxel (1, 4, 10): 10 - 4 + 1.2, 20 - 3 - 1.6, -30 + 1.5
OUTSIDE = (900.0, 0.0, 0.0)


class Heard:
    """What a correction told, in order."""

    def __init__(self):
        self.edits, self.errors, self.changes, self.postponed = [], [], 0, []

    def changed(self):
        self.changes += 1

    def later(self, action):
        self.postponed.append(action)

    def pass_on(self):
        """Let the event loop turn."""
        while self.postponed:
            self.postponed.pop(0)()


def points(segment):
    """The points shown: kind and position of each."""
    clicks = ClickNodes(segment[0]).markers().values()
    return sorted((c.kind.value, tuple(np.round(c.position_ras, 3))) for c in clicks)


def press(correction, position, kind=INCLUDE):
    """Place a point as a view does, past the correction's own method."""
    return correction.click_node(kind).AddControlPointWorld(*position)
