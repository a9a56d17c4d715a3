"""Views are drawn one after the other, and each is on its way to the browser before the next one is drawn."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

from trame_rca.encoders import RcaImageEncoder
from trame_rca.rca import RemoteControlledAreaProtocol
from trame_server.utils.asynchronous import create_task
from trame_slicer.rca_view import rca_view_factory

# What trame-rca sends of a view at rest.
_QUALITY = 90
# A picture that is sent passes several tasks until it is written to the connection.
_ON_ITS_WAY_S = 0.001


class TurnScheduler:
    """Draws a view when it is its turn; see `RcaRenderSchedulerProtocol`.

    trame-rca's own scheduler lets all views that a click has changed be drawn before the first of their
    pictures goes out, while the browser waits. It also packs pictures in other threads; where other work
    keeps all cores busy, waking those takes longer than the milliseconds of packing.

    Parameters
    ----------
    window : RemoteControlledAreaProtocol
        What is drawn.
    rca_encoder : RcaImageEncoder
        How pictures are packed.
    target_fps : float
        How often it is drawn at most.
    """

    turn: asyncio.Lock

    def __init__(
        self,
        window: RemoteControlledAreaProtocol,
        rca_encoder: RcaImageEncoder,
        target_fps: float,
        **_: Any,
    ) -> None:
        self.rca, self.target_fps = window, target_fps
        self._encoder = rca_encoder
        self._push: Callable[[bytes, dict], None] = lambda picture, about: None
        self._number: Callable[[], int | None] = lambda: None
        self._asked = asyncio.Event()
        self._task = create_task(self._draw_when_asked())

    def set_push_callback(self, callback: Callable[[bytes, dict], None]) -> None:
        """Let what is drawn be sent by a callback."""
        self._push = callback

    def set_number_callback(self, callback: Callable[[], int]) -> None:
        """Let a number go with each picture, that of what the view shows as it is drawn."""
        self._number = callback

    def schedule_render(self) -> None:
        """Let the view be drawn as it is when its turn comes, once for all who ask until then."""
        self._asked.set()

    async def close(self) -> None:
        """Draw no more."""
        self._task.cancel()
        await asyncio.wait([self._task])

    def reset(self) -> None:
        """Pictures do not depend on those before."""

    async def _draw_when_asked(self) -> None:
        while True:
            await self._asked.wait()
            async with self.turn:
                self._asked.clear()
                began = monotonic()
                picture, about, _ = self._encoder.encode(*self.rca.img_cols_rows, _QUALITY)
                self._push(picture, {**about, "number": self._number()})
                await asyncio.sleep(_ON_ITS_WAY_S)
            await asyncio.sleep(max(0.0, began + 1 / self.target_fps - monotonic()))


def take_turns() -> None:
    """Let the views that are made from now on in this process be drawn in turn."""
    scheduler = type("Turns", (TurnScheduler,), {"turn": asyncio.Lock()})
    # trame-slicer offers no other way to choose the scheduler.
    rca_view_factory.RcaImageRenderScheduler = scheduler
