"""The server's answers, without a browser."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from starlette.testclient import TestClient

from dcign.explore import app as application
from dcign.explore.app import explorer_app
from dcign.explore.explored import Explored
from dcign.explore.network import ExploredRun
from dcign.trained.trained_run import TrainedRun

HERE = "http://127.0.0.1:8321"


@pytest.fixture(scope="module")
def client(explored: Explored) -> Iterator[TestClient]:
    with TestClient(explorer_app(explored), base_url=HERE) as found:
        yield found


@pytest.fixture(scope="module")
def description(client: TestClient):
    return client.get("/api/description").json()


def png(side: int = 40) -> bytes:
    content = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    Image.fromarray(pixels).save(content, "PNG")
    return content.getvalue()


def test_the_page_is_served_with_a_policy_that_allows_no_other_site(client: TestClient) -> None:
    answer = client.get("/")
    assert "<title>dcign explorer</title>" in answer.text
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "http" not in policy
    assert client.get("/static/main.js").status_code == 200


def test_the_description_has_a_slider_for_each_factor_and_directions_for_each_part(description) -> None:
    run = description["run"]
    assert [factor["name"] for factor in run["factors"]] == ["azimuth", "elevation", "light_azimuth", "age", "sex"]
    assert (run["factors"][0]["low"], run["factors"][0]["high"]) == (-86, 86)
    assert [block["name"] for block in run["blocks"]] == ["shape", "skin", "hair"]
    assert all(1 <= len(block["directions"]) <= 3 for block in run["blocks"])
    assert len(description["examples"]) == 12
    assert description["examples"][0]["origin"].startswith("test/")


def test_decoding_gives_the_codec_s_pictures(client: TestClient, explored: Explored, description) -> None:
    codes = np.array([example["code"] for example in description["examples"][:3]], np.float32)
    answer = client.post("/api/decode", content=codes.tobytes())
    assert explored.network is not None
    assert answer.content == explored.network.decode(codes, sharp=False).tobytes()


@pytest.mark.parametrize(
    "content", [b"", b"abc", bytes(4), np.full(14, np.nan, np.float32).tobytes(), bytes(4 * 14 * 65)]
)
def test_codes_of_another_size_or_not_finite_are_refused(client: TestClient, content: bytes) -> None:
    answer = client.post("/api/decode", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("expected ")


def test_an_uploaded_picture_is_encoded_as_edit_does(client: TestClient, explored: Explored, tmp_path) -> None:
    from dcign.infer.read_picture import fitted, open_picture

    answer = client.post("/api/encode?name=photo.png", content=png()).json()
    (tmp_path / "photo.png").write_bytes(png())
    image = fitted(open_picture(tmp_path / "photo.png"), 32, 3)
    assert explored.network is not None
    np.testing.assert_allclose(answer["code"], explored.network.run.codec.encode(image[None])[0][0], atol=1e-6)
    assert answer["name"] == "photo.png"


def test_a_network_that_leaves_out_backgrounds_does_not_warn_of_them_and_shows_no_sliders_of_unused_parts() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    drawing, clean = ExploredRun(TrainedRun.open("face")), ExploredRun(TrainedRun.open("wild"))
    assert "do not trust" in drawing.encode(noise)["warning"]
    assert clean.encode(noise)["warning"] == ""
    assert [(run.describe()["any_framing"], run.describe()["draws_clean"]) for run in (drawing, clean)] == [
        (False, False),
        (True, True),
    ]
    directions = {block["name"]: len(block["directions"]) for block in clean.describe()["blocks"]}
    assert directions["shape"] == 0
    assert min(directions["skin"], directions["hair"]) > 0


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("evil.svg", b"<svg><script>alert(1)</script></svg>", "no known picture format"),
        ("cut.png", png()[:200], "damaged or cut short"),
        ("small.png", png(4), "8 px or more"),
        ("empty.png", b"", "found "),
        ("x.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\nshowpage\n", "no known picture format"),
        ("page.html", b"<!doctype html><html></html>", "found "),
    ],
)  # fmt: skip
def test_a_file_that_is_no_picture_is_refused_in_one_sentence_with_its_name(
    client: TestClient, name: str, content: bytes, sentence: str
) -> None:
    answer = client.post(f"/api/encode?name={name}", content=content)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert sentence in error
    assert "/tmp" not in error
    assert "\n" not in error


def test_uploads_are_bounded_whether_or_not_their_size_is_announced(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application, "MOST_UPLOAD", 2 << 20)
    whole = bytes(3 << 20)
    for content in (whole, iter([whole[: 1 << 20]] * 3)):
        answer = client.post("/api/encode?name=big.png", content=content)
        assert answer.status_code == 413
        assert answer.json()["error"] == "expected 2 MB or less, found more: make the file smaller."


def test_the_truth_of_an_image_is_its_picture(client: TestClient) -> None:
    drawn = client.post("/api/truth", json={"origin": "test/0/3", "values": {}, "parts_from": {}}).content
    image = client.get("/api/image/test/0/3").json()
    shown = Image.open(io.BytesIO(base64.b64decode(image["image"].partition(",")[2])))
    assert np.abs(np.frombuffer(drawn, np.uint8).reshape(32, 32, 3).astype(int) - np.asarray(shown)).max() <= 1
    assert len(image["code"]) == 14


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"origin": 5}', b'{"origin": "test/0/0", "more": 1}'])
def test_a_request_of_another_form_is_refused(client: TestClient, content: bytes) -> None:
    answer = client.post("/api/truth", content=content)
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("expected ")


def test_batches_are_found_by_kind_and_by_label(client: TestClient) -> None:
    everything = client.get("/api/batches?split=test").json()
    hair = client.get("/api/batches?split=test&kind=hair").json()
    assert everything["total"] == 9
    assert {batch["varies"] for batch in hair["batches"]} == {"hair"}
    old = client.get("/api/batches?split=test&kind=age&age=60:80").json()
    for batch in old["batches"]:
        assert batch["kept"] == [60 <= age <= 80 for age in batch["labels"]["age"]]
    assert 0 < old["images"] < 20 * old["total"]


def test_histograms_count_the_images_that_match(client: TestClient) -> None:
    found = {each["name"]: each for each in client.get("/api/histograms?split=test&age=60:80").json()}
    assert sum(found["azimuth"]["all"]) == 180
    assert sum(found["azimuth"]["counts"]) == client.get("/api/batches?split=test&age=60:80").json()["images"]


def test_a_strip_holds_the_pictures_of_a_batch_and_of_its_layers(client: TestClient) -> None:
    for layer, mode in (("images", "RGB"), ("mask", "RGB")):
        strip = Image.open(io.BytesIO(client.get(f"/api/strip/test/2/{layer}.png").content))
        assert strip.size == (640, 32)
        assert strip.mode == mode


@pytest.mark.parametrize(
    "path",
    [
        "/api/batches?split=none",
        "/api/batches?split=test&mood=0:1",
        "/api/batches?split=test&age=old",
        "/api/batches?split=test&first=-1",
        "/api/strip/test/99/images.png",
        "/api/strip/test/0/none.png",
        "/api/image/test/0/99",
        "/api/image/..%2F..%2Fetc/0/0",
        "/api/person/none/0/0.glb",
    ],
)
def test_what_is_not_there_is_refused_in_one_sentence(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 400
    assert ": " in answer.json()["error"]


def test_a_data_set_alone_has_no_network(people_faces) -> None:
    with TestClient(explorer_app(Explored.open(people_faces)), base_url=HERE) as client:
        assert client.get("/api/description").json()["run"] is None
        assert "expected a run" in client.post("/api/decode", content=b"").json()["error"]
        assert client.get("/api/image/test/0/3").json()["labels"]["age"] >= 18
