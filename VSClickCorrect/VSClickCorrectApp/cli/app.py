"""``vsclick app``: the same clicks in a browser."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from VSClickCorrectLib.cli.options import (
    add_different_patients,
    add_label,
    add_models,
    add_sequences,
    model_folder,
    natural,
)
from VSClickCorrectLib.errors import ModelError, VSClickError
from VSClickCorrectLib.io.files import check_file
from VSClickCorrectLib.io.given_scans import GivenScans
from VSClickCorrectLib.worklist.records import CaseState
from VSClickCorrectLib.worklist.worklist import Worklist

from VSClickCorrectApp.cli.server_options import add_upload_limit, port

_DESCRIPTION = """\
Open a page in the browser in which a segmentation is corrected by clicks; everything is computed on this
machine. Without files it opens the sample case. The server answers this machine alone, or others too with
--host, but only those who know its token. It makes one up and prints it as part of the address, or takes the
one in the environment variable VSCLICK_TOKEN.
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    add_sequences(parser)
    add_different_patients(parser)
    parser.add_argument("--mask", type=Path, metavar="FILE", help="mask to correct, on the T1ce's grid")
    add_label(parser)
    parser.add_argument(
        "--worklist", type=Path, metavar="CASES", help="folder of cases, or CSV list (case, t1ce, t2, mask)"
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="folder of the worklist's results (default: vsclick-output beside the cases)",
    )
    kept = "who works on the worklist, kept with every case; the same initials go on with their cases"
    parser.add_argument("--annotator", default="", metavar="INITIALS", help=kept)
    _add_server(parser)
    add_models(parser)
    parser.set_defaults(run=run)


def _add_server(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=port, default=8080, metavar="N", help="port, 0 for any (default: %(default)s)"
    )
    parser.add_argument("--no-browser", action="store_true", help="print the address and open no browser")
    parser.add_argument(
        "--host", default="127.0.0.1", metavar="NAME", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--timeout",
        type=natural,
        default=0,
        metavar="SECONDS",
        help="end after so long without a browser (default: never)",
    )
    add_upload_limit(parser)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    files = [options.t1ce, options.t2, options.mask]
    if options.worklist and any(files):
        raise VSClickError("--worklist brings its own files; leave --t1ce, --t2 and --mask out.")
    if options.mask and not (options.t1ce or options.t2):
        raise VSClickError("--mask needs the scan it belongs to; give --t1ce or --t2 too.")
    if not options.worklist and (options.output or options.annotator):
        raise VSClickError("--output and --annotator are a worklist's; name one with --worklist.")
    if options.label is not None and not options.mask:
        raise VSClickError("--label chooses from the labels of a mask; name it with --mask.")
    # Else it would be told on the page, in a while.
    for path in filter(None, files):
        if not os.path.isdir(path):
            check_file(path)
    with GivenScans(options.t1ce, options.t2) as scans:
        start(_source(options, scans), options)


def start(source: Callable | Worklist, options: argparse.Namespace) -> None:
    """Serve what makes the first case, an `OpenedCase`, or a worklist; see `server.serve`.

    Raises
    ------
    ModelError
        If the app is not installed or the models cannot be used.
    """
    models = model_folder(options)
    # While the libraries of the app are imported, which takes as long.
    pool = ThreadPoolExecutor(1)
    first = source if isinstance(source, Worklist) else pool.submit(source)
    try:
        from VSClickCorrectLib.inference.manifest import Choice

        from VSClickCorrectApp.guard import TOKEN_VARIABLE
        from VSClickCorrectApp.server import Serving, serve
    except ImportError as error:
        raise ModelError(f"the app needs {error.name}; install vsclickcorrect[app].") from None
    serving = Serving(
        options.host,
        options.port,
        # The child processes need not know it.
        os.environ.pop(TOKEN_VARIABLE, None),
        not options.no_browser,
        options.timeout,
        options.upload_limit,
    )
    serve(first, Choice(str(models.folder), "", options.device), serving)


def defaults(models: Path | None, device: str) -> argparse.Namespace:
    """Return the options of ``vsclick app`` with these models, on any free port."""
    parser = argparse.ArgumentParser()
    configure(parser)
    return parser.parse_args(
        ["--port", "0", "--device", device, *(["--models", str(models)] if models else [])]
    )


def _check_nobody_else_began(worklist: Worklist) -> None:
    """Refuse to pass over cases that somebody has begun who may be the one who asks."""
    begun = {row.record.annotator for row in worklist.rows() if row.record.state is CaseState.IN_WORK} - {""}
    if begun:
        raise VSClickError(
            f"cases of this worklist were begun by {', '.join(sorted(begun))}, and would be passed over; "
            "say who works with --annotator."
        )


def _source(options: argparse.Namespace, scans: GivenScans):
    if options.worklist:
        output = options.output or options.worklist.resolve().parent / "vsclick-output"
        worklist = Worklist.open(options.worklist, output, options.annotator)
        if not options.annotator:
            _check_nobody_else_began(worklist)
        worklist.different_patients = options.different_patients
        return worklist

    def make():
        # Here, in a thread: the page is to come first.
        from VSClickCorrectApp.sources import read_files, sample

        if options.t1ce or options.t2:
            return read_files(scans, options.mask, options.label, options.different_patients)
        return sample()

    return make
