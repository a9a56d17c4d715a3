"""Kill a session at a hundred random moments and count what its journal has lost."""

from __future__ import annotations

import argparse
import random
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

import numpy as np
from killed_session import ACTIONS, GRID, killed, states
from VSClickCorrectLib.session.journal import Journal
from VSClickCorrectLib.session.start_mask import restored


def main() -> int:
    """Run and print; 1 if more than the click in flight was ever lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=0.6, help="the latest moment")
    chosen = parser.parse_args()
    expected, chance = states(), random.Random()
    lost = wrong = told = written = 0
    with TemporaryDirectory() as folder:
        for number in range(chosen.kills):
            path = Path(folder) / f"{number}.jsonl"
            kill = killed(path, chance.uniform(0.0, chosen.seconds))
            events = Journal(path).events
            told += kill.told
            written += len(events) - kill.told
            lost += max(0, kill.told - len(events))
            wrong += not np.array_equal(restored(events, GRID), expected[len(events)])
    print(f"{chosen.kills} kills within {ACTIONS} actions")
    print(f"{told} events were reported done, {lost} of them lost")
    print(f"{written} more were written but not yet reported; {wrong} masks differed by a voxel or more")
    return 1 if lost or wrong else 0


if __name__ == "__main__":
    sys.exit(main())
