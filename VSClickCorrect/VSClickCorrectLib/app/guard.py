"""Who may talk to the server: checks of every request, before trame sees it."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from urllib.parse import urlsplit

from aiohttp import web

from VSClickCorrectLib.errors import VSClickError

# What the page needs: its own files, Vue's templates, which the browser compiles, and images made there.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'self'; form-action 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cross-Origin-Resource-Policy": "same-origin",
    # The token stands in the address.
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class ServerError(VSClickError):
    """The browser app's server cannot be started as asked."""


def is_local(host: str) -> bool:
    """Whether only this machine can reach a server bound to ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def new_token() -> str:
    """Return a token that nobody can guess."""
    # The page reads what looks like a number as one, so the token must not.
    return f"vs-{secrets.token_urlsafe(24)}"


class Guard:
    """A middleware of aiohttp that answers only those who came by the server's own address.

    A page of any other site that is open in the same browser can send requests to 127.0.0.1, too. It
    cannot give a false ``Origin``, and where a foreign name was made to point here (DNS rebinding) the
    ``Host`` betrays it.

    Parameters
    ----------
    host : str
        What the server is bound to. Of a server on this machine alone the names are known; one that others
        reach may have any name, and is kept by its token.
    token : str or None
        What a browser must know. It brings it in the address the first time and in a cookie from then on.
        It is also the key of trame's connection, over which everything of a patient goes.
    origins : tuple of str
        Other origins, such as ``https://ward.example``, whose pages may connect: those of a launcher.
    """

    def __init__(self, host: str, token: str | None = None, origins: tuple[str, ...] = ()) -> None:
        self._token = token
        # Cookies know no ports, and there may be several servers on a machine.
        self._cookie = "vsclick-" + hashlib.sha256((token or "").encode()).hexdigest()[:8]
        self._names = {"127.0.0.1", "localhost", "::1", host} if is_local(host) else None
        self._origins = {origin.rstrip("/").lower() for origin in origins}

    def install(self, application: web.Application) -> None:
        """Put the guard before all routes of an application that has not started yet."""
        application.middlewares.append(self._middleware)
        application.router.add_post("/paraview/", self._session)

    def refusal(self, host: str, origin: str | None) -> str | None:
        """Return why a request is refused, None if it is not.

        Parameters
        ----------
        host, origin : str
            The headers of these names; browsers leave ``Origin`` out where a page asks for its own files.
        """
        if self._names is not None and (urlsplit(f"//{host}").hostname or "") not in self._names:
            return "This server answers under its own address only."
        if origin is None or origin.lower() in self._origins:
            return None
        if urlsplit(origin).netloc.lower() != host.lower():
            return "Pages of other sites may not connect to this server."
        return None

    @web.middleware
    async def _middleware(self, request: web.Request, handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        refusal = self.refusal(request.host, origin)
        # A launcher's page has no cookie of ours, but must know the key of the connection.
        launched = request.path == "/ws" and (origin or "").lower() in self._origins
        if refusal is None and not launched and not self._knows_token(request):
            refusal = "This address needs a token; open the one that 'vsclick app' printed."
        if refusal is not None:
            raise web.HTTPForbidden(text=refusal, headers=_HEADERS)
        try:
            response = await handler(request)
        except web.HTTPException as answer:
            answer.headers.update(_HEADERS)
            if isinstance(answer, web.HTTPFound) and self._token is not None:
                answer.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict")
            raise
        if not response.prepared:
            response.headers.update(_HEADERS)
            if self._token is not None and "secret" in request.query:
                response.set_cookie(self._cookie, self._token, httponly=True, samesite="Strict")
        return response

    def _knows_token(self, request: web.Request) -> bool:
        if self._token is None:
            return True
        given = request.query.get("secret") or request.cookies.get(self._cookie) or ""
        return hmac.compare_digest(given.encode(), self._token.encode())

    async def _session(self, request: web.Request) -> web.Response:
        """Tell trame's page, which asks a launcher first, where to connect and with what key."""
        scheme = "wss" if request.headers.get("Origin", "").startswith("https:") else "ws"
        session = {"sessionURL": f"{scheme}://USE_HOST/ws"}
        if self._token is not None:
            session["secret"] = self._token
        return web.json_response(session)
