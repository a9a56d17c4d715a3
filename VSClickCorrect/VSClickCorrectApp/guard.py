"""Who may talk to the server: checks of every request, before trame sees it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import re
import secrets
from pathlib import Path
from urllib.parse import urlsplit

from aiohttp import web
from VSClickCorrectLib.errors import VSClickError

# What the page needs: its own files, Vue's templates, which the browser compiles, and images made there.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval'{scripts}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; connect-src 'self'; "
    "object-src 'none'; frame-src 'none'; frame-ancestors 'none'; base-uri 'self'; form-action 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The token may stand in the address.
    "Referrer-Policy": "no-referrer",
    # Which versions run here is nobody's business.
    "Server": "VSClickCorrect",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
PAGES = ("/", "/index.html")
# trame's page sends a few words; files come over its connection.
MAX_BODY = 1 << 14
_SHORTEST_TOKEN = 16
# Everyone on a machine can read a command line, but not another user's environment.
TOKEN_VARIABLE = "VSCLICK_TOKEN"  # noqa: S105, a name


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
    return secrets.token_urlsafe(24)


def cookie_name(token: str) -> str:
    """Return the name of the cookie in which a browser brings a token.

    Cookies know no ports, and there may be several servers on a machine.
    """
    return "vsclick-" + hashlib.sha256(token.encode()).hexdigest()[:8]


def checked_token(token: str) -> str:
    """Return a token that someone chose.

    Raises
    ------
    ServerError
        If it could be guessed or does not fit into an address.
    """
    if not re.fullmatch(rf"[A-Za-z0-9._~-]{{{_SHORTEST_TOKEN},}}", token):
        raise ServerError(
            f"the token is too short or holds other characters than letters, digits and . _ ~ -; "
            f"give at least {_SHORTEST_TOKEN} of them."
        )
    return token


class Guard:
    """A middleware of aiohttp that answers only those who know the token and came by its own address.

    A page of any other site that is open in the same browser can send requests to 127.0.0.1, too. It
    cannot give a false ``Origin``, and where a foreign name was made to point here (DNS rebinding) the
    ``Host`` betrays it. Other users of the same machine can give any header, but do not know the token.

    Parameters
    ----------
    host : str
        What the server is bound to. Of a server on this machine alone the names are known; one that others
        reach may have any name.
    token : str
        What a browser must know. It brings it in the address the first time and in a cookie from then on.
        It is also the key of trame's connection, over which everything of a patient goes.
    """

    def __init__(self, host: str, token: str) -> None:
        self._token = token
        self._cookie = cookie_name(token)
        self._names = {"127.0.0.1", "localhost", "::1", host} if is_local(host) else None
        self._headers = dict(HEADERS)

    def install(self, application: web.Application, page: Path) -> None:
        """Put the guard before all routes of an application that has not started yet.

        Parameters
        ----------
        application : web.Application
            What answers.
        page : Path
            The HTML file of the page, whose own scripts may run.
        """
        self._headers["Content-Security-Policy"] = _POLICY.format(scripts=_hashes_of_scripts(page))
        application.middlewares.append(self._middleware)
        application.on_response_prepare.append(self._add_headers)
        application.router.add_post("/paraview/", self._session)

    def refusal(self, host: str, origin: str | None) -> str | None:
        """Return why a request is refused, None if it is not.

        Parameters
        ----------
        host, origin : str
            The headers of these names; browsers leave ``Origin`` out where a page asks for its own files.
        """
        if self._names is not None and _name_in(f"//{host}") not in self._names:
            return "This server answers under its own address only."
        if origin is None or origin.lower() in (f"http://{host}".lower(), f"https://{host}".lower()):
            return None
        return "Pages of other sites may not connect to this server."

    def knows_token(self, given: str) -> bool:
        """Whether what was given is the token, in a time that tells nothing of it."""
        return is_same(given, self._token)

    @web.middleware
    async def _middleware(self, request: web.Request, handler) -> web.StreamResponse:
        # Several are as good as a foreign one.
        origin = ", ".join(request.headers.getall("Origin", [])) if "Origin" in request.headers else None
        refusal = self.refusal(request.host, origin)
        if refusal is None and not self._brings_token(request):
            refusal = "This address needs a token; open the one that 'vsclick app' printed."
        if refusal is not None:
            raise web.HTTPForbidden(text=refusal)
        if request.can_read_body and not 0 <= (request.content_length or -1) <= MAX_BODY:
            raise web.HTTPRequestEntityTooLarge(MAX_BODY, request.content_length or 0)
        if request.path == "/ws" and not web.WebSocketResponse().can_prepare(request):
            raise web.HTTPBadRequest(text="Only the page's own connection is answered here.")
        if request.path in PAGES and "secret" in request.query:
            raise self._remembered()
        return await handler(request)

    def _brings_token(self, request: web.Request) -> bool:
        return self.knows_token(request.query.get("secret") or request.cookies.get(self._cookie) or "")

    def _remembered(self) -> web.HTTPFound:
        """Send a browser on to an address without the token, which else would stay in its history."""
        answer = web.HTTPFound("index.html")
        # Not Strict: the file that opens the browser is another site to it.
        answer.set_cookie(self._cookie, self._token, httponly=True, samesite="Lax")
        return answer

    async def _add_headers(self, _request: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(self._headers)

    async def _session(self, request: web.Request) -> web.Response:
        """Tell trame's page, which asks a launcher first, where to connect and with what key."""
        scheme = "wss" if request.headers.get("Origin", "").startswith("https:") else "ws"
        return web.json_response({"sessionURL": f"{scheme}://USE_HOST/ws", "secret": self._token})


def is_same(given: str, token: str) -> bool:
    """Whether what was given is a secret, in a time that tells nothing of it."""
    # Bytes that are no text come as surrogates.
    return hmac.compare_digest(given.encode(errors="surrogatepass"), token.encode())


def _name_in(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _hashes_of_scripts(page: Path) -> str:
    """Name the scripts that stand in a page, so that a browser runs no others."""
    scripts = re.findall(r"<script>(.*?)</script>", page.read_text(encoding="utf-8"), re.DOTALL)
    digests = [base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in scripts]
    return "".join(f" 'sha256-{digest}'" for digest in digests)
