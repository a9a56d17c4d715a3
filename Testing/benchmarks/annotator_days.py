"""Let two annotators share a worklist for many days: a failing drive, kills, one clock an hour off.

After each day every click, record and label that was acknowledged must be there and belong to its case.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tools"))

from shared_list import SharedList

# Then a new list is begun: journals grow day by day.
DAYS_A_LIST = 10


def main() -> int:
    """Run and print; 1 if anything was ever wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--days", type=int, default=500)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--seconds", type=float, default=float("inf"), help="begin no day after so long")
    chosen = parser.parse_args()
    begun, chance, total, wrong = time.monotonic(), random.Random(chosen.seed), Counter(), 0
    while total["days"] < chosen.days and time.monotonic() - begun < chosen.seconds:
        with TemporaryDirectory(prefix="vsclick-days-") as folder:
            shared = SharedList(Path(folder), chance.randrange(1 << 30))
            for _ in range(min(DAYS_A_LIST, chosen.days - total["days"])):
                faults = shared.day()
                for fault in faults:
                    print(f"day {total['days'] + shared.counts.days}: {fault}", flush=True)
                wrong += len(faults)
                if faults:
                    print("\n".join(shared.diary))
                    break
            total.update(asdict(shared.counts))
            total["lists"] += 1
        so_far = ", ".join(f"{count} {what}" for what, count in total.items())
        print(f"seed {chosen.seed}: {so_far}; {wrong} wrong", flush=True)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
