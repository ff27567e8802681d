"""The explorer beside data that `dcign render` did not make: batches of 6, any factors, some of them of classes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from dcign.explore.app import explorer_app
from dcign.explore.explored import NOT_RENDERED, Explored
from dcign.trained.calibration import to_json
from tests.support.browser import Visit, chromium, needs_chromium, served

HERE = "http://127.0.0.1:8321"


@pytest.fixture(scope="module")
def client(toys: Explored) -> Iterator[TestClient]:
    with TestClient(explorer_app(toys), base_url=HERE) as found:
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with chromium() as found:
        yield found


@pytest.fixture
def visit(browser, toys: Explored) -> Iterator[Visit]:
    with served(explorer_app(toys)) as address:
        found = Visit(browser, address)
        yield found.open()
        found.context.close()
        assert found.faults == []


def test_all_kinds_of_its_batches_are_offered_and_its_classes_are_named(toys: Explored) -> None:
    data = toys.description["data"]
    kinds = {split["name"]: split["kinds"] for split in data["splits"]}
    assert kinds["train"] == ["across", "form", "hue", "identity"]
    assert kinds["iid"] == ["all"]
    assert list(data["classes"]["form"]) == ["disc", "square", "bar"]
    assert not data["heads"]


def test_an_image_that_its_batches_do_not_have_is_refused_in_one_sentence(client: TestClient) -> None:
    answer = client.get("/api/image/iid/0/7")
    assert answer.status_code == 400
    assert answer.json()["error"] == "expected an image from 0 to 5, found 7: choose one of the batch."
    assert client.get("/api/image/iid/0/5").status_code == 200


def test_there_is_no_renderer_of_it_and_the_page_says_so(toys: Explored, toys_run: Path, client: TestClient) -> None:
    assert toys.truth is None
    assert toys.description["missing"] == NOT_RENDERED
    assert Explored.open(toys_run.parent / "faces").truth is None
    for answer in (client.post("/api/truth", json={"origin": "iid/0/0"}), client.get("/api/person/iid/0/0.glb")):
        assert answer.status_code == 400
        assert answer.json()["error"].startswith("expected a data set of dcign render, found another one: ")


@needs_chromium
def test_the_page_s_classes_are_those_of_the_calibration(visit: Visit, toys: Explored) -> None:
    assert toys.network is not None
    fit = next(each for each in toys.network.calibrations if each.classes)
    codes = np.random.default_rng(0).normal(scale=0.8, size=(60, toys.network.run.layout.size))
    factor = {"own": list(fit.own), "circular": False, "calibration": to_json(fit)}
    script = """async ([factor, codes]) => {
      const { readFactor, writeFactor } = await import(new URL("static/codes.js", location.href));
      return codes.map((code, row) => {
        const read = readFactor(code, factor);
        writeFactor(code, factor, row % 5 - 1 + 0.2);
        return [read, code];
      });
    }"""
    found = visit.page.evaluate(script, [factor, codes.tolist()])
    assert [read for read, _ in found] == fit.read(codes).tolist()
    assert len({*fit.read(codes)}) == 3
    wanted = fit.written(codes, np.arange(60) % 5 - 1 + 0.2)
    np.testing.assert_allclose([code for _, code in found], wanted, atol=1e-12)


@needs_chromium
def test_a_class_is_chosen_by_its_name_and_swept_once(visit: Visit) -> None:
    page, picture = visit.page, visit.pixels()
    assert "was not made by dcign render" in page.locator(".stage .note").inner_text()
    field = page.get_by_label("Form", exact=True).and_(page.locator("select"))
    assert page.locator("#slider-form").get_attribute("max") == "2"
    other = "bar" if field.locator("option:checked").inner_text() != "bar" else "disc"
    field.select_option(label=other)
    visit.settle()
    assert page.locator("#slider-form").get_attribute("aria-valuetext") == other
    assert visit.pixels() != picture
    page.select_option("#sweep-what", "form")
    page.get_by_role("button", name="Draw").click()
    page.wait_for_selector(".sweep-strip figure:nth-child(3)")
    assert page.locator(".sweep-strip figcaption").all_inner_texts() == ["disc", "square", "bar"]


@needs_chromium
def test_its_batches_are_shown_with_as_many_images_as_they_have(visit: Visit) -> None:
    page = visit.page
    page.get_by_role("tab", name="Data set").click()
    page.wait_for_selector(".batches:not([aria-busy]) li")
    row = page.locator(".batches li").first.locator(".cell")
    assert row.count() == 6
    assert row.nth(5).evaluate("it => [it.style.backgroundSize, it.style.backgroundPosition]") == [
        "600% 100%",
        "100% 0px",
    ]
    row.nth(5).click()
    assert page.get_by_role("button", name="Turn the head in 3D").count() == 0
    shown = page.locator(".chosen tr", has_text="form").locator("td").inner_text()
    assert shown in ("disc", "square", "bar")
    page.get_by_role("button", name="Show in the network").click()
    page.wait_for_selector(".source b:has-text('/5')")
    visit.settle()


@needs_chromium
def test_kinds_that_only_later_shards_hold_are_offered_when_the_labels_are_read(browser, toys_run: Path) -> None:
    explored = Explored.open(toys_run.parent / "faces")
    description = json.loads(json.dumps(explored.description))
    description["data"]["splits"][0]["kinds"] = ["across"]
    explored.__dict__["description"] = description
    with served(explorer_app(explored)) as address:
        visit = Visit(browser, address).open()
        visit.page.wait_for_selector("#data-kind option[value=hue]", state="attached")
        kinds = visit.page.eval_on_selector_all("#data-kind option", "them => them.map((it) => it.value)")
        assert sorted(kinds) == ["", "across", "form", "hue", "identity"]
        visit.context.close()
