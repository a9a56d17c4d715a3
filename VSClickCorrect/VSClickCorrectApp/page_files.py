"""The page's own files, as a module of trame."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
serve = {"__vsclick": str(STATIC)}
scripts = [f"__vsclick/{name}.js" for name in ("brush", "vsclick", "folders", "pictures")]
vue_use = ["vsclickPictures"]
