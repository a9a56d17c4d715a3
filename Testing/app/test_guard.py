"""Who may talk to the server."""

import asyncio
import json

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from VSClickCorrectApp import guard as guard_module
from VSClickCorrectApp.guard import Guard, ServerError, checked_token, is_local, new_token

TOKEN = "Right-enough-for-a-test"


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


def test_tokens_differ_and_are_long():
    tokens = {new_token() for _ in range(50)}
    assert len(tokens) == 50
    assert all(len(checked_token(token)) == 32 for token in tokens)


@pytest.mark.parametrize(
    "token", ["fifteen-letters", "sixteen&letters=", "sixteen letters!", "ä" * 16, "a" * 16 + "\n"]
)
def test_a_token_that_could_be_guessed_or_does_not_fit_an_address_is_refused(token):
    with pytest.raises(ServerError, match="at least 16"):
        checked_token(token)


def test_a_token_of_sixteen_letters_is_taken():
    assert checked_token("sixteen-letters.") == "sixteen-letters."


@pytest.mark.parametrize(
    ("host", "origin", "allowed"),
    [
        ("127.0.0.1:8080", None, True),
        ("127.0.0.1:8080", "http://127.0.0.1:8080", True),
        ("127.0.0.1:8080", "https://127.0.0.1:8080", True),
        ("localhost:8080", "http://localhost:8080", True),
        ("[::1]:8080", "http://[::1]:8080", True),
        ("127.0.0.1:8080", "http://evil.example", False),
        ("127.0.0.1:8080", "http://127.0.0.1:9999", False),
        ("127.0.0.1:8080", "ftp://127.0.0.1:8080", False),
        ("127.0.0.1:8080", "null", False),
        ("evil.example:8080", "http://evil.example:8080", False),
        ("evil.example:8080", None, False),
        ("[::1", None, False),
        ("", None, False),
        ("127.0.0.1:8080", "http://ward.example:9000", False),
    ],
)
def test_pages_of_other_sites_are_refused(host, origin, allowed):
    assert (Guard("127.0.0.1", TOKEN).refusal(host, origin) is None) is allowed


def test_a_server_for_others_may_have_any_name():
    assert Guard("0.0.0.0", TOKEN).refusal("ward.example:8080", "http://ward.example:8080") is None
    assert Guard("0.0.0.0", TOKEN).refusal("ward.example:8080", "http://evil.example") is not None


@pytest.mark.parametrize("given", ["", "r", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "\udcff", "ä", TOKEN])
def test_tokens_are_compared_in_a_time_that_does_not_depend_on_them(monkeypatch, given):
    compared = []

    def compare(one, other):
        compared.append((one, other))
        return one == other

    monkeypatch.setattr(guard_module.hmac, "compare_digest", compare)
    assert Guard("127.0.0.1", TOKEN).knows_token(given) is (given == TOKEN)
    assert len(compared) == 1 and TOKEN.encode() in compared[0]


@pytest.fixture
def asked(tmp_path):
    """Send requests, each a method, a path and headers, one after the other; return the answers."""
    page = tmp_path / "index.html"
    page.write_text("<script src='a.js'></script><script>run()</script>")

    async def answer(_request):
        return web.Response(text="page")

    async def run(guard, requests):
        application = web.Application()
        guard.install(application, page)
        for route in ("/", "/index.html", "/a.js", "/ws"):
            application.router.add_get(route, answer)
        async with TestClient(TestServer(application)) as client:
            answers = []
            for method, path, headers in requests:
                response = await client.request(method, path, headers=headers, allow_redirects=False)
                await response.read()
                answers.append(response)
            return answers

    return lambda guard, *requests: asyncio.run(run(guard, requests))


def test_the_page_s_own_scripts_run_and_no_others(asked):
    [answer] = asked(Guard("127.0.0.1", TOKEN), ("GET", f"/a.js?secret={TOKEN}", {}))
    # printf 'run()' | openssl dgst -sha256 -binary | base64
    assert (
        "script-src 'self' 'unsafe-eval' 'sha256-AvyuiL0SD1mVY3NNxR+V2uo+lhk6RMFrytWmRt6CrJQ=';"
        in (answer.headers["Content-Security-Policy"])
    )


def test_a_token_is_wanted_and_then_remembered(asked):
    answers = asked(
        Guard("127.0.0.1", TOKEN),
        ("GET", "/index.html", {}),
        ("GET", "/index.html?secret=wrong", {}),
        ("GET", f"/?secret={TOKEN}", {}),
        ("GET", "/index.html", {}),
        ("POST", "/paraview/", {}),
        ("GET", "/index.html?secret=wrong", {}),
    )
    assert [answer.status for answer in answers] == [403, 403, 302, 200, 200, 403]
    assert answers[2].headers["Location"] == "index.html"
    assert "HttpOnly" in answers[2].headers["Set-Cookie"]


@pytest.mark.parametrize(("origin", "scheme"), [({}, "ws"), ({"Origin": "https://ward.example"}, "wss")])
def test_the_page_is_told_where_to_connect_and_with_what_key(asked, origin, scheme):
    headers = {"Host": "ward.example", **origin}
    [answer] = asked(Guard("0.0.0.0", TOKEN), ("POST", f"/paraview/?secret={TOKEN}", headers))
    assert answer.status == 200
    assert json.loads(answer._body or b"") == {"sessionURL": f"{scheme}://USE_HOST/ws", "secret": TOKEN}


def test_the_page_s_connection_needs_the_token_letter_by_letter_and_its_own_origin(asked):
    upgrade = {
        "Host": "ward.example",
        "Origin": "http://ward.example",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    answers = asked(
        Guard("0.0.0.0", TOKEN),
        ("GET", "/ws", upgrade),
        ("GET", f"/ws?secret={TOKEN}", {**upgrade, "Origin": "http://evil.example"}),
        ("GET", f"/ws?secret={TOKEN}", upgrade),
        ("GET", f"/ws?secret={TOKEN}", {"Host": "ward.example"}),
        ("GET", f"/ws?secret={TOKEN.lower()}", upgrade),
    )
    assert [answer.status for answer in answers] == [403, 403, 200, 400, 403]
