"""The server of a group: where it listens, and how it begins and ends."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from aiohttp import web
from VSClickCorrectLib.signals import finished_before_signals, undone_by_signals

from VSClickCorrectApp.gateway import Gateway
from VSClickCorrectApp.group_sessions import GroupSessions
from VSClickCorrectApp.guard import ServerError
from VSClickCorrectApp.trusted_proxy import TrustedProxy

# The proxy is in the socket's group.
_FOR_THE_GROUP = 0o660


@dataclass(frozen=True)
class Place:
    """Where a proxy finds the server.

    Parameters
    ----------
    path : Path or None
        A socket in a folder that nobody but the proxy may enter.
    host : str
        Else what to bind to.
    port : int
        And on which port.
    """

    path: Path | None
    host: str = "127.0.0.1"
    port: int = 0

    def __str__(self) -> str:
        return str(self.path) if self.path is not None else f"{self.host}, port {self.port}"


def serve_group(sessions: GroupSessions, proxy: TrustedProxy, place: Place) -> None:
    """Serve a group until Ctrl+C or SIGTERM; all cases are closed then.

    Parameters
    ----------
    sessions : GroupSessions
        The processes.
    proxy : TrustedProxy
        Who says whose a request is.
    place : Place
        Where to listen.

    Raises
    ------
    ServerError
        If that is not possible.
    """
    with _listening(place) as listener:
        asyncio.run(_serve(sessions, Gateway(sessions, proxy), listener, place))


async def _serve(sessions: GroupSessions, gateway: Gateway, listener: socket.socket, place: Place) -> None:
    loop, told = asyncio.get_running_loop(), asyncio.Event()
    with finished_before_signals(lambda: loop.call_soon_threadsafe(told.set)):
        runner = web.AppRunner(gateway.application(), access_log=None)
        await runner.setup()
        await web.SockSite(runner, listener).start()
        where = place if place.path is not None else replace(place, port=listener.getsockname()[1])
        print(f"VSClickCorrect answers its proxy at {where} (Ctrl+C ends it)", flush=True)
        watching = asyncio.create_task(sessions.watch())
        await told.wait()
        watching.cancel()
        # Before the pages' connections, which end by that.
        await sessions.close()
        await runner.cleanup()


@contextmanager
def _listening(place: Place) -> Iterator[socket.socket]:
    try:
        listener = _at_port(place) if place.path is None else _at_path(place.path)
    except (OSError, OverflowError) as error:
        told = getattr(error, "strerror", None) or str(error)
        raise ServerError(f"cannot listen on {place} ({told}); choose another place.") from None
    with listener, undone_by_signals(lambda: _leave(place)):
        try:
            yield listener
        finally:
            _leave(place)


def _leave(place: Place) -> None:
    if place.path is not None:
        place.path.unlink(missing_ok=True)


def _at_port(place: Place) -> socket.socket:
    return socket.create_server((place.host, place.port), family=_family(place.host))


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def _at_path(path: Path) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        if path.is_socket() and not _answers(path):
            # One that a server left which was killed.
            path.unlink()
        listener.bind(str(path))
        os.chmod(path, _FOR_THE_GROUP)
    except OSError:
        listener.close()
        raise
    return listener


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0
