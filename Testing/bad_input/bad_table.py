"""The whole table of bad inputs, part by part."""

from __future__ import annotations

from types import ModuleType

import bad_clicks
import bad_folders
import bad_formats
import bad_journals
import bad_layouts
import bad_lists
import bad_masks
import bad_models
import bad_nifti
import bad_options
import bad_paths
import bad_scene
import bad_segmentations
import bad_uploads
import bad_voxels
from bad_case import BadInput

PARTS: tuple[ModuleType, ...] = (
    bad_nifti,
    bad_formats,
    bad_voxels,
    bad_masks,
    bad_segmentations,
    bad_folders,
    bad_layouts,
    bad_paths,
    bad_clicks,
    bad_models,
    bad_journals,
    bad_lists,
    bad_options,
    bad_uploads,
    bad_scene,
)
CASES: list[BadInput] = [case for part in PARTS for case in part.CASES]
