"""What someone who must not come in would try against ``vsclick app``, request by request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

from raw_http import TEXT, Answer, WebSocket, ask, header, request

REFUSED = frozenset({0, 400, 403, 404, 405, 411, 413, 414, 431, 501})
# Beginnings of what no answer may hold.
_LOOT = (b"root:", b"Traceback", b"site-packages", b"VSClickCorrectLib", b"VSClickCorrectApp")
ROUTES = (
    "/",
    "/index.html",
    "/paraview/",
    "/ws",
    "/vue.global.js",
    "/__vsclick/vsclick.js",
    "/loading.tpl",
    "/logo.png",
)
_EVIL = "http://evil.example"
_GARBAGE = (
    b"",
    b"\0" * 5,
    b"\xff" * 40,
    # Announces 4 GB, then 4 MB and a byte; begins behind its own end; is no MessagePack; is no call.
    bytes(8) + b"\xff\xff\xff\xff" + b"x",
    bytes(8) + ((4 << 20) + 1).to_bytes(4, "little") + b"x",
    bytes(4) + (99).to_bytes(4, "little") + (4).to_bytes(4, "little") + b"abcd",
    bytes(8) + (1).to_bytes(4, "little") + b"\xc1",
    bytes(8) + (1).to_bytes(4, "little") + b"\x01",
    bytes(8) + (2).to_bytes(4, "little") + b"\x91\x01",
)


@dataclass(frozen=True)
class Attempt:
    """What was tried, and whether it was refused; ``said`` is for people."""

    what: str
    refused: bool
    said: str = ""


class Intruder:
    """Tries ways into a server on this machine; those behind the first door are given the token.

    Parameters
    ----------
    port : int
        The server's.
    token : str
        What the intruder does not know, but for the attempts that say so.
    """

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    @classmethod
    def of(cls, url: str, token: str) -> Intruder:
        """Return one for the server that says it runs there."""
        return cls(int(url.rstrip("/").rpartition(":")[2]), token)

    @property
    def own(self) -> dict[str, str]:
        """The header that an honest browser sends."""
        return {"Host": f"127.0.0.1:{self.port}"}

    @cached_property
    def known(self) -> dict[str, str]:
        """The headers of an honest browser that has been let in."""
        cookie = ask(self.port, request("GET", f"/?secret={self.token}", self.own)).headers["Set-Cookie"]
        return {**self.own, "Cookie": cookie.partition(";")[0]}

    def inside(self) -> WebSocket:
        """Return the connection of someone who knows the token."""
        connection = WebSocket(self.port, "/ws", self.known)
        connection.call("wslink.hello", {"secret": self.token}, number="system:1")
        return connection

    def tokens(self) -> Iterator[Attempt]:
        """No token, a wrong one, parts of the right one, and the right one where it does not belong."""
        right, (name, _) = self.token, self.known["Cookie"].split("=")
        wrong = [
            "",
            "x",
            right[:-1],
            right + "x",
            right.swapcase(),
            right[1:],
            "wslink-secret",
            "%00" + right,
        ]
        wrong += [right + "%00", "%ff%fe", "%ed%b3%bf", "\xff", f"x&secret={right}", "x" * 5000]
        places = {
            "nothing": ("", {}),
            "another parameter": (f"?token={right}", {}),
            "the fragment": (f"#secret={right}", {}),
            "a password": ("", {"Authorization": f"Bearer {right}"}),
            "the referrer": ("", {"Referer": f"http://127.0.0.1:{self.port}/?secret={right}"}),
            "another cookie": ("", {"Cookie": f"secret={right}"}),
            "a subprotocol": ("", {"Sec-WebSocket-Protocol": right}),
            **{f"the secret {text[:12]!r}": (f"?secret={text}", {}) for text in wrong},
            **{f"the cookie {text[:12]!r}": ("", {"Cookie": f"{name}={text}"}) for text in wrong[:7]},
            "a cookie of bytes": ("", {"Cookie": f"{name}=\xff\xfe"}),
        }
        for route, (place, (query, headers)) in product(ROUTES, places.items()):
            yield self._asked(f"{route} with {place}", route, {**self.own, **headers}, query)

    def addresses(self) -> Iterator[Attempt]:
        """Foreign names that were made to point here, and pages of other sites; both with the token."""
        hosts = ["evil.example", f"evil.example:{self.port}", "127.0.0.1.evil.example", "", "[::1", "0.0.0.0"]
        hosts += [f"127.0.0.1@evil.example:{self.port}", "127.0.0.1 evil.example", "2130706433", "127.1"]
        origins = [_EVIL, "null", "", "file://", f"{_EVIL}:{self.port}", "http://127.0.0.1:1", "http://["]
        origins += [f"ftp://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.port}.evil.example"]
        for route, host in product(ROUTES, hosts):
            yield self._asked(f"{route} at the host {host!r}", route, {**self.known, "Host": host})
        for route, origin in product(ROUTES, origins):
            yield self._asked(f"{route} from {origin!r}", route, {**self.known, "Origin": origin})
        absolute = request("GET", f"{_EVIL}/index.html", {**self.known, "Host": "evil.example"})
        yield self._judged("another server's page", ask(self.port, absolute))

    def methods(self) -> Iterator[Attempt]:
        """Methods that nothing here has, and a connection that is none, with the token."""
        for route, method in product(
            ROUTES, ("PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "CONNECT", "BREW")
        ):
            yield self._asked(f"{method} {route}", route, self.known, method=method)
        for headers in ({}, {"Upgrade": "h2c"}, {"Upgrade": "websocket", "Connection": "Upgrade"}):
            plain = request("GET", "/ws", {**self.known, **headers})
            yield self._judged(f"/ws with {headers}", ask(self.port, plain))

    def bodies(self) -> Iterator[Attempt]:
        """Bodies that are too large or contradict themselves, with the token."""
        lengths = {
            "declared": {"Content-Length": str(10**12)},
            "undeclared": {"Transfer-Encoding": "chunked"},
            "negative": {"Content-Length": "-1"},
            "no number": {"Content-Length": "0x10"},
            "of two lengths": {"Content-Length": "5", "content-length": "6"},
            "smuggled": {"Content-Length": "4", "Transfer-Encoding": "chunked"},
            "of unknown coding": {"Transfer-Encoding": "chunked, gzip"},
        }
        for route, (what, headers) in product(("/paraview/", "/index.html", "/"), lengths.items()):
            method = "POST" if route == "/paraview/" else "GET"
            content = request(method, route, {**self.known, **headers}, b"fffff\r\n" + b"x" * 70_000)
            yield self._judged(f"{route} with a body {what}", ask(self.port, content))

    def paths(self, secret: Path) -> Iterator[Attempt]:
        """Files of this machine asked for as if they were the page's, with the token."""
        places = [str(secret), "/etc/passwd"]
        ups = [
            "/..",
            "/%2e%2e",
            "/..%2f..",
            "/%2e%2e%2f%2e%2e",
            "/....//..",
            "/..;/..",
            "/%c0%ae%c0%ae",
            "/..%5c..",
        ]
        ups += [
            "/%252e%252e",
            "/assets/..",
            "/assets/..%2f",
            "/\\..",
            "/..%00/..",
            "//",
            "/%2f",
            "/%5c%5c",
            "/file:",
        ]
        for place, up in product(places, ups):
            yield self._asked(f"{up} and {place}", up * 12 + place, self.known)
            yield self._asked(f"{up}, once, and {place}", up + place, self.known)
        for target in (
            f"file://{secret}",
            "*",
            "http:index.html",
            "index.html",
            "/\0",
            "/index.html\0.png",
            "/" * 9000,
        ):
            yield self._asked(f"the target {target[:20]!r}", target, self.known)

    def headers(self) -> Iterator[Attempt]:
        """Headers that would end early, go on too long or bring others into the answer."""
        line = "%0d%0aSet-Cookie:%20stolen=1"
        for target in (f"/?secret={self.token}{line}", f"/index.html{line}", f"/{line}?secret={self.token}"):
            yield self._asked(f"an answer split by {target[:16]!r}", target, self.own)
        for what, name, value in (
            ("a line end in a value", "X-A", "b\r\nHost: evil.example\r\n folded"),
            ("a lone carriage return", "X-A", "b\rHost: evil.example"),
            ("a NUL", "X-A", "b\0c"),
            ("a space in a name", "Host ", "evil.example"),
            ("a second host", "host", "evil.example"),
            ("a second origin", "Origin", f"http://127.0.0.1:{self.port}\r\nOrigin: {_EVIL}"),
            ("a long value", "X-A", "b" * 70_000),
            ("no name", "", "b"),
        ):
            yield self._asked(what, "/index.html", {**self.known, name: value})
        for what, content in (
            ("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n"),
            ("HTTP/0.9", b"GET /\r\n\r\n"),
            ("HTTP/9.9", b"GET / HTTP/9.9\r\n\r\n"),
            ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            ("no host", b"GET / HTTP/1.1\r\n\r\n"),
            ("many headers", request("GET", "/", {**self.own, **{f"X-{n}": "b" * 900 for n in range(999)}})),
        ):
            yield self._judged(what, ask(self.port, content))

    def frames(self) -> Iterator[Attempt]:
        """Frames and messages that trame's page cannot have sent, by someone who knows the token."""
        garbage = {f"the message {content[:12]!r}": header(len(content)) + content for content in _GARBAGE}
        unfinished = b"".join(
            header(13) + n.to_bytes(4, "little") + bytes(4) + b"\0\0\0\1" + b"x" for n in range(9)
        )
        for what, content in {
            **garbage,
            "text": header(5, TEXT) + b"hello",
            "no mask": header(3, masked=False) + b"abc",
            "reserved bits": header(0, flags=0xF0),
            "an unknown kind": header(0, opcode=11),
            "a ping in parts": header(0, opcode=9, flags=0),
            "a long ping": header(126, opcode=9) + bytes(126),
            "a frame of exabytes": header(1 << 62),
            "a frame of 5 MB": header(5 << 20) + bytes(5 << 20),
            "messages without end": unfinished,
        }.items():
            connection = self.inside()
            connection.send_raw(content)
            heard = True
            while heard is not None:
                heard = connection.heard()
                if heard and not heard["id"].startswith("publish:"):
                    break
            connection.close()
            yield Attempt(what, heard is None, f"answered {heard}")

    def calls(self) -> Iterator[Attempt]:
        """Calls without the connection's key, then calls of what is nothing for a page."""
        for key in (
            None,
            {},
            {"secret": "wslink-secret"},
            {"secret": self.token[:-1]},
            {"secret": 1},
            {"secret": None},
        ):
            connection = WebSocket(self.port, "/ws", self.known)
            yield _error(f"the key {key}", connection.call("wslink.hello", key, number="system:1"))
            yield _error("the state, without a key", connection.call("trame.state.get"))
            yield _error(
                "a download, without a key",
                connection.call("trame.trigger", "vs_download", ["journal.jsonl"], {}),
            )
            connection.close()
        connection = self.inside()
        for name in (
            *(
                "application.exit",
                "application.exit.later",
                "trame.force.push",
                "trame.rca.push",
                "trame.rca.drop",
            ),
            *("trame.rca.reset", "file.server.directory.list", "__init__", "", "system.listMethods"),
        ):
            yield _error(f"the method '{name}'", connection.call(name, "x"))
        yield _error("another word to the system", connection.call("wslink.exit", number="system:2"))
        connection.close()

    def files(self, secret: Path) -> Iterator[Attempt]:
        """Uploads and downloads under names that lead elsewhere, by someone who knows the token."""
        connection = self.inside()

        def trigger(name: str, *arguments: object) -> object:
            answer = connection.call("trame.trigger", name, list(arguments), {})
            return "nothing" if answer is None else answer.get("result")

        names = [
            str(secret),
            f"../..{secret}",
            "..%2f..%2fetc%2fpasswd",
            "scene.mrb/../../x",
            "C:\\x",
            "a\0b",
            "",
        ]
        for name in (*names, "tumour.nii.gz\0", "../tumour.nii.gz", None, 1, ["scene.mrb"], {"a": 1}):
            yield Attempt(f"the download {name!r}", trigger("vs_download", name) is None)
        for slot, name, size in (
            *(
                ("t1ce", name, 10)
                for name in (*names, f"{secret}/x", "a.exe", "a.nii.php", "a.mha", "a.h5", 7, None)
            ),
            *(
                (slot, "a.nii", 10)
                for slot in ("", "..", "/tmp", "t1ce/../..", "__class__", None, 3, ["t1ce"])
            ),
            *(
                ("t1ce", "a.nii", size)
                for size in (0, -1, 1 << 60, float("nan"), float("inf"), "9", None, [1])
            ),
            ("mask", "a.zip", 10),
        ):
            said = trigger("vs_upload_begin", slot, name, size)
            yield Attempt(f"the upload {(slot, name, size)!r}", said in (False, None), f"said {said}")
        for at, content in (
            (0, bytes(11)),
            (5, b"x"),
            (-1, b"x"),
            ("0", b"x"),
            (0, "text"),
            (0, None),
            (0, [1]),
        ):
            trigger("vs_upload_begin", "t1ce", "a.nii", 10)
            said = trigger("vs_upload_part", "t1ce", at, content)
            yield Attempt(f"{content!r:.12} at {at!r}", said in (False, None), f"said {said}")
        yield Attempt("an end without a file", trigger("vs_upload_end", "t2") in (False, None))
        for name in ("trigger__0", "__init__", "vs_exit", "open", ""):
            yield Attempt(f"the trigger '{name}'", trigger(name) is None)
        connection.close()

    def _asked(self, what: str, route: str, headers: dict, query: str = "", method: str = "") -> Attempt:
        method = method or ("POST" if route == "/paraview/" else "GET")
        if route == "/ws":
            connection = WebSocket(self.port, route + query, headers) if method == "GET" else None
            if connection is not None:
                connection.close()
                return self._judged(what, connection.answer)
        return self._judged(what, ask(self.port, request(method, route + query, headers)))

    def _judged(self, what: str, answer: Answer) -> Attempt:
        told = [text for text in (*_LOOT, self.token.encode(), b"stolen=1\r") if text in answer.raw]
        return Attempt(what, answer.status in REFUSED and not told, f"status {answer.status}, told {told}")


def _error(what: str, answer: dict | None) -> Attempt:
    refused = answer is None or ("error" in answer and "data" not in answer["error"])
    return Attempt(what, refused, f"answered {answer}")
