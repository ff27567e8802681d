"""Picture files: of any kind and size, they become what the network was trained on."""

import io
import os
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dcign.data.schema import GRAY_WEIGHTS
from dcign.errors import RenderError, TrainingError
from dcign.infer.read_picture import fitted, open_picture
from dcign.printable import printable
from dcign.render.plan.backdrops import _square
from tests.support.commands import refused


def png(pixels):
    """A picture as the bytes of a PNG file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


GRAY = np.random.default_rng(0).integers(0, 256, (32, 32), dtype=np.uint8)
KINDS = {
    "L": lambda image: image,
    "RGB": lambda image: image.convert("RGB"),
    "RGBA": lambda image: image.convert("RGBA"),
    "LA": lambda image: image.convert("LA"),
    "P": lambda image: image.convert("P"),
    "12 bits in 16": lambda image: Image.fromarray((np.asarray(image) / 255 * 4095).round().astype(np.uint16)),
    "16 bits": lambda image: Image.fromarray(np.asarray(image).astype(np.uint16) * 257),
    "float": lambda image: Image.fromarray(np.asarray(image).astype(np.float32)),
    "float to 1": lambda image: Image.fromarray(np.asarray(image).astype(np.float32) / 255),
}


def linear(encoded):
    """sRGB 0..255 -> light 0..1."""
    value = np.asarray(encoded) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_a_picture_of_the_data_set_comes_back_to_the_bit(kind):
    np.testing.assert_array_equal(fitted(kind(Image.fromarray(GRAY)), 32, 1)[..., 0], GRAY)


def test_a_colour_picture_of_the_data_set_comes_back_to_the_bit():
    colour = np.random.default_rng(1).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    np.testing.assert_array_equal(fitted(Image.fromarray(colour), 32, 3), colour)


@pytest.mark.parametrize(("place", "weight"), list(enumerate(GRAY_WEIGHTS)))
def test_gray_is_the_renderer_s_luminance(place, weight):
    colour = np.zeros((8, 8, 3), np.uint8)
    colour[..., place] = 200
    found = fitted(Image.fromarray(colour), 8, 1)
    np.testing.assert_allclose(linear(found), weight * linear(200), rtol=0.02)


def test_light_is_averaged_as_light():
    stripes = np.zeros((64, 64), np.uint8)
    stripes[:, ::2] = 255
    assert set(np.unique(fitted(Image.fromarray(stripes), 16, 1)[2:-2, 2:-2])) <= {187, 188}  # sRGB of half the light


def test_what_is_transparent_lies_over_black():
    glass = Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    assert not fitted(glass, 8, 1).any()
    half = Image.new("LA", (8, 8), (255, 128))
    np.testing.assert_allclose(linear(fitted(half, 8, 1)), 128 / 255, rtol=0.01)


def test_the_middle_square_is_taken():
    wide = np.zeros((20, 60), np.uint8)
    wide[:, 20:40] = 90
    assert (fitted(Image.fromarray(wide), 20, 1) == 90).all()
    assert (fitted(Image.fromarray(wide.T), 20, 1) == 90).all()


@pytest.mark.parametrize("orientation", range(1, 9))
def test_it_is_turned_as_its_exif_says(tmp_path, orientation):
    upright = np.kron(np.array([[0, 255], [80, 160]], np.uint8), np.ones((16, 16), np.uint8))
    back = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Pillow's transposition that undoes each
    stored = Image.fromarray(upright)
    if orientation > 1:
        stored = stored.transpose(Image.Transpose(back[orientation]))
    exif = Image.Exif()
    exif[274] = orientation
    stored.save(tmp_path / "photo.png", exif=exif)
    np.testing.assert_array_equal(fitted(open_picture(tmp_path / "photo.png"), 32, 1)[..., 0], upright)


@pytest.mark.parametrize("mode", ["1", "L", "P", "PA", "LA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr",
                                  "HSV", "I", "I;16", "F"])  # fmt: skip
@pytest.mark.parametrize("size", [(8, 8), (9, 300), (100, 64)])
def test_any_mode_and_size_will_do(mode, size):
    for channels in (1, 3):
        assert fitted(Image.new(mode, size), 32, channels).shape == (32, 32, channels)


@pytest.mark.parametrize("size", [(1, 1), (7, 300), (300, 7)])
def test_a_picture_of_a_few_pixels_is_refused(size):
    with pytest.raises(TrainingError, match=f"8 px or more on each side, found {size[0]} x {size[1]} px"):
        fitted(Image.new("L", size), 32, 1)


def test_a_mode_that_has_no_rgb_is_refused():
    with pytest.raises(TrainingError, match="found mode La: save it as RGB"):
        fitted(Image.new("La", (8, 8)), 8, 1)
    with pytest.raises(TrainingError, match="expected finite pixel values"):
        fitted(Image.fromarray(np.full((8, 8), np.nan, np.float32)), 8, 1)


HTML = b"<!DOCTYPE html><html><title>404</title></html>"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
NO_PICTURES = {
    "words": (b"not a picture", "a file of no known picture format: choose another file, or save it as PNG or JPEG"),
    "empty": (b"", "an empty file: choose another file"),
    "web page": (HTML, "a web page, which a failed download leaves: choose another file"),
    "pointer": (POINTER, "a Git LFS pointer without the file itself (`git lfs pull` gets it)"),
    "zeros": (bytes(400), "a file of zeros"),
    "cut short": (png(GRAY)[:300], "a picture that is damaged or cut short"),
    "damaged": (png(GRAY)[:60] + bytes(200) + png(GRAY)[260:], "a picture that is damaged or cut short"),
}


@pytest.mark.parametrize("kind", NO_PICTURES)
def test_what_is_no_picture_is_named_and_no_library_speaks(tmp_path, kind):
    content, said = NO_PICTURES[kind]
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(TrainingError) as refusal:
        open_picture(path)
    sentence = str(refusal.value)
    assert sentence.startswith(f"expected a picture in {path}, found {said}")
    assert sentence.endswith(".")
    for words in ("identify", "truncated", "errno", "io.Bytes"):
        assert words not in sentence
    with pytest.raises(RenderError) as refusal:
        _square(path, 16)
    assert f"expected a picture for --background in {path}, found {said}" in str(refusal.value)


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="found no such file: check the name"):
        open_picture(tmp_path / "nothing.png")
    with pytest.raises(TrainingError, match="found a folder: choose a file"):
        open_picture(tmp_path)
    os.mkfifo(tmp_path / "pipe")
    for pipe in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(TrainingError, match="found a device or a pipe"):
            open_picture(pipe)


def test_names_that_are_no_utf_8_or_hold_control_codes_are_printed_as_escapes(tmp_path):
    for name, shown in ((b"lat\xe9.png", "lat\\xe9.png"), (b"red\x1b[31m.png", "red\\x1b[31m.png")):
        path = str(tmp_path / os.fsdecode(name))
        Path(path).write_bytes(HTML)
        with pytest.raises(TrainingError) as refusal:
            open_picture(path)
        assert shown in printable(str(refusal.value))
        for words in (("inspect", path), ("inspect", tmp_path), ("edit", tmp_path, path), ("face", "--out", path)):
            said = refused(*words)
            assert all(letter.isprintable() for letter in said), said


def test_a_picture_without_end_is_refused(tmp_path, monkeypatch):
    Image.new("L", (100, 100)).save(tmp_path / "large.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 8000)
    with pytest.raises(TrainingError, match="found more than 0 million pixels: make it smaller"):
        open_picture(tmp_path / "large.png")


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tif", "bmp", "webp"])
def test_damaged_files_are_read_or_refused(tmp_path, suffix):
    path = tmp_path / f"photo.{suffix}"
    Image.fromarray(np.stack([GRAY] * 3, axis=-1)).save(path)
    whole, chance, refused = path.read_bytes(), random.Random(0), 0
    for _ in range(60):
        broken = bytearray(whole)
        for _ in range(5):
            broken[chance.randrange(min(len(broken), chance.choice((40, 200, 10**6))))] = chance.randrange(256)
        path.write_bytes(broken[: chance.choice((len(broken), chance.randrange(len(broken))))])
        try:
            found = fitted(open_picture(path), 16, 1)
        except TrainingError as error:
            refused += "\n" not in str(error)
            continue
        assert found.shape == (16, 16, 1)
    assert refused > 5
