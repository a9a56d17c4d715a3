"""Refinement that makes clicks hold: the network's last layer is adjusted until it agrees with them.

After f-BRS (Sofiiuk et al. 2020), which scales and shifts the channels of one layer by optimisation through
the layers behind it. Before the last layer, of kernel 1, that is another weight for each channel and another
bias, and the logits are linear in them: what remains is a small quadratic problem, solved exactly and in
milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from VSClickCorrectLib.geometry.triples import Index3

# The logit from which a click counts as held: a probability of 0.73 or 0.27.
_MARGIN = 1.0
# Of the mean variance of the features: keeps directions that hardly vary from being used at will.
_RIDGE = 1e-3


def hold_clicks(
    features: np.ndarray, logits: np.ndarray, include: Sequence[Index3], exclude: Sequence[Index3]
) -> np.ndarray:
    """Return logits that agree with clicks, the mean square change of all logits being the least possible.

    Parameters
    ----------
    features : ndarray of float32
        What the last layer sees, ``(c, k, j, i)``.
    logits : ndarray of float32
        What it says, ``(k, j, i)``.
    include, exclude : sequence of tuple of int
        Voxels that are to be tumour, and background.

    Returns
    -------
    ndarray of float32
        ``(k, j, i)``; ``logits`` itself where all clicks hold already.

    References
    ----------
    Sofiiuk et al.: f-BRS: Rethinking Backpropagating Refinement for Interactive Segmentation, CVPR 2020.
    """
    signs = np.array([1.0] * len(include) + [-1.0] * len(exclude))
    voxels = [*include, *exclude]
    said = signs * np.array([logits[voxel] for voxel in voxels])
    if (said > 0).all():
        return logits
    rows = features.reshape(len(features), -1)
    rows = np.concatenate([rows, np.ones((1, rows.shape[1]), rows.dtype)])
    scatter = (rows @ rows.T).astype(float) / rows.shape[1]
    scatter += _RIDGE * np.trace(scatter) / len(scatter) * np.eye(len(scatter))
    at_clicks = signs[:, None] * np.array([[*features[(slice(None), *voxel)], 1.0] for voxel in voxels])
    change = _least_change(scatter, at_clicks, _MARGIN - said)
    return logits + (change.astype(np.float32) @ rows).reshape(logits.shape)


def _least_change(scatter: np.ndarray, rows: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Return the x of least ``x @ scatter @ x`` with ``rows @ x >= missing``, by its dual problem."""
    # It takes a third of what a child imports beside torch, and only a click that does not hold needs it.
    from scipy.optimize import nnls

    spread = np.linalg.solve(scatter, rows.T)
    gram = rows @ spread
    # Two clicks on one voxel ask for the same.
    root = np.linalg.cholesky(gram + 1e-9 * np.trace(gram) * np.eye(len(gram)))
    weights, _ = nnls(root.T, np.linalg.solve(root, missing))
    return spread @ weights
