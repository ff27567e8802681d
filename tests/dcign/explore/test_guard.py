"""Who may use the server."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from dcign.explore.guard import LOOPBACK, Guard, is_loopback


def client(hosts=LOOPBACK, token="", base="http://127.0.0.1:8321") -> TestClient:
    async def answer(_):
        return PlainTextResponse("inside")

    guard = Middleware(Guard, hosts=hosts, token=token, script_hashes=())
    app = Starlette(
        routes=[Route(path, answer, methods=["GET", "POST"]) for path in ("/", "/api/x")], middleware=[guard]
    )
    return TestClient(app, base_url=base, follow_redirects=True)


@pytest.mark.parametrize("base", ["http://127.0.0.1:8321", "http://localhost:8321", "http://[::1]:8321"])
def test_this_machine_is_served_under_its_own_names(base: str) -> None:
    assert client(base=base).get("/api/x").text == "inside"


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8321", "127.0.0.1.evil.example", "", "[::1", "localhost@evil"]
)
def test_another_name_for_this_machine_is_refused(host: str) -> None:
    answer = client().get("/api/x", headers={"Host": host})
    assert answer.status_code == 403
    assert "expected a request to" in answer.json()["error"]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "http://127.0.0.1:9999", "https://localhost:8321.evil"]
)
def test_a_page_of_another_site_is_refused(origin: str) -> None:
    assert client().post("/api/x", headers={"Origin": origin}).status_code == 403


def test_the_page_s_own_requests_are_answered() -> None:
    assert client().post("/api/x", headers={"Origin": "http://127.0.0.1:8321"}).text == "inside"


def test_elsewhere_a_token_is_asked_for_once() -> None:
    visitor = client(hosts=(), token="s3cret", base="http://lab.example:8321")
    assert visitor.get("/api/x").status_code == 401
    assert "Enter the token" in visitor.get("/").text
    wrong = visitor.get("/?token=guess")
    assert wrong.status_code == 401
    assert "not the token" in wrong.text
    assert visitor.get("/?token=s3cret").text == "inside"
    assert visitor.get("/api/x").text == "inside"


def test_a_wrong_cookie_opens_nothing() -> None:
    visitor = client(hosts=(), token="s3cret")
    for cookie in ("dcign_token=guess", "dcign_token=", "dcign_token=é", "=;=;"):
        assert visitor.get("/api/x", headers={"Cookie": cookie.encode("latin-1")}).status_code == 401


def test_only_addresses_of_this_machine_need_no_token() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.0.1.1", "localhost", "::1")))
    assert not any(map(is_loopback, ("0.0.0.0", "::", "192.168.1.4", "lab.example")))
