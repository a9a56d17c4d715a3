"""What is on its way to one browser: nobody else waits for it, and a browser that takes nothing is left."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable

from aiohttp import web
from wslink.chunking import generate_chunks

# A browser on a slow line takes 256 kB within this time.
_PART = 1 << 18
_PATIENCE_S = 20.0
_MAX_WAITING = 64 << 20


class Outbox:
    """Sends messages to a browser one after the other.

    Parameters
    ----------
    socket : web.WebSocketResponse
        The connection.
    leave : callable
        Ends the connection at once, without a word to a browser that would not hear it.
    patience_s : float
        For how long a browser may take nothing.
    most_waiting : int
        How many bytes that it has not asked for may wait for it.
    """

    def __init__(
        self,
        socket: web.WebSocketResponse,
        leave: Callable[[], None],
        patience_s: float = _PATIENCE_S,
        most_waiting: int = _MAX_WAITING,
    ) -> None:
        self._socket, self._leave = socket, leave
        self._patience_s, self._most_waiting = patience_s, most_waiting
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._left = False

    async def send(self, message: bytes, asked: bool) -> None:
        """Send a message after those that wait already, or not at all if the browser is gone.

        Parameters
        ----------
        message : bytes
            The message, packed.
        asked : bool
            Whether it answers a call; a browser waits for one answer at a time, however long it may be.
        """
        size = 0 if asked else len(message)
        if self._waiting + size > self._most_waiting:
            self._give_up("lets more and more wait")
            return
        self._waiting += size
        try:
            async with self._turn:
                await self._deliver(message)
        except asyncio.TimeoutError:
            self._give_up("takes nothing any more")
        except ConnectionError:
            # It went away while it was answered.
            pass
        finally:
            self._waiting -= size

    async def _deliver(self, message: bytes) -> None:
        for part in generate_chunks(message, _PART):
            await asyncio.wait_for(self._socket.send_bytes(part), self._patience_s)

    def _give_up(self, why: str) -> None:
        if not self._left:
            self._left = True
            print(f"A browser {why} and was disconnected; reload its page to go on there.", file=sys.stderr)
            self._leave()
