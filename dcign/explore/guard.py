"""Who may use the server: checks of the Host header, of Origin and of a token, and headers that keep the page closed.

A page of another site could reach a server on this machine under its own name (DNS rebinding), so on the loopback
address only the names of this machine are served. On any other address a token is required.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders, QueryParams
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
COOKIE = "dcign_token"
FORM = """<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>dcign explorer: token</title>
<body><main><h1>dcign explorer</h1><p>{}</p><form><label>Token <input name="token" required autofocus></label>
<button>Open</button></form></main></body></html>"""


def is_loopback(host: str) -> bool:
    """Whether only programs of this machine can reach a server that listens on this address."""
    return host in LOOPBACK or host.startswith("127.")


class Guard:
    """Refuses requests from elsewhere with one sentence, and sets the headers of every answer.

    hosts: the names under which the server is reached, or none for any. token: what a visitor must show once, or "".
    script_hashes: of the scripts inside the page, for the content security policy.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str], token: str, script_hashes: Iterable[str]) -> None:
        self._app, self._hosts, self._token = app, frozenset(hosts), token
        scripts = " ".join(f"'{each}'" for each in script_hashes)
        self._headers = {
            "Content-Security-Policy": (
                f"default-src 'none'; script-src 'self' {scripts}; style-src 'self'; img-src 'self' data: blob:; "
                "connect-src 'self' data: blob:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
            ),
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-cache",
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        answer = self._refusal(scope) or self._app
        await answer(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        """Return the answer to a request that is not passed on, or None."""
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if self._hosts and _name(host) not in self._hosts:
            known = " or ".join(sorted(self._hosts))
            return _error(f"expected a request to {known}, found another host: use one of these names.", 403)
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != host:
            return _error(
                "expected a request of the explorer's own page, found another site's: open the page itself.", 403
            )
        return self._ask_for_token(scope, headers) if self._token else None

    def _ask_for_token(self, scope: Scope, headers: Headers) -> Response | None:
        shown = QueryParams(scope["query_string"]).get("token")
        if shown is not None and self._is_token(shown):
            answer = RedirectResponse(scope["path"], 303)
            answer.set_cookie(COOKIE, self._token, httponly=True, samesite="strict")
            return answer
        if self._is_token(_cookie(headers.get("cookie", ""))):
            return None
        if scope["path"] == "/":
            text = "Enter the token that the command printed." if shown is None else "That is not the token. Try again."
            return HTMLResponse(FORM.format(text), 401)
        return _error("expected the token that the command printed, found none: open the page and enter it.", 401)

    def _is_token(self, found: str) -> bool:
        return secrets.compare_digest(found.encode(), self._token.encode())


def _name(host: str) -> str:
    """Return the name in a Host header, without its port."""
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _cookie(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return "" if found is None else found.value


def _error(sentence: str, status: int) -> Response:
    return JSONResponse({"error": sentence}, status)
