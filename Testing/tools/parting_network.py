"""A network of parts that needs no training: it tells classes by how bright the T1ce is."""

import torch
from torch import nn
from VSClickCorrectLib.inference.model_entry import ModelEntry
from VSClickCorrectLib.inference.parts import PartsSegmenter
from VSClickCorrectLib.inference.plain_segmenter import Model
from VSClickCorrectLib.measure.tumour_parts import PARTS

# Of background, intrameatal, extrameatal and cochlea, as shares of the brightest.
LEVELS = (0.1, 0.5, 0.7, 0.95)


class ByBrightness(nn.Module):
    """The nearest level wins."""

    def __init__(self):
        super().__init__()
        self.steep = nn.Parameter(torch.tensor(200.0))

    def forward(self, x):
        """Return logits of four classes."""
        levels = torch.tensor(LEVELS).view(1, -1, 1, 1, 1)
        return -self.steep * (x[:, :1] - levels) ** 2


def parting(channels=("t1ce", "t2", "mask"), shape=(16, 24, 24), spacing=(1.0, 1.0, 1.0)):
    """Return a segmenter of parts."""
    geometry = {"spacing": list(spacing), "shape": list(shape)}
    entry = ModelEntry(
        "bright-parts", "parts", "", "", "unet3d", {}, geometry, classes=list(PARTS), channels=list(channels)
    )
    return PartsSegmenter(Model(entry, ByBrightness().eval()))
