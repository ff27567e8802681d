"""What a failed download leaves under a model's name is called what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from dcign.errors import ModelError
from dcign.facegen.loaders.loading import recognise


@pytest.mark.parametrize("name", ["model.npz", "model.pkl", "model.h5", "model.mat"])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>", "a web page"),
        (b"\n<HTML><body>404</body></HTML>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345678\n", "a Git LFS pointer"),
        (b"", "an empty file"),
        (bytes(1000), "a file of zeros"),
    ],
)
def test_a_failed_download_is_named(name: str, content: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"expected a face model, found that .*{name} is {said}.*: give "):
        recognise(tmp_path / name)
