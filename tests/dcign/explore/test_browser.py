"""The page in headless Chromium: what a visitor does, and that the page's sums are those of dcign."""

from __future__ import annotations

import base64
import io
import json
import random
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.explore import EVENT
from dcign.explore.app import explorer_app
from dcign.explore.explored import Explored
from dcign.metrics.circular import ClosedCurve
from dcign.trained.calibration import CircularCalibration, factor_values, to_json, with_factors
from tests.support.browser import Visit, chromium, needs_chromium, served

pytestmark = needs_chromium
# Every field and button needs a name that a screen reader can say.
NAMELESS = """() => [...document.querySelectorAll('button, input, select, canvas, svg')].filter((it) => {
  const named = it.getAttribute('aria-label') || it.textContent.trim() || (it.labels && it.labels.length);
  return !named && !it.closest('button, [aria-hidden]') && it.closest('main > :not([hidden])');
}).map((it) => it.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[object]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def address(explored: Explored) -> Iterator[str]:
    with served(explorer_app(explored)) as found:
        yield found


@pytest.fixture
def visit(browser, address: str) -> Iterator[Visit]:
    found = Visit(browser, address)
    yield found
    found.context.close()
    assert found.faults == []


def png(side: int = 48) -> str:
    content = io.BytesIO()
    Image.fromarray(np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)).save(content, "PNG")
    return base64.b64encode(content.getvalue()).decode()


def as_pixels(pictures) -> np.ndarray:
    """Return RGB of the one picture (1, S, S, 3) that the network draws, as a canvas holds it."""
    return np.asarray(pictures)[0].reshape(-1, 3)


def shown(visit: Visit, selector: str = ".large canvas") -> np.ndarray:
    return np.array(visit.pixels(selector), np.uint8).reshape(-1, 4)[:, :3]


def test_a_slider_draws_what_dcign_edit_draws(visit: Visit, explored: Explored) -> None:
    network = explored.network
    assert network is not None
    code = np.array([explored.description["examples"][0]["code"]], np.float32)
    visit.open()
    np.testing.assert_array_equal(shown(visit), as_pixels(network.decode(code, False)))
    visit.page.locator("#slider-azimuth").fill("-40")
    visit.page.locator("#slider-age").fill("70")
    visit.settle()
    wanted = network.decode(with_factors(code, network.calibrations, azimuth=-40.0, age=70.0), False)
    assert np.abs(shown(visit).astype(int) - as_pixels(wanted)).max() <= 1


def test_the_numbers_of_the_code_are_those_of_the_person_when_they_are_opened(visit: Visit, explored: Explored) -> None:
    visit.open()
    visit.page.locator(".people[data-slot=person] button").nth(2).click()
    visit.settle()
    visit.page.get_by_text("As numbers").click()
    cell = visit.page.locator(".scroll tbody tr").first.locator("td").nth(2)
    assert cell.inner_text() == f"{explored.description['examples'][2]['code'][0]:.4f}"


def test_a_number_beyond_the_range_becomes_its_end(visit: Visit, explored: Explored) -> None:
    assert explored.network is not None
    high = next(fit.range[1] for fit in explored.network.calibrations if fit.factor == "age")
    visit.open()
    field = visit.page.get_by_label("Age years")
    field.fill("150")
    field.press("Enter")
    assert float(field.input_value()) == pytest.approx(high, abs=0.01)


def test_what_is_taken_from_another_person_replaces_the_slider_and_the_slider_replaces_it(visit: Visit) -> None:
    visit.open()
    slider, taken = visit.page.locator("#slider-age"), visit.page.get_by_role("checkbox", name="age")
    slider.fill("70")
    visit.page.locator(".people[data-slot=other] button").nth(3).click()
    visit.settle()
    taken.check()
    visit.settle()
    assert float(slider.input_value()) != 70
    slider.fill("60")
    visit.settle()
    assert not taken.is_checked()


@pytest.mark.parametrize("panel", ["Sliders", "People", "Sweep", "Code"])
def test_a_button_leads_to_each_panel(visit: Visit, panel: str) -> None:
    visit.open()
    visit.page.get_by_role("button", name=panel, exact=True).click()
    visit.settle()
    inside = visit.page.evaluate("document.activeElement.closest('.panel')?.getAttribute('aria-label')")
    box = visit.page.locator(f".panel[aria-label={panel}]").bounding_box()
    assert inside == panel
    assert box is not None
    assert box["y"] < visit.page.viewport_size["height"]


def test_the_page_begins_with_the_person_seen_most_from_the_front(visit: Visit, explored: Explored) -> None:
    network = explored.network
    assert network is not None
    scene = [fit for fit in network.calibrations if fit.factor not in network.run.description.of_identity]
    off = [
        sum(
            abs(fit.read(np.array([each["code"]], np.float32))[0] - sum(fit.range) / 2) / np.ptp(fit.range)
            for fit in scene
        )
        for each in explored.description["examples"]
    ]
    assert len(off) > 2
    assert off == sorted(off)
    assert off[0] < off[-1]


def test_the_page_s_maps_are_those_of_the_calibration(visit: Visit, explored: Explored) -> None:
    network = explored.network
    assert network is not None
    rng = np.random.default_rng(0)
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    curve = ClosedCurve(np.stack([2 * np.cos(angles), np.sin(angles) + 0.2 * np.cos(3 * angles)], axis=1))
    fits = [*network.calibrations[:3], CircularCalibration("turn", (4, 5), curve)]
    factors = [{"own": list(fit.own), "circular": fit.circular, "calibration": to_json(fit)} for fit in fits]
    codes = rng.normal(scale=1.5, size=(40, 6))
    values = rng.uniform(-200, 200, size=(40, 4))
    script = """async ([factors, codes, values]) => {
      const { readFactor, writeFactor } = await import(new URL("static/codes.js", location.href));
      return codes.map((code, row) => {
        const read = factors.map((factor) => readFactor(code, factor));
        factors.forEach((factor, place) => writeFactor(code, factor, values[row][place]));
        return [read, code];
      });
    }"""
    found = visit.open().page.evaluate(script, [factors, codes.tolist(), values.tolist()])
    names = [fit.factor for fit in fits]
    np.testing.assert_allclose([read for read, _ in found], factor_values(codes, fits), atol=1e-9)
    wanted = with_factors(codes, fits, **dict(zip(names, values.T, strict=True)))
    np.testing.assert_allclose([code for _, code in found], wanted, atol=1e-9)


def test_the_renderer_s_truth_and_the_difference_are_shown_beside_it(visit: Visit, explored: Explored) -> None:
    visit.open().page.locator("#slider-azimuth").fill("20")
    visit.settle()
    name = explored.description["examples"][0]["origin"]
    assert explored.truth is not None
    truth = visit.page.request.post(
        f"{visit.address}api/truth", data=json.dumps({"origin": name, "values": {"azimuth": 20}})
    )
    np.testing.assert_array_equal(shown(visit, ".beside canvas"), np.frombuffer(truth.body(), np.uint8).reshape(-1, 3))
    visit.page.locator("#slider-hair-1").fill("1")
    visit.settle()
    assert "no slider" in visit.page.locator(".stage .note").inner_text()


def test_a_dropped_picture_is_encoded_and_turned(visit: Visit) -> None:
    visit.open().drop("photo.png", png())
    visit.page.wait_for_selector(".source b:has-text('photo.png')")
    before = shown(visit.settle())
    visit.page.locator("#slider-azimuth").fill("60")
    assert (shown(visit.settle()) != before).any()


def test_the_page_says_how_a_picture_should_be_framed_and_what_a_network_does_not_keep(browser, visit: Visit) -> None:
    """A run of the recipe swap needs the framing of its data; wild draws no background, and keeps no shape."""
    visit.open()
    assert "use “dcign explore wild”" in visit.page.inner_text("main")
    assert "keeps nothing" not in visit.page.inner_text("main")
    with served(explorer_app(Explored.open(Path("wild")))) as address:
        other = Visit(browser, address).open()
        shown = other.page.inner_text("main")
        assert "It may be off the middle" in shown
        assert "This network keeps nothing of it" in shown
        assert other.page.locator("[id^=slider-shape]").count() == 0
        other.drop("lounge.png", png())
        other.page.wait_for_selector("text=lounge.png")
        other.settle()
        assert other.page.locator("#message").is_hidden()
        assert other.faults == []
        other.context.close()


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("evil.svg", b"<svg><script>alert(1)</script></svg>", "expected a picture in evil.svg, found"),
        ("broken.png", base64.b64decode(png())[:300], "expected a picture in broken.png, found"),
    ],
)
def test_a_file_that_is_no_picture_gives_one_sentence(
    browser, address: str, name: str, content: bytes, sentence: str
) -> None:
    visit = Visit(browser, address).open()
    before = shown(visit)
    visit.drop(name, base64.b64encode(content).decode())
    assert sentence in visit.message()
    np.testing.assert_array_equal(shown(visit), before)
    assert len(visit.faults) <= 1  # the browser itself reports the answer 400
    visit.context.close()


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(visit: Visit) -> None:
    script = """() => {
      const file = new File(["x"], "huge.png");
      Object.defineProperty(file, "size", { value: 300 * 1024 * 1024 });
      const event = new DragEvent("drop", { bubbles: true });
      Object.defineProperty(event, "dataTransfer", { value: { files: [file], types: ["Files"] } });
      document.querySelector("main").dispatchEvent(event);
    }"""
    visit.open().page.evaluate(script)
    assert visit.message() == "expected a picture of 32 MB or less, found 300 MB in huge.png: make the file smaller."


def test_a_link_shows_the_same_again(visit: Visit, browser) -> None:
    page = visit.open().page
    page.locator("#slider-azimuth").fill("33")
    page.locator("#slider-shape-1").fill("1.5")
    page.locator("[data-slot=other] .people button").nth(4).click()
    visit.settle()
    again = Visit(browser, visit.address).open(page.url.partition("/#")[2] and "#" + page.url.partition("#")[2])
    np.testing.assert_array_equal(shown(again), shown(visit))
    assert again.page.locator("input[type=checkbox]").last.is_checked()
    again.context.close()


def test_the_link_of_a_dropped_picture_holds_its_code(visit: Visit, browser) -> None:
    visit.open().drop("photo.png", png())
    visit.page.wait_for_selector(".source b:has-text('photo.png')")
    visit.settle()
    again = Visit(browser, visit.address).open("#" + visit.page.url.partition("#")[2])
    np.testing.assert_array_equal(shown(again), shown(visit))
    again.context.close()


@pytest.mark.parametrize("fragment", ["#person=none/1/1", "#person=~AAAA", "#x", "#person=%", "#azimuth=nan&person="])
def test_a_wrong_link_leaves_a_working_page(browser, address: str, fragment: str) -> None:
    visit = Visit(browser, address).open(fragment)
    assert shown(visit).any()
    visit.context.close()


def test_parts_of_another_person_are_those_of_their_code(visit: Visit, explored: Explored) -> None:
    network = explored.network
    assert network is not None
    visit.open().page.locator("[data-slot=other] .people button").nth(3).click()
    visit.settle()
    own, other = (np.array([explored.description["examples"][place]["code"]], np.float32) for place in (0, 3))
    hair = list(network.run.layout.latents_of("hair"))
    own[:, hair] = other[:, hair]
    np.testing.assert_array_equal(shown(visit), as_pixels(network.decode(own, False)))


def test_a_sweep_is_saved_as_png_and_as_gif(visit: Visit, tmp_path) -> None:
    page = visit.open().page
    page.select_option("#sweep-what", "light_azimuth")
    page.locator("#sweep-count").fill("5")
    page.get_by_role("button", name="Draw").click()
    page.wait_for_selector(".sweep-strip figure:nth-child(5)")
    sizes = {}
    for kind, frames in (("PNG", 1), ("GIF", 8)):
        with page.expect_download() as download:
            page.get_by_role("button", name=f"Save {kind}").click()
        download.value.save_as(tmp_path / download.value.suggested_filename)
        with Image.open(tmp_path / download.value.suggested_filename) as image:
            assert image.format == kind
            assert getattr(image, "n_frames", 1) == frames
            sizes[kind] = image.size
    assert sizes == {"PNG": (5 * 256, 256), "GIF": (256, 256)}


def test_a_saved_sweep_has_the_name_of_what_was_drawn(visit: Visit) -> None:
    page = visit.open().page
    page.select_option("#sweep-what", "light_azimuth")
    page.locator("#sweep-low").fill("")  # an emptied field is the end of the range, and not 0
    page.locator("#sweep-count").fill("3")
    page.get_by_role("button", name="Draw").click()
    page.wait_for_selector(".sweep-strip figure:nth-child(3)")
    assert page.locator(".sweep-strip figcaption").all_inner_texts() == ["−80°", "0°", "80°"]
    page.select_option("#sweep-what", "elevation")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save PNG").click()
    assert download.value.suggested_filename == "run-light-azimuth.png"


def test_an_emptied_number_of_a_slider_changes_nothing(visit: Visit) -> None:
    visit.open()
    field = visit.page.get_by_label("Azimuth degrees", exact=True)
    before = float(field.input_value())
    field.fill("")
    field.press("Enter")
    visit.settle()
    assert float(field.input_value()) == pytest.approx(before, abs=0.1)
    assert "azimuth=" not in visit.page.url


def test_an_emptied_filter_keeps_every_image(visit: Visit) -> None:
    page = visit.open().page
    page.get_by_role("tab", name="Data set").click()
    field = page.get_by_label("azimuth, highest", exact=True)
    field.wait_for()
    whole = field.input_value()
    field.fill("-20")
    field.press("Enter")
    page.wait_for_selector(".cell.off")
    field.fill("")
    field.press("Enter")
    page.wait_for_selector(".cell.off", state="detached")
    assert field.input_value() == whole


def test_the_whole_code_of_another_person_has_no_truth(visit: Visit) -> None:
    """As of a network whose latents are not assigned: its only block is called code."""
    script = """async () => {
      const { State } = await import(new URL("static/state.js", location.href));
      const run = { factors: [], blocks: [{ name: "code", latents: [0, 1], directions: [[1, 0]] }], latents: 2 };
      const state = new State(run, { origin: "test/3/0", code: [0, 0] });
      state.other = { origin: "test/3/1", code: [1, 1] };
      state.taken.add("code");
      return state.truthRequest();
    }"""
    found = visit.open().page.evaluate(script)
    assert found == "the renderer does not know what this network's code keeps of a person."


def test_a_truth_that_cannot_be_drawn_is_not_replaced_by_an_older_one(browser, address: str) -> None:
    visit = Visit(browser, address).open()
    assert visit.page.locator(".beside").is_visible()
    answer = {"status": 400, "json": {"error": "expected something else, found this: correct it."}}
    visit.page.route("**/api/truth", lambda route: route.fulfill(**answer))
    visit.page.locator("#slider-azimuth").fill("20")
    visit.page.wait_for_selector(".stage .note:has-text('found this')")
    assert visit.page.locator(".beside").is_hidden()
    assert visit.page.locator("#message").is_hidden()
    visit.page.unroute("**/api/truth")
    visit.page.locator("#slider-azimuth").fill("30")
    visit.page.wait_for_selector(".beside:visible")
    assert visit.page.locator(".stage .note").is_hidden()
    visit.context.close()


@pytest.mark.parametrize("width", [390, 1280])
def test_every_picture_of_a_sweep_is_in_sight(visit: Visit, width: int) -> None:
    page = visit.open().page
    page.set_viewport_size({"width": width, "height": 900})
    page.locator("#sweep-count").fill("24")
    page.get_by_role("button", name="Draw").click()
    page.wait_for_selector(".sweep-strip figure:nth-child(24)")
    boxes = [figure.bounding_box() for figure in page.locator(".sweep-strip canvas").all()]
    assert len({(box["x"], box["y"]) for box in boxes if box}) == 24
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= width for box in boxes)
    strip = page.locator(".sweep-strip")
    assert strip.evaluate("strip => strip.scrollWidth <= strip.clientWidth")


def test_a_bar_of_the_code_sweeps_its_latent(visit: Visit) -> None:
    visit.open().page.locator(".bar").nth(6).click()
    visit.page.wait_for_selector(".sweep-strip figure")
    assert visit.page.locator("#sweep-what").input_value() == "latent 6"


def test_the_data_set_is_filtered_by_kind_and_label(visit: Visit) -> None:
    page = visit.open().page
    page.get_by_role("tab", name="Data set").click()
    page.wait_for_selector(".batches li")
    page.select_option("#data-kind", "age")
    page.wait_for_selector(".batches:not([aria-busy]) li:first-child .tag:text-is('age')")
    page.get_by_label("age, lowest").fill("60")
    page.get_by_label("age, lowest").press("Enter")
    page.wait_for_selector(".cell.off")
    ages = [float(label.partition(", age ")[2].partition(",")[0]) for label in page.eval_on_selector_all(
        ".strip .cell:not(.off)", "them => them.map((it) => it.getAttribute('aria-label'))")]  # fmt: skip
    assert ages
    assert min(ages) >= 60


def test_fields_used_before_the_first_batches_arrive_do_no_harm(visit: Visit) -> None:
    page = visit.open().page
    script = """() => {
      document.getElementById("tab-data").click();
      for (const id of ["data-layer", "data-kind"]) document.getElementById(id).dispatchEvent(new Event("change"));
      for (const each of document.querySelectorAll(".pager button")) each.click();
    }"""
    page.evaluate(script)
    page.wait_for_selector(".batches li")


def test_a_person_is_turned_in_3d_by_keys_and_mouse(visit: Visit) -> None:
    page = visit.open().page
    page.get_by_role("tab", name="Data set").click()
    page.locator(".strip .cell").nth(21).click()
    page.get_by_role("button", name="Turn the head in 3D").click()
    canvas = page.locator(".head canvas")
    canvas.wait_for()
    visit.settle()
    pictures = [canvas.screenshot()]
    canvas.focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    pictures.append(canvas.screenshot())
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + 100, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 30, box["y"] + 100, steps=4)
    page.mouse.up()
    pictures.append(canvas.screenshot())
    assert len(set(pictures)) == 3


def test_an_image_of_the_data_set_is_shown_in_the_network(visit: Visit) -> None:
    page = visit.open().page
    page.get_by_role("tab", name="Data set").click()
    page.locator(".strip .cell").nth(3).click()
    page.get_by_role("button", name="Show in the network").click()
    page.wait_for_selector(".source b:has-text('test/0/3')")
    visit.settle()
    assert "person=test/0/3" in page.url


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1280, "light")])
def test_it_fits_the_screen_and_every_field_has_a_name(browser, address: str, width: int, scheme: str) -> None:
    visit = Visit(browser, address, width, scheme).open()
    for view in ("Face", "Data set"):
        visit.page.get_by_role("tab", name=view).click()
        visit.settle()
        assert visit.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
        assert visit.page.evaluate(NAMELESS) == []
    assert visit.faults == []
    visit.context.close()


def test_the_keyboard_moves_sliders_and_the_theme_changes(visit: Visit) -> None:
    page = visit.open().page
    before = shown(visit)
    page.locator("#slider-azimuth").focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert (shown(visit.settle()) != before).any()
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != paper


def test_random_events_cause_no_error(visit: Visit) -> None:
    page = visit.open().page
    chance = random.Random(0)
    script = f"""async (chances) => {{
      const event = {EVENT};
      for (const [share, value] of chances) {{
        event([share, value]);
        if (value < 0.3) await new Promise((done) => setTimeout(done, 10));
      }}
    }}"""
    for view in ("Face", "Data set"):
        page.get_by_role("tab", name=view).click()
        page.evaluate(script, [[chance.random(), chance.random()] for _ in range(60)])
    visit.settle()
