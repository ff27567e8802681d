"""`python -m benchmarks.train` refuses bad arguments in one sentence before it starts."""

import sys

import pytest

from benchmarks.train import measure


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--rounds", "0"], "Error: expected --rounds 1 or more, found 0:"),
        (["--seconds", "nan"], "Error: expected --seconds 0.001 or more, found nan:"),
        (["--sizes", "64,96"], "Error: expected a network's image size, found '96': choose from 64, 150."),
        (["--sizes", "64", "--device", "tpu"], "Error: "),
        (["--sizes", "64", "--faces64", "nowhere"], "Error: nowhere is not there"),
    ],
)
def test_bad_arguments_are_refused_in_a_sentence(words, sentence, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train", *words])
    with pytest.raises(SystemExit) as refusal:
        measure.main()
    assert str(refusal.value).startswith(sentence)
    assert "\n" not in str(refusal.value)


def test_a_data_set_of_another_size_is_refused(small_faces, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["train", "--sizes", "64", "--faces64", str(small_faces)])
    with pytest.raises(SystemExit, match=r"expected images of 64 px, found 32 px in .*: choose another --faces64."):
        measure.main()
