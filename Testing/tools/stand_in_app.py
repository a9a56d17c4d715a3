"""What stands in for ``vsclick app`` where only its process is tested: guarded alike, and there at once.

It tells a page whose process it is, echoes what its connection brings, and knows annotators who make it fail.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

from aiohttp import WSMsgType, web
from VSClickCorrectApp.guard import TOKEN_VARIABLE, Guard
from VSClickCorrectApp.ready_line import READY

NAME = web.AppKey("annotator", str)
# Comes up never; prints more than a pipe holds before it does.
BROKEN, TALKATIVE = "broken", "talkative"


async def page(request: web.Request) -> web.Response:
    """Tell whose process answers, and what it was sent."""
    return web.json_response(
        {"annotator": request.app[NAME], "pid": os.getpid(), "headers": dict(request.headers)}
    )


async def echo(request: web.Request) -> web.WebSocketResponse:
    """Send everything back; end at once where that is asked for."""
    connection = web.WebSocketResponse(max_msg_size=0)
    await connection.prepare(request)
    async for message in connection:
        if message.type is WSMsgType.TEXT and message.data == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if message.type is WSMsgType.TEXT and message.data.startswith(READY):
            print(message.data, flush=True)
        if message.type is WSMsgType.TEXT:
            await connection.send_str(message.data)
        else:
            await connection.send_bytes(message.data)
    return connection


async def closed(_application: web.Application) -> None:
    """Tell that the process ends as it should."""
    print("closed in order", flush=True)


def main(annotator: str) -> None:
    """Serve until a signal comes."""
    if annotator == BROKEN:
        sys.exit("vsclick: the drive is gone.")
    if annotator == TALKATIVE:
        for _ in range(4000):
            print("said at length, " * 8, flush=True)
    application = web.Application()
    application[NAME] = annotator
    Guard("127.0.0.1", os.environ.pop(TOKEN_VARIABLE)).install(application, Path(__file__))
    application.router.add_get("/ws", echo)
    application.router.add_get("/{path:.*}", page)

    application.on_shutdown.append(closed)
    listener = socket.create_server(("127.0.0.1", 0))
    # Connections wait in the listener until they are answered.
    print(f"{READY} http://127.0.0.1:{listener.getsockname()[1]}/ (Ctrl+C ends it)", flush=True)
    web.run_app(application, sock=listener, print=None, shutdown_timeout=0.1)


if __name__ == "__main__":
    main(sys.argv[-1].removeprefix("--annotator="))
