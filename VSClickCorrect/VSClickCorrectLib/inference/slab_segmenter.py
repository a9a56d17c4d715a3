"""A segmentation network that is shown a slab of the whole head, as the thesis's initial model is."""

from __future__ import annotations

import numpy as np

from VSClickCorrectLib.geometry.box import Box
from VSClickCorrectLib.geometry.resampling import ResamplingGrid
from VSClickCorrectLib.geometry.slab import sample_slab, slab_grid
from VSClickCorrectLib.geometry.triples import index3
from VSClickCorrectLib.geometry.volume import ROBUST, Case
from VSClickCorrectLib.inference.plain_segmenter import PlainSegmenter


class SlabSegmenter(PlainSegmenter):
    """A network of two channels, which sees so many slices around a place, and the whole head in them.

    The thesis centres its slices on the tumour that it knows; here a place says where to look.

    Parameters
    ----------
    model : Model
        ``geometry["shape"]`` of its entry is the slab's: slices, rows and columns.
    """

    def window(self, case: Case, place: Box) -> ResamplingGrid:
        """See `PlainSegmenter.window`."""
        middle = (place.start[0] + place.stop[0] - 1) / 2
        return slab_grid(case, middle, index3(self.model.entry.geometry["shape"]))

    def channels(self, case: Case, window: ResamplingGrid) -> np.ndarray:
        """See `PlainSegmenter.channels`."""
        return sample_slab(case, window, self.model.entry.geometry.get("intensities", ROBUST))
