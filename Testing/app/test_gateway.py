"""One address for a group: whose process answers, who is let in, and what ends what."""

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest
import stand_in_app
from aiohttp.test_utils import TestClient, TestServer
from raw_http import ask, request
from VSClickCorrectApp import annotator_session, gateway
from VSClickCorrectApp.gateway import Gateway
from VSClickCorrectApp.group_sessions import GroupSessions, NotStarted
from VSClickCorrectApp.ready_line import READY
from VSClickCorrectApp.trusted_proxy import TrustedProxy

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="groups are served on Linux and macOS")
APP = (sys.executable, str(Path(stand_in_app.__file__)))
SECRET = "known-to-the-proxy-alone"
PATIENCE_S = 60
ANNA, BERT = {"X-Remote-User": "anna"}, {"X-Remote-User": "bert"}


@pytest.fixture(autouse=True)
def library_for_processes(monkeypatch):
    """Let the processes find the library, installed or not."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))


@asynccontextmanager
async def group(people=2, idle_s=600.0, secret=None, said=None):
    """A gateway with its sessions, as `serve_group` runs them, and a client of it."""
    lines = [] if said is None else said
    sessions = GroupSessions(APP, people, idle_s, lines.append)
    watching = asyncio.create_task(sessions.watch())
    async with TestClient(TestServer(Gateway(sessions, TrustedProxy(secret=secret)).application())) as client:
        try:
            yield client
        finally:
            watching.cancel()
            await sessions.close()


async def opened(client, headers):
    """Load the page until it is there; return what it says."""
    for _ in range(PATIENCE_S * 20):
        async with client.get("/index.html", headers=headers) as answer:
            if answer.status == 200:
                return await answer.json()
            # 502 for as long as a process that has died is not known to be dead.
            assert answer.status in (202, 502)
            assert 'http-equiv="refresh"' in await answer.text()
        await asyncio.sleep(0.05)
    raise AssertionError("the page never came")


async def told(client, headers, path="/index.html", method="GET"):
    """Return status and text of an answer."""
    async with client.request(method, path, headers=headers, allow_redirects=False) as answer:
        return answer.status, await answer.text()


async def until_free(client, headers):
    """Wait until somebody gets a place."""

    async def begun():
        return (await told(client, headers))[0] == 202

    await until(begun)


async def until(holds):
    for _ in range(PATIENCE_S * 20):
        if await holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("it never came to hold")


def test_each_annotator_has_one_process_and_reaches_no_other():
    async def run():
        async with group() as client:
            anna, bert = await asyncio.gather(opened(client, ANNA), opened(client, BERT))
            assert (anna["annotator"], bert["annotator"]) == ("anna", "bert")
            assert anna["pid"] != bert["pid"]
            # Loading the page again, or in a second window, leads to the same process.
            assert (await opened(client, ANNA))["pid"] == anna["pid"]
            # Bert knows Anna's key, and it opens nothing: who he is decides.
            name, _, key = anna["headers"]["Cookie"].partition("=")
            for path, cookie in ((f"/x?secret={key}", ""), ("/x", f"{name}={key}")):
                status, text = await told(client, {**BERT, "Cookie": cookie}, path)
                assert status == 403 or json.loads(text)["pid"] == bert["pid"]
            # What a browser sends besides stays outside, a password for instance.
            sent = (await opened(client, {**ANNA, "Authorization": "Basic YQ==", "Cookie": "a=b"}))["headers"]
            assert "Authorization" not in sent and "X-Remote-User" not in sent
            assert sent["Cookie"] == f"{name}={key}"

    asyncio.run(run())


@pytest.mark.parametrize(
    "names",
    [
        [],
        [""],
        ["anna", "bert"],
        ["bert, anna"],
        ["-anna"],
        ["an\tna"],
        ["a" * 65],
        ["\udcff"],
        ["an;na"],
        ["a "],
    ],
)
def test_who_is_not_named_once_by_the_proxy_is_not_let_in(names):
    async def run():
        async with group() as client:
            raw = "".join(f"X-Remote-User: {name}\r\n" for name in names).encode(errors="surrogateescape")
            content = b"GET /index.html HTTP/1.1\r\nHost: a\r\n" + raw + b"Connection: close\r\n\r\n"
            answer = await asyncio.to_thread(ask, client.port, content)
            # Spaces around a header's value belong to no header.
            assert answer.status == (202 if names == ["a "] else 403)

    asyncio.run(run())


@pytest.mark.parametrize(
    "name", ["WARD\\anna", "anna@ward.example", "Änne", "anna/admin@REALM", "O'Hara", "7"]
)
def test_logins_of_any_sign_on_are_taken_as_they_are(name):
    async def run():
        async with group() as client:
            assert (await opened(client, {"X-Remote-User": name}))["annotator"] == name

    asyncio.run(run())


def test_a_name_that_differs_by_capitals_alone_gets_neither_that_session_nor_one_beside_it():
    async def run():
        async with group() as client:
            anna = await opened(client, ANNA)
            status, text = await told(client, {"X-Remote-User": "Anna"})
            assert status == 409 and "log in as anna, else try again later" in text
            assert (await told(client, {"X-Remote-User": "Anna"}, "/x"))[0] == 409
            assert (await opened(client, ANNA))["pid"] == anna["pid"]
            assert (await opened(client, BERT))["annotator"] == "bert"

    asyncio.run(run())


@pytest.mark.parametrize("secrets", [[], [""], [SECRET[:-1]], [SECRET.upper()], [SECRET, SECRET], ["\udcff"]])
def test_at_a_port_nobody_is_believed_who_does_not_know_the_proxys_secret(secrets):
    async def run():
        async with group(secret=SECRET) as client:
            raw = "".join(f"X-Proxy-Secret: {one}\r\n" for one in secrets).encode(errors="surrogateescape")
            content = b"GET / HTTP/1.1\r\nHost: a\r\nX-Remote-User: anna\r\n" + raw + b"\r\n"
            assert (await asyncio.to_thread(ask, client.port, content)).status == 403
            status, _ = await told(client, {**ANNA, "X-Proxy-Secret": SECRET})
            assert status == 202

    asyncio.run(run())


def test_pages_of_other_sites_are_refused_and_begin_no_session():
    async def run():
        async with group() as client:
            own = f"https://127.0.0.1:{client.port}"
            for origin in ("https://evil.example", own.replace("https", "http"), "null", "", own + "0"):
                assert (await told(client, {**ANNA, "Origin": origin}))[0] == 403
            assert (await told(client, {**ANNA, "Sec-Fetch-Dest": "image"}))[0] == 409
            assert (await told(client, ANNA, "/ws"))[0] == 409
            await opened(client, {**ANNA, "Origin": own, "Sec-Fetch-Dest": "document"})

    asyncio.run(run())


def test_when_all_places_are_taken_a_page_says_so_until_one_is_free():
    async def run():
        async with group(people=1) as client:
            anna = await opened(client, ANNA)
            status, text = await told(client, BERT)
            assert status == 503 and "All places are taken (1 in all); try again later." in text
            os.kill(anna["pid"], signal.SIGTERM)
            await until_free(client, BERT)

    asyncio.run(run())


def test_a_session_that_cannot_begin_is_told_once_and_not_tried_on_its_own():
    said = []

    async def run():
        async with group(said=said) as client:
            headers = {"X-Remote-User": stand_in_app.BROKEN}

            async def failed():
                status, text = await told(client, headers)
                return status == 502 and "Your session could not be started" in text

            await until(failed)
            assert (await told(client, headers))[0] == 202

    asyncio.run(run())
    assert "broken: vsclick: the drive is gone." in said


def test_a_command_that_is_not_there_is_told_in_the_log(tmp_path):
    said = []

    async def run():
        sessions = GroupSessions([str(tmp_path / "none")], 2, 600.0, said.append)
        sessions.enter("anna")
        await asyncio.wait(sessions._lives)
        with pytest.raises(NotStarted):
            sessions.enter("anna")

    asyncio.run(run())
    assert said[-1].startswith("anna's session cannot be started (") and "none" in said[-1]


def test_messages_go_to_and_fro_whole_and_a_death_takes_nobody_else():
    async def run():
        async with group() as client:
            anna, bert = await asyncio.gather(opened(client, ANNA), opened(client, BERT))
            large = os.urandom(3 << 20)
            pages = (client.ws_connect("/ws", headers=one, max_msg_size=0) for one in (ANNA, BERT))
            hers, his = [await page for page in pages]
            await hers.send_bytes(large)
            assert await hers.receive_bytes() == large
            await hers.send_str("die")
            assert (await hers.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
            await his.send_str("still here")
            assert await his.receive_str() == "still here"
            again = await opened(client, ANNA)
            assert again["pid"] not in (anna["pid"], bert["pid"])
            assert (await opened(client, BERT))["pid"] == bert["pid"]

    asyncio.run(run())


def test_nothing_that_a_process_prints_later_leads_its_annotator_elsewhere():
    said = []

    async def run():
        async with group(said=said) as client:
            hers = await opened(client, ANNA)
            with socket.create_server(("127.0.0.1", 0)) as other:
                line = f"{READY} http://127.0.0.1:{other.getsockname()[1]}/"
                async with client.ws_connect("/ws", headers=ANNA) as page:
                    await page.send_str(line)
                    assert await page.receive_str() == line

                async def logged():
                    return f"anna: {line}" in said

                await until(logged)
                assert (await opened(client, ANNA))["pid"] == hers["pid"]

    asyncio.run(run())


def test_a_process_that_hangs_keeps_its_place_from_nobody_however_often_its_page_is_loaded(monkeypatch):
    monkeypatch.setattr(annotator_session, "_END_S", 0.5)
    monkeypatch.setattr(gateway, "_PATIENCE", aiohttp.ClientTimeout(total=0.3))

    async def run():
        async with group(people=1, idle_s=1.0) as client:
            # It hears no signal but the last.
            hanging = (await opened(client, ANNA))["pid"]
            os.kill(hanging, signal.SIGSTOP)

            async def let_in():
                if (await told(client, BERT))[0] == 202:
                    return True
                status, page = await told(client, ANNA, "/index.html?again")
                assert status in (200, 202, 409, 502)
                # Once the place is free Anna herself may be who comes first, and get a new process.
                return status == 200 and json.loads(page)["pid"] != hanging

            await until(let_in)
            with pytest.raises(ProcessLookupError):
                os.kill(hanging, 0)

    asyncio.run(run())


def test_one_annotator_may_open_some_pages_and_not_hundreds():
    async def run():
        async with group() as client:
            await opened(client, ANNA)
            pages = [await client.ws_connect("/ws", headers=ANNA) for _ in range(6)]
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect("/ws", headers=ANNA)
            assert refused.value.status == 429
            await pages[0].close()

            async def let_in():
                try:
                    pages.append(await client.ws_connect("/ws", headers=ANNA))
                except aiohttp.WSServerHandshakeError:
                    return False
                return True

            await until(let_in)

    asyncio.run(run())


def test_a_page_that_is_open_keeps_no_session_in_which_nothing_is_done():
    said = []

    async def run():
        async with group(people=1, idle_s=1.0, said=said) as client:
            await opened(client, ANNA)
            async with client.ws_connect("/ws", headers=ANNA) as page:
                # Longer than that, but doing something.
                for _ in range(8):
                    await page.send_str("click")
                    assert await page.receive_str() == "click"
                    await asyncio.sleep(0.25)
                assert (await page.receive()).type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED)
            await until_free(client, BERT)

    asyncio.run(run())
    assert "anna: closed in order" in said


def test_at_the_end_every_process_closes_in_order():
    said, seen = [], []

    async def run():
        async with group(people=3, said=said) as client:
            everyone = [ANNA, BERT, {"X-Remote-User": stand_in_app.TALKATIVE}]
            seen.extend(await asyncio.gather(*(opened(client, headers) for headers in everyone)))

    asyncio.run(run())
    assert {f"{name}: closed in order" for name in ("anna", "bert", "talkative")} <= set(said)
    for one in seen:
        with pytest.raises(ProcessLookupError):
            os.kill(one["pid"], 0)
    assert said[-1].endswith("0 of 3 places are taken")


@pytest.mark.parametrize(
    "target",
    ["@127.0.0.1:{other}/x", "http://127.0.0.1:{other}/x", "//127.0.0.1:{other}/x", "/..//x", "/%2e%2e/x"],
)
def test_no_path_leads_to_another_address(target):
    async def run():
        with socket.create_server(("127.0.0.1", 0)) as other:
            other.settimeout(0.2)
            async with group() as client:
                await opened(client, ANNA)
                path = target.format(other=other.getsockname()[1])
                content = request("GET", path, {"Host": "a", **ANNA, "Connection": "close"})
                answer = await asyncio.to_thread(ask, client.port, content)
                assert answer.status in (200, 400, 403, 404)
            with pytest.raises(TimeoutError):
                other.accept()

    asyncio.run(run())


@pytest.mark.parametrize("method", ["DELETE", "PUT", "OPTIONS"])
def test_methods_that_the_page_never_uses_are_refused(method):
    async def run():
        async with group() as client:
            assert (await told(client, ANNA, method=method))[0] == 405

    asyncio.run(run())
