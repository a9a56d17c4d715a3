"""A browser that reads, one that reads slowly and one that has stopped, over real connections."""

import asyncio
import socket
from types import SimpleNamespace

import pytest
from aiohttp import web
from VSClickCorrectApp.outbox import Outbox
from wslink.chunking import UnChunker

MESSAGE = b"\xc4\xff" + bytes(255)
# More than the buffers of the system between the two ends.
LONG = b"\xc6\x01\x80\x00\x00" + bytes(0x1800000)


@pytest.fixture
def connected(capsys):
    """Let a coroutine have an outbox, and what is at the other end; return what was said."""

    async def run(use, options):
        ready = asyncio.get_running_loop().create_future()

        async def answer(request):
            ws = web.WebSocketResponse()
            await ws.prepare(request)
            ready.set_result(Outbox(ws, request.transport.abort, **options))
            async for _ in ws:
                pass
            return ws

        application = web.Application()
        application.router.add_get("/ws", answer)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        reader, writer = await asyncio.open_connection("127.0.0.1", runner.addresses[0][1])
        writer.write(
            b"GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        )
        await reader.readuntil(b"\r\n\r\n")
        try:
            await use(SimpleNamespace(outbox=await ready, reader=reader, writer=writer))
        finally:
            writer.close()
            await runner.cleanup()

    def connect(use, **options):
        asyncio.run(asyncio.wait_for(run(use, options), 60))
        return capsys.readouterr().err

    return connect


async def taken(reader, count=1):
    """Read frames until as many messages are whole."""
    unchunker, messages = UnChunker(), []
    unchunker.set_max_message_size(1 << 30)
    while len(messages) < count:
        size = (await reader.readexactly(2))[1] & 127
        if size > 125:
            size = int.from_bytes(await reader.readexactly(2 if size == 126 else 8), "big")
        message = unchunker.process_chunk(await reader.readexactly(size))
        messages += [] if message is None else [message]
    return messages


def test_messages_come_in_their_order_also_behind_a_long_one(connected):
    async def use(ends):
        messages = (LONG, MESSAGE, LONG, MESSAGE)
        sent = asyncio.gather(*(ends.outbox.send(message, asked=True) for message in messages))
        heard = await taken(ends.reader, 4)
        await sent
        assert [len(message) for message in heard] == [len(LONG) - 5, 255, len(LONG) - 5, 255]

    assert connected(use) == ""


def test_one_that_takes_nothing_is_left_with_a_sentence_and_what_waits_is_dropped(connected):
    async def use(ends):
        await asyncio.gather(*(ends.outbox.send(LONG, asked=asked) for asked in (True, False, False)))
        await ends.outbox.send(MESSAGE, asked=False)
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await taken(ends.reader)

    said = connected(use, patience_s=0.3)
    assert said == "A browser takes nothing any more and was disconnected; reload its page to go on there.\n"


def test_one_that_lets_more_and_more_wait_is_left_before_its_time_is_up(connected):
    async def use(ends):
        sends = [ends.outbox.send(LONG, asked=False) for _ in range(3)]
        await asyncio.gather(*sends)

    said = connected(use, most_waiting=2 * len(LONG))
    assert said == "A browser lets more and more wait and was disconnected; reload its page to go on there.\n"


def test_an_answer_may_be_as_long_as_it_is(connected):
    async def use(ends):
        heard, _ = await asyncio.gather(taken(ends.reader), ends.outbox.send(LONG, asked=True))
        assert len(heard[0]) == len(LONG) - 5

    assert connected(use, most_waiting=1) == ""


def test_one_that_went_away_is_nothing_to_speak_of(connected):
    async def use(ends):
        ends.writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
        ends.writer.transport.abort()
        await ends.outbox.send(LONG, asked=True)

    assert connected(use) == ""
