"""One address for a group: each annotator is led to a process of their own, and to no other."""

from __future__ import annotations

import asyncio
from html import escape

import aiohttp
from aiohttp import web
from aiohttp.typedefs import StrOrURL
from VSClickCorrectLib.errors import VSClickError, as_sentence

from VSClickCorrectApp.annotator_session import HOST, AnnotatorSession
from VSClickCorrectApp.group_sessions import GroupSessions, NotStarted, PlacesTaken, SpelledOtherwise
from VSClickCorrectApp.guard import HEADERS, MAX_BODY, PAGES
from VSClickCorrectApp.trusted_proxy import NotLetIn, TrustedProxy

# One page has one, and is sometimes loaded anew before the old one has gone.
_MOST_CONNECTIONS = 6
# The processes' own limit is below.
_LARGEST_MESSAGE = 8 << 20
_HEARTBEAT_S = 30.0
_PATIENCE = aiohttp.ClientTimeout(total=60.0)
# What of a request concerns the page's files; a browser's other headers are nothing for the process.
_ASKED = ("Accept", "Accept-Encoding", "Content-Type", "If-Modified-Since", "If-None-Match")
# What concerns one connection alone, and the length, which aiohttp writes itself.
_NOT_PASSED = ("Connection", "Content-Length", "Date", "Keep-Alive", "Set-Cookie", "Transfer-Encoding")
_PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8">{refresh}<title>VSClickCorrect</title>
<body style="background: #101317; color: #d0d4da; font: 16px/1.6 sans-serif">
<div style="max-width: 38em; margin: 18vh auto" id="gateway"><h2>VSClickCorrect</h2><p>{sentence}</p></div>
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'none'"
_WAIT_S = 2
_STATUS: dict[type[VSClickError], int] = {
    NotLetIn: 403,
    SpelledOtherwise: 409,
    NotStarted: 502,
    PlacesTaken: 503,
}

_CLIENT = web.AppKey("client", aiohttp.ClientSession)
_ANNOTATOR = web.RequestKey("annotator", str)


class Gateway:
    """Asks of each request whose it is, begins their session and passes on what goes to and fro.

    There is no session to steal or to foist on somebody: who somebody is comes with every request, from the
    proxy, and decides alone which process answers.

    Parameters
    ----------
    sessions : GroupSessions
        The processes.
    proxy : TrustedProxy
        Who says whose a request is.
    """

    def __init__(self, sessions: GroupSessions, proxy: TrustedProxy) -> None:
        self._sessions, self._proxy = sessions, proxy

    def application(self) -> web.Application:
        """Return what answers."""
        application = web.Application(middlewares=[self._let_in], client_max_size=MAX_BODY)
        application.router.add_get("/ws", self._connect)
        for method in ("GET", "HEAD", "POST"):
            application.router.add_route(method, "/{path:.*}", self._answer)
        application.on_response_prepare.append(_add_headers)
        application.cleanup_ctx.append(self._with_client)
        return application

    async def _with_client(self, application: web.Application):
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=_PATIENCE,
        ) as client:
            application[_CLIENT] = client
            yield

    @web.middleware
    async def _let_in(self, request: web.Request, handler) -> web.StreamResponse:
        try:
            request[_ANNOTATOR] = self._proxy.annotator(request)
            _check_origin(request)
            return await handler(request)
        except VSClickError as error:
            return _told(as_sentence(str(error)), _STATUS.get(type(error), 500))
        except (aiohttp.ClientError, asyncio.TimeoutError):
            # It is ending, or died this moment; a page comes again by itself.
            return _told(
                "Your session does not answer; load the page again.", 502, refresh=_wants_page(request)
            )

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """Pass on a request for a file of the page, or for where to connect."""
        if _wants_page(request) and not self._sessions.enter(request[_ANNOTATOR]).ready:
            return _told("Your session is being started; this takes some seconds.", 202, refresh=True)
        session = self._session(request)
        asked = {name: request.headers[name] for name in _ASKED if name in request.headers}
        async with request.app[_CLIENT].request(
            request.method,
            _at(session, request),
            headers={**asked, **session.headers},
            data=await request.read(),
            allow_redirects=False,
        ) as answer:
            # Not before: a page that comes again by itself would keep a process that hangs.
            session.hear()
            headers = answer.headers.copy()
            for name in _NOT_PASSED:
                headers.popall(name, None)
            return web.Response(status=answer.status, headers=headers, body=await answer.read())

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        """Pass on all messages between a page and its process, until one of the two goes."""
        session = self._session(request)
        page = web.WebSocketResponse(heartbeat=_HEARTBEAT_S, max_msg_size=_LARGEST_MESSAGE, compress=False)
        if not page.can_prepare(request):
            raise web.HTTPBadRequest(text="Only the page's own connection is answered here.")
        if session.connections >= _MOST_CONNECTIONS:
            raise web.HTTPTooManyRequests(text="Too many pages are open; close some.")
        with session.connected():
            # Pictures are compressed already, and this machine talks to itself.
            async with request.app[_CLIENT].ws_connect(
                f"{session.address}/ws", headers=session.headers, max_msg_size=0, compress=0
            ) as process:
                await page.prepare(request)
                ways = (_passed(page, process, session.hear), _passed(process, page))
                tasks = [asyncio.create_task(way) for way in ways]
                try:
                    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    for task in tasks:
                        task.cancel()
                    await asyncio.gather(*tasks, return_exceptions=True)
                await page.close(code=aiohttp.WSCloseCode.GOING_AWAY)
        return page

    def _session(self, request: web.Request) -> AnnotatorSession:
        session = self._sessions.find(request[_ANNOTATOR])
        if session is None:
            raise web.HTTPConflict(text="Your session has ended; load the page again.")
        return session


async def _passed(source, target, heard=lambda: None) -> None:
    """Pass messages on, as fast as they are taken."""
    async for message in source:
        heard()
        if message.type is aiohttp.WSMsgType.BINARY:
            await target.send_bytes(message.data)
        elif message.type is aiohttp.WSMsgType.TEXT:
            await target.send_str(message.data)


def _check_origin(request: web.Request) -> None:
    """Refuse what a page of another site sends, which a browser would sign with the annotator's login.

    Raises
    ------
    NotLetIn
        If it is refused; the page itself came by TLS, so that nobody on the way can be its origin.
    """
    origins = request.headers.getall("Origin", [])
    if origins and [origin.lower() for origin in origins] != [f"https://{request.host}".lower()]:
        raise NotLetIn("pages of other sites may not connect to this server.")


def _at(session: AnnotatorSession, request: web.Request) -> StrOrURL:
    """Return what is asked for, at the process's address whatever the request names."""
    path, query = request.rel_url.raw_path, request.rel_url.raw_query_string
    if not path.startswith("/"):
        raise web.HTTPBadRequest(text="What is asked for begins with a slash.")
    at = request.rel_url.build(scheme="http", host=HOST, port=session.port, path=path, encoded=True)
    return at.with_query(query)


def _wants_page(request: web.Request) -> bool:
    """Whether somebody opens the page; a picture or frame of another site begins no session."""
    opened = request.headers.get("Sec-Fetch-Dest", "document") == "document"
    return request.method == "GET" and request.path in PAGES and opened


def _told(sentence: str, status: int, refresh: bool = False) -> web.Response:
    """Return a page of one sentence."""
    again = f'<meta http-equiv="refresh" content="{_WAIT_S}">' if refresh else ""
    return web.Response(
        status=status,
        text=_PAGE.format(refresh=again, sentence=escape(sentence)),
        content_type="text/html",
        headers={"Content-Security-Policy": _POLICY},
    )


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
