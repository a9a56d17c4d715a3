"""Experiments that are trained in a second or two, and the cohort of one ball on which they are."""

import json

import numpy as np
from bright_ball import GRID, ball, ball_case

_SMALL = {
    "initial": {
        "network": {"name": "unet3d", "channels": [2, 3]},
        "geometry": {"spacing": [2.0, 2.0, 2.0]},
        "examples": {"crop": [8, 8, 8]},
        "loss": {"name": "dice"},
        "course": {"batch": 1, "steps": 2, "val_every": 1},
    },
    "corrector": {
        "network": {"name": "attention_unet2d", "in_channels": 3, "channels": [8, 16]},
        "geometry": {"size": 16, "pixel_mm": 1.5},
        "examples": {"masks": 1},
        "loss": {"name": "correction"},
        "course": {"batch": 2, "steps": 2, "val_every": 1},
    },
}


def experiment_text(role, **sections):
    """The file of a small experiment, with what its sections say besides or otherwise; None leaves out."""
    lines = [f'role = "{role}"']
    for name, small in _SMALL[role].items():
        values = small | sections.get(name, {})
        lines.append(f"[{name}]")
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items() if value is not None]
    return "\n".join(lines) + "\n"


def write_balls(folder, count=1):
    """Write a cohort of so many times the same ball; returns its folder."""
    case = ball_case()
    arrays = {"t1ce": case.t1ce.array, "t2": case.t2.array, "truth": ball(), "affine": GRID.affine}
    for n in range(count):
        np.savez(folder / f"case-{n:05d}.npz", **arrays)
    return folder
