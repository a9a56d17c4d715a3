"""Where the files of the Slicer module lie."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "VSClickCorrect"
