"""The page as static files, from a plain file server: its pictures and codes are those of torch."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw

from dcign.errors import TrainingError
from dcign.explore import web_export
from dcign.explore.explored import Explored
from dcign.explore.web_export import export_web
from dcign.infer.read_picture import fitted, open_picture
from dcign.trained.calibration import with_factors
from tests.support.browser import Visit, chromium, file_server, needs_chromium
from tests.support.commands import refused


@pytest.fixture(scope="module")
def exported(run_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("web") / "page"
    export_web(run_folder, folder)
    return folder


@pytest.fixture(scope="module")
def photograph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A picture of 300 x 221 px with a smooth and a sharp part, half of it transparent."""
    across = np.linspace(0, 255, 300)[None] * np.ones((221, 1))
    pixels = np.stack([across, across[:, ::-1], 255 - across / 2, np.where(across > 128, 255, 160)], axis=-1)
    image = Image.fromarray(pixels.astype(np.uint8))
    ImageDraw.Draw(image).ellipse((90, 40, 190, 180), fill=(200, 150, 120, 255))
    path = tmp_path_factory.mktemp("photograph") / "photo.png"
    image.save(path)
    return path


@pytest.fixture(scope="module")
def visit(exported: Path) -> Iterator[Visit]:
    with file_server(exported) as address, chromium() as browser:
        found = Visit(browser, address)
        yield found.open()
        assert found.faults == []


def test_the_folder_holds_the_page_the_networks_and_every_licence(exported: Path) -> None:
    assert 'content="static"' in (exported / "index.html").read_text()
    for name in ("description.json", "encoder.onnx", "decoder.onnx"):
        assert (exported / "data" / name).stat().st_size
    vendors = list((exported / "static" / "vendor").iterdir())
    assert {each.name for each in vendors} == {"gifenc", "onnxruntime-web"}
    assert all((each / "LICENSE").is_file() for each in vendors)


def test_a_folder_with_files_is_refused(run_folder: Path, exported: Path, people_faces: Path, tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="expected a new or empty folder, found files in"):
        export_web(run_folder, exported)
    with pytest.raises(TrainingError, match="expected a run, found a data set"):
        export_web(people_faces, tmp_path / "page")


@pytest.mark.parametrize("made", [False, True], ids=["new", "empty"])
def test_an_export_that_fails_leaves_the_folder_as_it_was(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: bool
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "page"
    if made:
        out.mkdir()
    monkeypatch.setattr(web_export, "export_run", lambda run, data, to: data.mkdir(parents=True))
    monkeypatch.setattr(web_export, "index_html", stopped)
    with pytest.raises(KeyboardInterrupt):
        export_web(run_folder, out)
    assert [*tmp_path.rglob("*")] == [out] * made


def torch_s_picture(explored: Explored, code: np.ndarray) -> np.ndarray:
    """Return the picture (S, S, 3), 0 to 255, that the network draws in float32 from a code (1, Z)."""
    assert explored.network is not None
    with torch.inference_mode():
        made = explored.network.run.codec.model.decode(torch.from_numpy(code.astype(np.float32)))
    return 255 * made[0].permute(1, 2, 0).numpy()


@needs_chromium
def test_its_pictures_are_those_of_torch(visit: Visit, explored: Explored) -> None:
    network = explored.network
    assert network is not None
    code = np.array([explored.description["examples"][0]["code"]], np.float32)
    visit.page.locator("#slider-azimuth").fill("-40")
    visit.settle()
    wanted = torch_s_picture(explored, with_factors(code, network.calibrations, azimuth=-40.0))
    shown = np.array(visit.pixels(), np.uint8).reshape(32, 32, 4)[..., :3]
    assert np.abs(shown - wanted).max() <= 2


@needs_chromium
def test_a_dropped_picture_has_the_code_of_dcign(visit: Visit, explored: Explored, photograph: Path) -> None:
    network = explored.network
    assert network is not None
    visit.drop("photo.png", base64.b64encode(photograph.read_bytes()).decode())
    visit.page.wait_for_selector(".source b:has-text('photo.png')")
    visit.settle()
    image = fitted(open_picture(photograph), 32, 3)
    url = visit.page.locator(".source img").get_attribute("src")
    seen = np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"))
    assert np.abs(seen.astype(int) - image).max() <= 2
    with torch.inference_mode():
        code = network.run.codec.model.encode(torch.from_numpy(image[None] / np.float32(255)).permute(0, 3, 1, 2))[0]
    wanted = torch_s_picture(explored, code.numpy())
    shown = np.array(visit.pixels(), np.uint8).reshape(32, 32, 4)[..., :3]
    assert np.abs(shown - wanted).max() <= 2


@needs_chromium
def test_a_file_that_is_no_picture_gives_one_sentence_without_a_server(visit: Visit) -> None:
    visit.drop("evil.svg", base64.b64encode(b"<svg><script>alert(1)</script></svg>").decode())
    assert "expected a picture in evil.svg, found a file that the browser cannot read" in visit.message()


def test_a_network_of_the_package_needs_a_folder_to_be_written_to() -> None:
    assert "expected --out FOLDER with face, a network of the package" in refused("export", "face", "--to", "web")
