"""``vsclick bench``: how fast everything is on this machine."""

from __future__ import annotations

import argparse
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from VSClickCorrectLib.cli.options import add_models, add_sequences, count
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.geometry.triples import Index3, triple
from VSClickCorrectLib.io.files import write_text
from VSClickCorrectLib.io.outputs import check_apart, check_ours, writing_into

if TYPE_CHECKING:
    from VSClickCorrectResearch.benchmark.examination import Size

_DESCRIPTION = """\
Measure start-up, loading, the initial mask, every part of a click, undo, rounds, long sessions and memory on
synthetic examinations of growing size, or on a scan of yours; set other ways to do the same side by side, and
hold the networks against the machine's own limit. Writes benchmark.md, benchmark.json and charts. Leave the
machine alone meanwhile; it takes about a quarter of an hour on two cores.
"""
_FIGURES, _PAGE = "benchmark.json", "benchmark.md"


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    add_sequences(parser)
    add_models(parser)
    parser.add_argument("--output", type=Path, required=True, metavar="FOLDER", help="folder for the results")
    parser.add_argument("--threads", type=count, metavar="N", help="torch's (default: as it chooses)")
    parser.add_argument(
        "--sizes",
        type=_shape,
        nargs="+",
        metavar="IxJxK",
        help="of the synthetic examination (default: 384x384x40 to 512x512x240)",
    )
    parser.add_argument("--repeats", type=count, default=40, metavar="N", help="single clicks (default: 40)")
    parser.add_argument(
        "--clicks", type=count, default=1000, metavar="N", help="of a long session (default: 1000)"
    )
    parser.add_argument("--without-comparisons", action="store_true", help="measure this software alone")
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from VSClickCorrectLib.io.json_files import write_json

    from VSClickCorrectResearch.benchmark.charts import CHARTS, save_charts
    from VSClickCorrectResearch.benchmark.report import markdown
    from VSClickCorrectResearch.benchmark.run import BenchmarkSettings, measure

    output = options.output
    check_apart(output, filter(None, (options.t1ce, options.t2)))
    check_ours(output, (_PAGE, *CHARTS), (output / _FIGURES).exists())
    settings = BenchmarkSettings(
        command=shlex.join(["vsclick", *sys.argv[1:]]),
        threads=options.threads,
        device=options.device,
        models=options.models,
        repeats=options.repeats,
        clicks=options.clicks,
        sizes=_sizes(options.sizes),
        scan=(options.t1ce, options.t2) if options.t1ce or options.t2 else None,
        comparisons=not options.without_comparisons,
    )
    with writing_into(output):
        results = measure(settings, lambda what: tell(f"{what} …", to=sys.stderr))
        page = markdown(results)
        write_json(output / _FIGURES, results.to_json())
        write_text(output / _PAGE, page)
        save_charts(output, results)
    tell(*page.splitlines())


def _shape(text: str) -> Index3:
    shape = tuple(count(part) for part in text.lower().split("x"))
    if len(shape) != 3:
        raise argparse.ArgumentTypeError(f"'{text}' is not a size like 512x512x120")
    return triple(shape)


def _sizes(shapes: list[Index3] | None) -> tuple[Size, ...]:
    from VSClickCorrectResearch.benchmark.examination import SIZES, Size

    return tuple(Size(shape[::-1]) for shape in shapes) if shapes else SIZES
