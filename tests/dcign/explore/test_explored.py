"""What is opened beside a network: its data set, whatever its size and wherever it is."""

from __future__ import annotations

import base64
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from dcign.explore.app import explorer_app
from dcign.explore.explored import Explored
from dcign.explore.web_export import export_web
from dcign.inputs.scaling import scaled_batches
from dcign.storage.paths import to_path

HERE = "http://127.0.0.1:8321"


def picture(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))))


def test_a_network_that_is_smaller_than_its_data_sees_them_scaled_down_as_in_training(smaller_run: Path) -> None:
    explored = Explored.open(smaller_run)
    assert explored.network is not None
    assert explored.data is not None
    codec, original = explored.network.run.codec, explored.data.image("test", 0, 3)[0]
    seen = scaled_batches(original[None, None], explored.description["run"]["size"])[0, 0]
    assert original.shape[0] > seen.shape[0]
    with TestClient(explorer_app(explored), base_url=HERE) as client:
        found = client.get("/api/image/test/0/3").json()
        drawn = client.post("/api/truth", json={"origin": "test/0/3"}).content
    np.testing.assert_allclose(found["code"], codec.encode(seen[None])[0][0], atol=1e-6)
    np.testing.assert_array_equal(picture(found["image"]), seen)
    assert np.abs(np.frombuffer(drawn, np.uint8).reshape(seen.shape).astype(int) - seen).max() <= 1
    example = explored.description["examples"][0]
    origin, image = next(each for each in explored.data.examples() if each[0] == example["origin"])
    seen = scaled_batches(image[None, None], explored.description["run"]["size"])[0, 0]
    np.testing.assert_array_equal(picture(example["image"]), seen, origin)
    np.testing.assert_allclose(example["code"], codec.encode(seen[None])[0][0], atol=1e-6)


def test_the_page_of_a_network_that_is_smaller_than_its_data_is_exported(smaller_run: Path, tmp_path: Path) -> None:
    export_web(smaller_run, tmp_path / "page")
    found = json.loads((tmp_path / "page" / "data" / "description.json").read_text())
    size = found["run"]["size"]
    assert picture(found["examples"][0]["image"]).shape == (size, size, 3)


@pytest.mark.parametrize("named", ["by --data", "by the run"])
def test_a_data_set_in_a_store_is_opened_beside_its_run(
    run_folder: Path, people_faces: Path, tmp_path: Path, named: str
) -> None:
    store = to_path("memory://explored")
    store.fs.put(str(people_faces), "/explored", recursive=True)
    folder = tmp_path / "run"
    shutil.copytree(run_folder, folder)
    if named == "by the run":
        configuration = json.loads((folder / "configuration.json").read_text())
        (folder / "configuration.json").write_text(json.dumps(configuration | {"data": "memory://explored"}))
    explored = Explored.open(folder, store if named == "by --data" else None)
    assert explored.missing == ""
    assert explored.description["data"]["name"] == "explored"
    assert explored.truth is not None
    assert explored.data is not None
    drawn = explored.truth.draw("test/0/3", {}, {})
    explored.truth.close()
    assert np.abs(drawn.astype(int) - explored.data.image("test", 0, 3)[0]).max() <= 1
