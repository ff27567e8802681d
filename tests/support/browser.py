"""A page of the explorer in headless Chromium, where Chromium and Playwright are installed."""

from __future__ import annotations

import functools
import http.server
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]  # WebGL without a GPU
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium: apt-get install chromium")


@contextmanager
def chromium() -> Iterator[Any]:  # Playwright's browser
    """Start Chromium."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield browser
        browser.close()


@contextmanager
def served(app: Starlette) -> Iterator[str]:
    """Serve an application in a thread; yields its address."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}/"
    server.should_exit = True
    thread.join()


@contextmanager
def file_server(folder: Path) -> Iterator[str]:
    """Serve a folder's files as any file server does; yields its address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


class Visit:
    """An open page: its faults are errors of the console, failed requests, and requests to other machines."""

    def __init__(self, browser: Any, address: str, width: int = 1280, scheme: str = "light") -> None:
        self.address = address
        self.context = browser.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, accept_downloads=True
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(120_000)
        self.faults: list[str] = []
        self.page.on("console", lambda it: self.faults.append(it.text) if it.type == "error" else None)
        self.page.on("pageerror", lambda error: self.faults.append(str(error)))
        self.page.on("request", self._refuse_elsewhere)

    def open(self, fragment: str = "") -> Visit:
        """Open the page and wait until it is complete and idle."""
        self.page.goto(f"{self.address}{fragment}")
        self.page.wait_for_selector("html[data-ready]")
        return self.settle()

    def settle(self) -> Visit:
        """Wait until what follows a change is drawn."""
        self.page.wait_for_timeout(400)
        self.page.wait_for_load_state("networkidle")
        return self

    def pixels(self, selector: str = ".large canvas") -> list[int]:
        """Return the bytes of a canvas, RGBA."""
        script = "it => Array.from(it.getContext('2d').getImageData(0, 0, it.width, it.height).data)"
        found: list[int] = self.page.locator(selector).first.evaluate(script)
        return found

    def message(self) -> str:
        """Wait for the sentence above the page, and return it."""
        self.page.wait_for_selector("#message:not([hidden])")
        return str(self.page.locator("#message").inner_text())

    def drop(self, name: str, content: str) -> None:
        """Drop a file with this content, base64, on the page."""
        script = """([name, content]) => {
          const file = new File([Uint8Array.from(atob(content), (each) => each.charCodeAt(0))], name);
          const dataTransfer = new DataTransfer();
          dataTransfer.items.add(file);
          document.querySelector("main").dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true }));
        }"""
        self.page.evaluate(script, [name, content])

    def _refuse_elsewhere(self, request: Any) -> None:
        if not request.url.startswith((self.address, "data:", "blob:")):
            self.faults.append(f"a request to {request.url}")
