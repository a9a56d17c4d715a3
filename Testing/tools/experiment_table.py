"""Print the table of experiments: what each came to beside the thesis's figure, from their result.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(runs: Path) -> None:
    """Print a Markdown table of all results in a folder of runs."""
    print("| experiment | thesis's table | thesis, real | here, synthetic | uncorrected | steps × batch |")
    print("|---|---|---|---|---|---|")
    for path in sorted(runs.glob("*/result.json")):
        content = json.loads(path.read_text(encoding="utf-8"))
        # What is trained on clicks has other figures.
        if "dsc" in content["result"]:
            print(_row(content))


def _row(content: dict) -> str:
    experiment, result = content["experiment"], content["result"]
    thesis, course = experiment["thesis"], experiment["course"]
    cells = [
        experiment["name"],
        f"{thesis['section']}, {thesis['what']}" if thesis else "–",
        f"{thesis['dsc']:.4f}" if thesis else "–",
        f"{result['dsc']:.4f}",
        f"{result['uncorrected']:.4f}" if "uncorrected" in result else "–",
        f"{course['steps']} × {course['batch']}",
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main(Path(sys.argv[1]))
