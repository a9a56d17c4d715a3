"""``vsclick worklist``: the cases of a worklist and how far the work on each is."""

from __future__ import annotations

import argparse

from VSClickCorrectLib.cli.options import add_worklist
from VSClickCorrectLib.cli.telling import counted, tell
from VSClickCorrectLib.worklist.overview import Row
from VSClickCorrectLib.worklist.worklist import Worklist

_DESCRIPTION = """\
List the cases of a worklist with their states. The same folder of results is used by the worklist in Slicer
and in the browser. Its table of all cases, OUTPUT/summary.csv, is written anew.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    add_worklist(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    worklist = Worklist.open(options.cases, options.output)
    rows = worklist.rows()
    width = max(len(row.case.name) for row in rows)
    for row in rows:
        tell(f"{row.case.name:{width}}  {row.record.state.value:8}  {_work(row)}".rstrip())
    tell(f"{worklist.progress()}.")


def _work(row: Row) -> str:
    record = row.record
    clicks = f"{counted(record.clicks, 'click')}, round {record.rounds}, {record.seconds / 60:.1f} min"
    parts = [
        record.annotator,
        clicks if record.clicks else "",
        f"{record.volume_mm3:.0f} mm³" if record.volume_mm3 is not None else "",
        f"open with {row.holder}" if row.holder else "",
        record.comment,
        row.lacking,
        row.case.problem or row.case.remark,
    ]
    return "; ".join(filter(None, parts))
