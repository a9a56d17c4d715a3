"""The server: where it listens, who may come, and how it begins and ends."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aiohttp.web import GracefulExit
from trame_server import Server
from trame_server.utils.asynchronous import create_task, get_event_loop
from VSClickCorrectLib.inference.manifest import Choice
from VSClickCorrectLib.signals import finished_before_signals
from VSClickCorrectLib.workflow.opened_case import OpenedCase
from VSClickCorrectLib.worklist.worklist import Worklist

from VSClickCorrectApp.application import BrowserApp
from VSClickCorrectApp.browser_launch import open_browser
from VSClickCorrectApp.connection import LARGEST_MESSAGE, limit_connections
from VSClickCorrectApp.guard import Guard, ServerError, checked_token, is_local, new_token
from VSClickCorrectApp.memory import give_large_blocks_back
from VSClickCorrectApp.ready_line import READY
from VSClickCorrectApp.uploads import LIMIT_MB, Uploads

_ANY = ("0.0.0.0", "::")  # noqa: S104, these are compared, not bound to
_WARNING = (
    "Others on the network can reach this server, and what passes is not encrypted: "
    "put a proxy with TLS before it, or let a firewall keep others out."
)


@dataclass(frozen=True)
class Serving:
    """How to serve.

    Parameters
    ----------
    host : str
        What to bind to.
    port : int
        On which port; 0 for any that is free.
    token : str or None
        What a browser must know to come in; one is made up if none is given.
    browser : bool
        Whether to open the page in the user's browser.
    timeout : int
        Seconds without a browser after which the server ends; 0 for never.
    upload_mb : int
        The largest file that may be sent, in MB.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    token: str | None = None
    browser: bool = True
    timeout: int = 0
    upload_mb: int = LIMIT_MB


def serve(source: Future[OpenedCase] | Worklist, choice: Choice, serving: Serving) -> None:
    """Serve one session until Ctrl+C, or until nobody has been there for a while.

    Parameters
    ----------
    source : Future or Worklist
        The first case, on its way; or the cases to work through.
    choice : Choice
        The networks.
    serving : Serving
        How.

    Raises
    ------
    ServerError
        If the address cannot be bound.
    """
    token = checked_token(serving.token) if serving.token else new_token()
    give_large_blocks_back()
    guard = Guard(serving.host, token)
    uploads = Uploads(serving.upload_mb)
    app = BrowserApp(choice, uploads)
    controller = app.server.controller
    controller.on_server_bind.add(lambda wslink: guard.install(wslink.app, _page_of(wslink)))
    controller.on_server_ready.add(lambda **_: _announce(app.server, serving, token))
    controller.on_server_ready.add(lambda **_: create_task(app.begin(source)))
    controller.on_exception.add(lambda error, *_: _report(app, error))
    limit_connections(guard.knows_token, app.forget)
    loop = get_event_loop()
    # Between two messages, when no click is half applied.
    with finished_before_signals(lambda: loop.call_soon_threadsafe(_leave)):
        try:
            _run(app.server, serving)
        finally:
            app.close()


def address(serving: Serving, port: int, token: str | None = None) -> str:
    """Return what to type into a browser, with the token if it is given."""
    host = "127.0.0.1" if serving.host in _ANY else serving.host
    host = f"[{host}]" if ":" in host else host
    return f"http://{host}:{port}/" + (f"?secret={token}" if token else "")


def _leave() -> None:
    raise GracefulExit


def _page_of(wslink) -> Path:
    return Path(wslink.config["static"]["/"]) / "index.html"


def _report(app: BrowserApp, error: Exception) -> None:
    # A browser that goes away while it is answered is nothing unexpected.
    if not isinstance(error, ConnectionError):
        app.status.fail("something unexpected happened; the terminal says more.")


def _announce(server: Server, serving: Serving, token: str) -> None:
    # Output ends up in logs, and who gave a token knows it.
    said = address(serving, server.port, None if serving.token else token)
    print(f"{READY} {said} (Ctrl+C ends it)", flush=True)
    if not is_local(serving.host):
        print(_WARNING, file=sys.stderr, flush=True)
    if serving.browser:
        open_browser(address(serving, server.port, token))


def _run(server: Server, serving: Serving) -> None:
    # wslink writes a line of its own, without a line's end.
    os.environ["WSLINK_READY_MSG"] = ""
    server.options["ws_max_msg_size"] = LARGEST_MESSAGE
    with _no_arguments():
        try:
            server.start(
                host=serving.host,
                port=serving.port,
                timeout=serving.timeout,
                open_browser=False,
                show_connection_info=False,
                # Without signal handlers of its own.
                thread=True,
            )
        except OSError as error:
            raise ServerError(
                f"cannot listen on {serving.host}, port {serving.port} ({error.strerror}); "
                "choose another with --port."
            ) from None


@contextmanager
def _no_arguments() -> Iterator[None]:
    """Keep from trame, which reads command line and environment, what is not meant for it."""
    own = sys.argv
    sys.argv = own[:1]
    os.environ.pop("TRAME_ARGS", None)
    try:
        yield
    finally:
        sys.argv = own
