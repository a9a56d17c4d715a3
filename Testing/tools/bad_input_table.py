"""Write Resources/Docs/bad-input.md: every bad input of Testing/bad_input and the sentence that it gets.

``python bad_input_table.py`` hands each input in and writes what is said; the page is written only if every
sentence names what it must.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("VSClickCorrect", "Testing/tools", "Testing/bad_input")]

from bad_table import CASES, PARTS  # noqa: E402
from good_files import write_good_files  # noqa: E402
from sentences import unnamed  # noqa: E402

DOCUMENT = ROOT / "Resources" / "Docs" / "bad-input.md"
_INTRODUCTION = """\
# Bad input

What `vsclick`, the browser app and the module in Slicer say to {count} inputs that are damaged, of the
wrong kind or merely odd. Each is handed in by a test: it gets the sentence of the table, after `vsclick: `
on standard error and with exit status 2, and no file is left behind. {accepted} of them are of use after
all; of these the table says in italics what happens.

`make bad-inputs` hands them in and writes this page. `make fuzz` damages good files at random and hands
them to every reader, for ten minutes or `SECONDS=…`.
"""


def document(said: dict[str, str]) -> str:
    """Return the page, from the sentence that each input that is refused got, by the input's name."""
    accepted = sum(case.accepted for case in CASES)
    text = [_INTRODUCTION.format(count=len(CASES), accepted=accepted)]
    for part in PARTS:
        text += [f"\n## {part.TITLE}\n\n| input | what is said |\n|---|---|\n"]
        for case in part.CASES:
            told = f"*{_cell(case.happens)}*" if case.accepted else _cell(said[case.name])
            text += [f"| {_cell(case.name)} | {told} |\n"]
    return "".join(text)


def _cell(text: str) -> str:
    """Return a text for a cell; names of hundreds of letters are cut short."""
    text = re.sub(r"(\w)\1{20,}", r"\1\1\1…", re.sub(r"(folder/){9,}", "folder/…/", text))
    return re.sub(r"([\\|*_<>])", r"\\\1", text)


def main() -> int:
    """Hand every input in; write the page, or say what is not named."""
    wrong, said = [], {}
    with TemporaryDirectory(prefix="good-") as folder:
        Path(folder).chmod(0o755)
        good = write_good_files(Path(folder))
        for case in CASES:
            outcome = case.run(good)
            said[case.name] = outcome.sentence
            lacks = unnamed(outcome.sentence, *case.names)
            if lacks or case.prints not in outcome.printed:
                wrong.append(f"{case.name}: {outcome.said or outcome.printed} (lacks {lacks})")
    if wrong:
        print("What must be named is not:", *wrong, sep="\n")
        return 1
    DOCUMENT.write_text(document(said), encoding="utf-8")
    print(f"{len(CASES)} inputs; written to {DOCUMENT.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
