"""How live the explorer is: `python -m benchmarks.explore RUN` drags azimuth from -80 to 80 in headless Chromium.

Reports different pictures per second, the time from a change to its picture (mean and 95th percentile), the time until
a dropped photograph is shown, and errors of the console during 1,000 random events. Needs Chromium and Playwright.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SECONDS = 4.0  # of the drag
EVENTS = 1000
PHOTOGRAPH = (4000, 3000)  # pixels
OPTIONS = ["--no-sandbox", "--disable-gpu-compositing", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"]
WATCH = """() => {
  window.shown = [];
  document.addEventListener("dcign:shown", (event) => {
    const canvas = document.querySelector(".large canvas");
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    window.shown.push([event.detail.milliseconds, data.reduce((sum, each) => (sum * 31 + each) % 1e9, 7)]);
  });
}"""
EVENT = """([share, value]) => {
  const all = [...document.querySelectorAll("main > :not([hidden]) :is(button, input, select), [role=tab]")].filter(
    (it) => !it.disabled && it.type !== "file" && !it.textContent.startsWith("Save"));
  const it = all[Math.floor(share * all.length)];
  if (it.type === "range") it.value = +it.min + value * (it.max - it.min);
  else if (it.type === "number") it.value = value < 0.1 ? "" : 200 * value - 100;
  else if (it.tagName === "SELECT") it.selectedIndex = Math.floor(value * it.length);
  else it.click();
  for (const name of ["input", "change"]) it.dispatchEvent(new Event(name));
}"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", help="a run, whose data set is where it was")
    parser.add_argument("--data", help="the data set, if it has moved")
    arguments = parser.parse_args()
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        sys.exit("expected Chromium, found none: apt-get install chromium.")
    from playwright.sync_api import sync_playwright

    with _explorer(arguments.run, arguments.data) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=OPTIONS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        faults: list[str] = []
        page.on("console", lambda it: faults.append(it.text) if it.type == "error" else None)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.goto(address)
        page.wait_for_selector("html[data-ready]", timeout=120_000)
        page.wait_for_timeout(3000)
        found = measure_drag(page) | {"photograph_seconds": measure_photograph(page)}
        found |= {"random_events": EVENTS, "console_errors": make_events(page, faults)}
        browser.close()
    print(json.dumps(found, indent=1))


def measure_drag(page: Any) -> dict[str, float]:  # Playwright's page
    """Drag the slider of azimuth from -80 to 80 with the mouse, and count the pictures."""
    page.evaluate(WATCH)
    slider = page.locator("#slider-azimuth")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    low, high = (float(slider.get_attribute(name)) for name in ("min", "max"))
    across = [box["x"] + box["width"] * (value - low) / (high - low) for value in (-80, 80)]
    middle = box["y"] + box["height"] / 2
    page.mouse.move(across[0], middle)
    page.mouse.down()
    moves, began = 0, time.perf_counter()
    while (passed := (time.perf_counter() - began) / SECONDS) < 1:
        page.mouse.move(across[0] + passed * (across[1] - across[0]), middle)
        moves += 1
    seconds = time.perf_counter() - began
    shown = page.evaluate("window.shown")
    page.mouse.up()
    milliseconds = [each for each, _ in shown]
    return {
        "seconds": round(seconds, 2),
        "moves_per_second": round(moves / seconds, 1),  # there cannot be more pictures
        "different_pictures_per_second": round(len({picture for _, picture in shown}) / seconds, 1),
        "mean_milliseconds": round(float(np.mean(milliseconds)), 1),
        "p95_milliseconds": round(float(np.percentile(milliseconds, 95)), 1),
    }


def measure_photograph(page: Any) -> float:
    """Give a photograph to the page's field for files; return the seconds until it is shown."""
    wide, high = PHOTOGRAPH
    noise = np.random.default_rng(0).integers(0, 256, (high // 40, wide // 40, 3), np.uint8)
    field = page.locator("input[type=file]").first
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "photo.jpg"
        Image.fromarray(noise).resize(PHOTOGRAPH, Image.Resampling.BICUBIC).save(file, quality=90)
        began = time.perf_counter()
        field.set_input_files(file)
        page.wait_for_selector(".source b:has-text('photo.jpg')", timeout=60_000)
        return round(time.perf_counter() - began, 2)


def make_events(page: Any, faults: list[str]) -> int:
    """Use buttons, sliders and fields at random; return how many errors the console had."""
    chance = random.Random(0)
    for _ in range(EVENTS):
        page.evaluate(EVENT, [chance.random(), chance.random()])
    page.wait_for_timeout(2000)
    for fault in faults:
        print(fault, file=sys.stderr)
    return len(faults)


@contextmanager
def _explorer(run: str, data: str | None) -> Iterator[str]:
    """Start `dcign explore`; yields its address."""
    words = [sys.executable, "-m", "dcign.cli", "explore", run, "--port", "0", "--no-browser"]
    with subprocess.Popen([*words, *(["--data", data] if data else [])], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            if not line.startswith("Open "):
                sys.exit("expected the explorer to start, found the error above: correct it.")
            yield line.split()[1]
        finally:
            process.terminate()


if __name__ == "__main__":
    main()
