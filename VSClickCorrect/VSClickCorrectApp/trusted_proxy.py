"""Who is there: the name that a proxy gives with each request, and that no page and no person can choose."""

from __future__ import annotations

import re
from dataclasses import dataclass

from aiohttp import web
from VSClickCorrectLib.errors import VSClickError

from VSClickCorrectApp.guard import is_same

USER_HEADER = "X-Remote-User"
SECRET_HEADER = "X-Proxy-Secret"  # noqa: S105, a name
# Logins of any single sign-on: DOMAIN\anna, anna@ward.example, anna/admin@REALM. Without a comma, by which a
# proxy that adds its header to the one of a client would join both.
_NAME = re.compile(r"\w(?:[\w.@+/\\' -]{0,62}\w)?")


class NotLetIn(VSClickError):
    """A request does not come from the proxy, or the proxy does not say whose it is."""


@dataclass(frozen=True)
class TrustedProxy:
    """The proxy that has asked people for their passwords, and by what its requests are known.

    Parameters
    ----------
    user_header : str
        The header in which it says who somebody is.
    secret : str or None
        What it alone knows and sends in `SECRET_HEADER`; None where nobody else can reach the server, as a
        socket's permissions keep them out.
    """

    user_header: str = USER_HEADER
    secret: str | None = None

    def annotator(self, request: web.Request) -> str:
        """Return who sent a request.

        Raises
        ------
        NotLetIn
            If it came past the proxy, or names nobody, or several.
        """
        if self.secret is not None and not self._knows_secret(request.headers.getall(SECRET_HEADER, [])):
            raise NotLetIn("this server answers its proxy alone; open the address of the proxy.")
        names = request.headers.getall(self.user_header, [])
        if len(names) != 1 or not _NAME.fullmatch(names[0]):
            raise NotLetIn(
                f"the proxy did not say who you are; it has to send one login name, of at most 64 letters, "
                f"digits and . @ + / \\ ' -, in {self.user_header}."
            )
        return names[0]

    def _knows_secret(self, given: list[str]) -> bool:
        return len(given) == 1 and is_same(given[0], str(self.secret))
