"""How well a mask agrees with the truth."""

from __future__ import annotations

import numpy as np


def dice(mask: np.ndarray, truth: np.ndarray) -> float:
    """Return the Dice score coefficient of two bool masks, 0 to 1; 1 if both are empty (thesis eq. 2.3)."""
    total = int(np.count_nonzero(mask)) + int(np.count_nonzero(truth))
    return 1.0 if total == 0 else 2 * int(np.count_nonzero(mask & truth)) / total
