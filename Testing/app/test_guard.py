"""Who may talk to the server."""

import asyncio

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from VSClickCorrectLib.app.guard import Guard, is_local, new_token

LAUNCHER = "http://ward.example:9000"


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.0.7", False),
        ("ward.example", False),
    ],
)
def test_only_loopback_is_local(host, local):
    assert is_local(host) is local


def test_tokens_differ_and_are_never_read_as_numbers():
    tokens = {new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert all(token.startswith("vs-") and len(token) > 30 for token in tokens)


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("127.0.0.1:8080", None, True),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ("localhost:8080", "http://localhost:8080", True),
        ("[::1]:8080", "http://[::1]:8080", True),
        ("127.0.0.1:8080", "http://evil.example", False),
        ("127.0.0.1:8080", "http://127.0.0.1:9999", False),
        ("127.0.0.1:8080", "null", False),
        ("evil.example:8080", "http://evil.example:8080", False),
        ("evil.example:8080", None, False),
        ("127.0.0.1:8080", LAUNCHER, True),
    ],
)
def test_pages_of_other_sites_are_refused(host, origin, allowed):
    guard = Guard("127.0.0.1", origins=(LAUNCHER + "/",))
    assert (guard.refusal(host, origin) is None) is allowed


def test_a_server_for_others_may_have_any_name():
    assert Guard("0.0.0.0", "token").refusal("ward.example:8080", "http://ward.example:8080") is None
    assert Guard("0.0.0.0", "token").refusal("ward.example:8080", "http://evil.example") is not None


def asked(guard, *requests):
    """Send requests, each a method, a path and headers, one after the other; return (status, answer)s."""

    async def page(_request):
        return web.Response(text="page")

    async def run():
        application = web.Application()
        guard.install(application)
        application.router.add_get("/index.html", page)
        application.router.add_get("/ws", page)
        async with TestClient(TestServer(application)) as client:
            answers = []
            for method, path, headers in requests:
                response = await client.request(method, path, headers=headers, allow_redirects=False)
                answers.append((response.status, await response.read(), response))
            return answers

    return asyncio.run(run())


def test_without_a_token_the_page_comes_with_what_keeps_other_sites_out():
    [(status, text, response)] = asked(Guard("127.0.0.1"), ("GET", "/index.html", {}))
    assert (status, text) == (200, b"page")
    assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in response.headers


def test_other_sites_cannot_open_the_connection():
    [(status, _, _)] = asked(Guard("127.0.0.1"), ("GET", "/ws", {"Origin": "http://evil.example"}))
    assert status == 403


def test_a_token_is_wanted_and_then_remembered():
    answers = asked(
        Guard("0.0.0.0", "vs-right"),
        ("GET", "/index.html", {}),
        ("GET", "/index.html?secret=vs-wrong", {}),
        ("GET", "/index.html?secret=vs-right", {}),
        ("GET", "/index.html", {}),
        ("POST", "/paraview/", {}),
    )
    assert [status for status, _, _ in answers] == [403, 403, 200, 200, 200]
    cookie = answers[2][2].headers["Set-Cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert answers[4][1] == b'{"sessionURL": "ws://USE_HOST/ws", "secret": "vs-right"}'


def test_the_token_is_told_to_nobody_without_it():
    [(status, text, _)] = asked(Guard("0.0.0.0", "vs-right"), ("POST", "/paraview/", {}))
    assert status == 403 and b"vs-right" not in text


def test_a_launchers_page_gets_to_the_connection_whose_key_it_knows_and_to_nothing_else():
    answers = asked(
        Guard("0.0.0.0", "vs-right", (LAUNCHER,)),
        ("GET", "/ws", {"Origin": LAUNCHER}),
        ("GET", "/index.html", {"Origin": LAUNCHER}),
    )
    assert [status for status, _, _ in answers] == [200, 403]
