"""The page's own files, as a module of trame."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
serve = {"__vsclick": str(STATIC)}
scripts = ["__vsclick/brush.js", "__vsclick/vsclick.js", "__vsclick/folders.js"]
