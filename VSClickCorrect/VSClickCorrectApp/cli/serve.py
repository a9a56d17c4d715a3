"""``vsclick serve``: a worklist for several people, each in a browser of their own."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from VSClickCorrectLib.cli.options import (
    add_different_patients,
    add_models,
    add_worklist,
    count,
    model_folder,
)
from VSClickCorrectLib.cli.telling import tell
from VSClickCorrectLib.errors import ModelError, VSClickError
from VSClickCorrectLib.worklist.worklist import Worklist

from VSClickCorrectApp.cli.server_options import add_upload_limit, port

_DESCRIPTION = """\
Serve one worklist to several people, behind a proxy that has TLS, asks for their logins and passes them on in
a header. Whoever opens its address gets a process of their own, whose case locks and records bear that login.
Resources/Docs/serving.md says how to set it up. Where the server listens on a port it answers only requests
with the header X-Proxy-Secret, which the proxy adds, of the value in the environment variable
VSCLICK_PROXY_SECRET.
"""
SECRET_VARIABLE = "VSCLICK_PROXY_SECRET"  # noqa: S105, a name
_HOST = "127.0.0.1"
# Time to load the page again, or to find a network again.
_AWAY_S = 120


def configure(parser: argparse.ArgumentParser) -> None:
    """Give the command's parser its options."""
    parser.description = _DESCRIPTION
    add_worklist(parser)
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--socket", type=Path, metavar="PATH", help="listen on a socket, for a proxy here")
    place.add_argument("--port", type=port, metavar="N", help="listen on a port")
    parser.add_argument("--host", metavar="NAME", help=f"address of the port (default: {_HOST})")
    parser.add_argument(
        "--people",
        type=count,
        required=True,
        metavar="N",
        help="how many at a time; reckon with the memory that serving.md tells",
    )
    parser.add_argument(
        "--idle",
        type=count,
        default=30,
        metavar="MINUTES",
        help="end a session in which nothing is done for so long (default: %(default)s)",
    )
    parser.add_argument(
        "--user-header",
        default="X-Remote-User",
        metavar="NAME",
        help="header in which the proxy names the person (default: %(default)s)",
    )
    add_upload_limit(parser)
    add_different_patients(parser)
    add_models(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    try:
        from VSClickCorrectApp.group_server import Place, serve_group
        from VSClickCorrectApp.group_sessions import GroupSessions
        from VSClickCorrectApp.trusted_proxy import TrustedProxy
    except ImportError as error:
        raise ModelError(f"the app needs {error.name}; install vsclickcorrect[app].") from None
    if options.socket is not None and options.host is not None:
        raise VSClickError("--host is the address of a --port; leave it out beside --socket.")
    proxy = TrustedProxy(options.user_header, _secret(options))
    command = app_command(options)
    # What is wrong with it would else be told to the first who comes, in the log.
    Worklist.open(options.cases, options.output)
    sessions = GroupSessions(command, options.people, 60.0 * options.idle, _log)
    serve_group(sessions, proxy, Place(options.socket, options.host or _HOST, options.port or 0))


def app_command(options: argparse.Namespace) -> list[str]:
    """Return the command of each person's process; all it lacks is who they are."""
    words = [
        *("--worklist", options.cases.absolute(), "--output", options.output.absolute()),
        *("--models", model_folder(options).folder, "--device", options.device),
        *("--port", 0, "--no-browser", "--timeout", _AWAY_S, "--upload-limit", options.upload_limit),
        *(["--different-patients"] if options.different_patients else []),
    ]
    return [sys.executable, "-m", "VSClickCorrectLib.cli.main", "app", *map(str, words)]


def _secret(options: argparse.Namespace) -> str | None:
    """Return what the proxy has to know; the processes need not."""
    from VSClickCorrectApp.guard import checked_token

    secret = os.environ.pop(SECRET_VARIABLE, None)
    if options.socket is not None:
        return None
    if not secret:
        raise VSClickError(
            f"whoever reaches a port could say to be anybody; give the proxy a secret and put it into "
            f"{SECRET_VARIABLE}, or listen on a --socket."
        )
    return checked_token(secret)


def _log(line: str) -> None:
    tell(line, to=sys.stderr)
