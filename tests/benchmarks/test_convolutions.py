"""The benchmark of convolutions: one row per layer, both ways measured, bad sizes refused."""

import json
import sys

import pytest

from benchmarks import convolutions


@pytest.fixture
def once(monkeypatch):
    monkeypatch.setattr(convolutions, "REPETITIONS", 1)


def test_every_convolution_has_a_row(once, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["convolutions", "--sizes", "32", "--images", "1", "--json"])
    convolutions.main()
    rows = json.loads(capsys.readouterr().out)
    assert [row["layer"] for row in rows] == [
        f"32 px, {half}.{layer}"
        for half, layers in (("encoder", ("patches", "layers.0")), ("decoder", ("layers.0", "patches")))
        for layer in layers
    ]
    assert rows[0]["input"] == "2 x 1 x 32 x 32"
    assert all(row["ours_ms"] > 0 and row["pytorch_ms"] > 0 for row in rows)


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--sizes", "big"], "expected image sizes such as 64,150, found big"), (["--images", "0"], "found 0")],
)
def test_what_cannot_be_measured_is_refused_in_a_sentence(monkeypatch, capsys, words, said):
    monkeypatch.setattr(sys, "argv", ["convolutions", *words])
    with pytest.raises(SystemExit) as ended:
        convolutions.main()
    assert ended.value.code
    assert said in (str(ended.value.code) + capsys.readouterr().err)
