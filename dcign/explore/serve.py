"""Serving the page until a stop signal arrives."""

from __future__ import annotations

import os
import secrets
import socket
import sys
import webbrowser
from collections.abc import Callable

import uvicorn

from dcign.errors import DcignError
from dcign.explore.app import explorer_app
from dcign.explore.explored import Explored
from dcign.explore.guard import LOOPBACK, is_loopback

BACKLOG = 64


class ServerError(DcignError):
    """The page cannot be served at the address."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens there; port 0: any free one. Raises ServerError if that is not possible."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
        found.listen(BACKLOG)
    except OSError as error:
        raise ServerError(
            f"expected an address to listen on, found {host}:{port} ({error.strerror or error}): choose another --port "
            "or --host, or --port 0 for any free one."
        ) from None
    return found


def serve(explored: Explored, listening: socket.socket, host: str, browser: bool, say: Callable[[str], None]) -> None:
    """Serve the page. say: prints its address, with a token if other machines can reach it."""
    port = listening.getsockname()[1]
    own = is_loopback(host)
    token = "" if own else secrets.token_urlsafe(16)
    shown = f"[{host}]" if ":" in host else host
    address = f"http://{shown}:{port}/" + (f"?token={token}" if token else "")
    app = explorer_app(explored, (*LOOPBACK, host) if own else (), token)
    say(address)
    if browser and _has_display():
        webbrowser.open(address)
    settings = uvicorn.Config(app, log_level="error", access_log=False, timeout_graceful_shutdown=2)
    uvicorn.Server(settings).run(sockets=[listening])


def _has_display() -> bool:
    """Whether a browser would open as a window: without one, a text browser would take over the terminal."""
    return sys.platform != "linux" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
