"""What is heard over trame's connection: the page's own messages, from who knows the token."""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

import aiohttp
import msgpack
import wslink.backends.aiohttp as backend
from VSClickCorrectLib.errors import on_one_line
from wslink.chunking import ID_LENGTH, UnChunker
from wslink.protocol import RESULT_SERIALIZE_ERROR

from VSClickCorrectApp.layouts import ALL_VIEWS
from VSClickCorrectApp.outbox import Outbox

_LOG = logging.getLogger("VSClickCorrect")

# A part of a file that is sent has 2 MiB.
LARGEST_MESSAGE = 4 << 20
_MAX_UNFINISHED = 4
# Letters of what a browser tells of a fault of the page's.
_LONGEST_FAULT = 2000
# Width, height and pixel ratio.
_MAX_VIEW = {"w": 8192, "h": 8192, "p": 4}
# What trame's page calls; the rest, ending the server for instance, is nothing for a page.
CALLED = frozenset(
    {
        "trame.error.client",
        "trame.lifecycle.update",
        "trame.rca.event",
        "trame.rca.size",
        "trame.rca.video.codecs",
        "trame.rca.video.negotiate",
        "trame.state.get",
        "trame.state.update",
        "trame.trigger",
    }
)
# The connection of the page's window whose call is being answered, in the task that answers it.
SENDER: ContextVar[str] = ContextVar("SENDER", default="")


class Connections(backend.AioHttpWsHandler):
    """wslink's handler of connections, with a limit to everything.

    wslink itself takes messages of 4 GB, calls whatever its protocols export, answers a fault with a
    traceback, writes what it does not understand to the log and lets all browsers wait for the slowest.

    Parameters
    ----------
    protocol, web_app
        As wslink gives them.
    """

    knows_token: Callable[[str], bool]
    left: Callable[[str], None]

    def __init__(self, protocol: Any, web_app: Any = None) -> None:
        super().__init__(protocol, web_app)
        self._outboxes: dict[str, Outbox] = {}
        self.functionMap: dict[str, tuple[Any, Callable]]
        self.functionMap = {name: call for name, call in self.functionMap.items() if name in CALLED}
        for name, narrowed in _NARROWED.items():
            owner, call = self.functionMap.get(name, (None, None))
            if call is not None:
                self.functionMap[name] = (owner, narrowed(call))

    async def validateToken(self, token: object, client_id: str) -> bool:  # noqa: N802
        """Compare as the guard does; wslink's own way tells by its time how much is right."""
        return isinstance(token, str) and type(self).knows_token(token)

    async def onConnect(self, request: Any, client_id: str) -> None:  # noqa: N802
        """Begin to listen to a browser."""
        await super().onConnect(request, client_id)
        self.unchunkers[client_id] = _Parts()
        SENDER.set(client_id)
        self._outboxes[client_id] = Outbox(self.connections[client_id], request.transport.abort)

    async def onClose(self, client_id: str) -> None:  # noqa: N802
        """Note that a browser is gone."""
        self._outboxes.pop(client_id, None)
        await super().onClose(client_id)
        type(self).left(client_id)

    async def onMessage(self, is_binary: bool, msg: Any, client_id: str) -> None:  # noqa: N802
        """Hear a message; one that trame's page cannot have sent ends the connection."""
        try:
            message = self.unchunkers[client_id].process_chunk(msg.data) if is_binary else ""
        # msgpack's errors are of this kind, too.
        except ValueError:
            message = ""
        if message is None:
            return
        if not _is_call(message):
            _LOG.warning("a browser sent what is no call of the page; its connection was closed")
            await self.connections[client_id].close(code=aiohttp.WSCloseCode.PROTOCOL_ERROR)
            return
        with self.network_monitor:
            await self.onCompleteMessage(message, client_id)

    async def sendWrappedMessage(  # noqa: N802
        self,
        rpcid: str,
        content: object,
        method: str = "",
        client_id: str | None = None,
        skip_last_active_client: bool = False,
    ) -> None:
        """Send an answer, or what a browser has not asked for, to the one that it is for."""
        try:
            message = msgpack.packb({"wslink": "1.0", "id": rpcid, "result": content})
        except (TypeError, ValueError, OverflowError):
            _LOG.exception("the answer of %s cannot be sent", method)
            await self.sendWrappedError(
                rpcid, RESULT_SERIALIZE_ERROR, f"{method} has no answer", None, client_id
            )
            return
        skipped = skip_last_active_client and client_id == self.web_app.last_active_client_id
        if not skipped and self.isClientAuthenticated(client_id):
            await self._send(client_id, message, asked=not rpcid.startswith("publish:"))

    async def sendWrappedError(  # noqa: N802
        self, rpcid: str, code: int, message: str, data: object = None, client_id: str | None = None
    ) -> None:
        """Answer that something failed, without the traceback, which tells of this machine's folders."""
        error = {"wslink": "1.0", "id": rpcid, "error": {"code": code, "message": message}}
        await self._send(client_id, msgpack.packb(error), asked=True)

    async def _send(self, client_id: str | None, message: bytes, asked: bool) -> None:
        # wslink names the browser in every call; it may be gone by now.
        outbox = self._outboxes.get(client_id or "")
        if outbox is not None:
            await outbox.send(message, asked)


def limit_connections(knows_token: Callable[[str], bool], left: Callable[[str], None]) -> None:
    """Let the server that starts next in this process hear no more than the page needs.

    Parameters
    ----------
    knows_token : callable
        Says whether a text is the token.
    left : callable
        Called with its connection, as in `SENDER`, when a window of the page has gone.
    """
    callables = {"knows_token": staticmethod(knows_token), "left": staticmethod(left)}
    # wslink offers no other way to choose the handler.
    backend.AioHttpWsHandler = type("Connections", (Connections,), callables)


class _Parts(UnChunker):
    """Puts messages together that came in parts; wslink's own believes any size that is announced."""

    def set_max_message_size(self, size: int) -> None:
        super().set_max_message_size(min(size, LARGEST_MESSAGE))

    def process_chunk(self, chunk: bytes) -> Any:
        number = int.from_bytes(chunk[:ID_LENGTH], "little")
        if number not in self.pending_messages and len(self.pending_messages) >= _MAX_UNFINISHED:
            raise ValueError("too many unfinished messages")
        return super().process_chunk(chunk)


def _is_call(message: object) -> bool:
    return isinstance(message, dict) and all(isinstance(message.get(key), str) for key in ("id", "method"))


def _lives(call: Callable) -> Callable:
    """Let a page tell of its own life, not of the server's."""

    def update(owner: Any, name: str) -> None:
        if name.startswith("client_"):
            call(owner, name)

    return update


def _known(call: Callable) -> Callable:
    """Let a page change what the app keeps, not trame's templates and scripts, which every page obeys."""

    def update(owner: Any, changes: list[dict]) -> None:
        state = owner.server.state
        call(owner, [c for c in changes if state.has(c["key"]) and not c["key"].startswith("trame__")])

    return update


def _on_one_line(call: Callable) -> Callable:
    """Log what a page tells of a fault so that it is no line of ours, and steers no terminal."""

    def tell(owner: Any, fault: object) -> None:
        call(owner, on_one_line(str(fault)[:_LONGEST_FAULT]))

    return tell


def _of_views(call: Callable) -> Callable:
    """Hear of the views alone; of others trame-rca prints the name as it came."""

    def hear(owner: Any, area: str, *about: Any) -> Any:
        return call(owner, area, *about) if area in ALL_VIEWS else None

    return hear


def _drawable(call: Callable) -> Callable:
    """Draw no view that would not fit into memory."""

    def update(owner: Any, area: str, origin: str, size: dict) -> None:
        drawn = {key: min(float(size.get(key, 1)), most) for key, most in _MAX_VIEW.items()}
        call(owner, area, origin, drawn)

    return update


_NARROWED = {
    "trame.error.client": _on_one_line,
    "trame.lifecycle.update": _lives,
    "trame.rca.event": _of_views,
    "trame.rca.size": lambda call: _of_views(_drawable(call)),
    "trame.state.update": _known,
}
