"""The process of one annotator: how it is started and ended, and where it answers."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from VSClickCorrectApp.guard import TOKEN_VARIABLE, cookie_name, new_token
from VSClickCorrectApp.ready_line import port_in

# A line of a process's output; its last words come within the time.
_LONGEST_LINE = 1 << 20
_LAST_WORDS_S = 1.0
# A process that has not ended by then hangs.
_END_S = 60.0
HOST = "127.0.0.1"


class AnnotatorSession:
    """A process of ``vsclick app`` that one annotator alone reaches.

    Parameters
    ----------
    annotator : str
        The name, for case locks and records.

    Attributes
    ----------
    port : int or None
        Where it answers on this machine, once it does.
    connections : int
        How many pages are connected.
    ending : bool
        Whether it was told to end.
    """

    def __init__(self, annotator: str) -> None:
        self.annotator = annotator
        self.port: int | None = None
        self.connections = 0
        self.ending = False
        self._token = new_token()
        self._process: asyncio.subprocess.Process | None = None
        self._heard = time.monotonic()

    @property
    def ready(self) -> bool:
        """Whether it answers."""
        return self.port is not None and not self.ending

    @property
    def address(self) -> str:
        """Where it answers, without a slash at the end."""
        return f"http://{HOST}:{self.port}"

    @property
    def headers(self) -> dict[str, str]:
        """What its `Guard` wants to see: its key, and a page of its own."""
        return {
            "Cookie": f"{cookie_name(self._token)}={self._token}",
            # So that it tells the page of a connection by TLS.
            "Origin": self.address.replace("http:", "https:"),
        }

    @property
    def silent_s(self) -> float:
        """Seconds since the annotator was heard of last."""
        return time.monotonic() - self._heard

    def hear(self) -> None:
        """Note that the annotator does something."""
        self._heard = time.monotonic()

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Count a page's connection."""
        self.connections += 1
        try:
            yield
        finally:
            self.connections -= 1

    async def run(self, command: Sequence[str], say: Callable[[str], object]) -> int:
        """Start the process and return its status once it has ended.

        Parameters
        ----------
        command : sequence of str
            What starts it, to which the annotator is added; it finds its key in the environment.
        say : callable
            Gets each line that it prints.

        Raises
        ------
        OSError
            If it cannot be started.
        """
        output, input_ = os.pipe()
        # Its children may keep a pipe of asyncio's own open, for which the end would be waited.
        listening = asyncio.create_task(self._listen(output, say))
        try:
            self._process = await asyncio.create_subprocess_exec(
                *command,
                f"--annotator={self.annotator}",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=input_,
                stderr=input_,
                env={**os.environ, TOKEN_VARIABLE: self._token},
                # Ctrl+C is for the one who ends all of them in order.
                start_new_session=True,
            )
        finally:
            os.close(input_)
        if self.ending:
            self.end()
        status = await self._process.wait()
        self.ending = True
        await asyncio.wait([listening], timeout=_LAST_WORDS_S)
        listening.cancel()
        return status

    def end(self) -> None:
        """Let it close its case and end; one that hangs is killed after a while."""
        self.ending = True
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.terminate()
            asyncio.get_running_loop().call_later(_END_S, self._kill)

    def _kill(self) -> None:
        # What is on the disk is whole all the same.
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _listen(self, output: int, say: Callable[[str], object]) -> None:
        reader = asyncio.StreamReader(limit=_LONGEST_LINE)
        with os.fdopen(output, "rb") as pipe:
            loop = asyncio.get_running_loop()
            await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
            async for line in reader:
                text = line.decode(errors="replace").rstrip()
                # Told once, before anybody is led there: what is printed later may be what a page sent.
                port = port_in(text) if self.port is None else None
                if port is None:
                    say(text)
                else:
                    self.port = port
