"""Files of codes: what is read, and the one sentence for each file that cannot be measured."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pytest

from dcign.errors import TrainingError
from dcign.measure import CodeTable, own_latents, read_code_table

ROWS = 6
LATENTS = np.arange(24.0).reshape(ROWS, 4)
FACTORS = np.arange(12).reshape(ROWS, 2)


def with_value(row, column, value):
    table = LATENTS.copy()
    table[row, column] = value
    return table


@pytest.mark.parametrize("name", ["latents", "codes", "mu"])
def test_latents_are_read_under_each_of_their_names(tmp_path, name):
    np.savez(tmp_path / "z.npz", factors=FACTORS, **{name: LATENTS})
    table = read_code_table(tmp_path / "z.npz")
    np.testing.assert_array_equal(table.latents, LATENTS)
    np.testing.assert_array_equal(table.factors, FACTORS)
    assert table.names == ("factor 0", "factor 1")
    assert table.blocks is table.own is table.groups is table.split is table.units is None


def test_optional_arrays_are_read(tmp_path):
    more = {
        "factor_names": ["pan", "tilt"],
        "factor_units": ["degree", "mm"],
        "blocks": [7, 2, 7, 3],
        "own": [1, 3],
        "groups": ["ann", "bob", "ann", "bob", "eve", "ann"],
        "split": ["iid"] * ROWS,
    }
    np.savez_compressed(tmp_path / "z.npz", latents=LATENTS, factors=FACTORS, **more)
    table = read_code_table(tmp_path / "z.npz")
    assert table.names == ("pan", "tilt")
    assert table.units == ("degree", "mm")
    assert table.blocks == [[1], [3], [0, 2]]
    assert table.own == (1, 3)
    assert table.groups.tolist() == [0, 1, 0, 1, 2, 0]
    assert set(table.split) == {"iid"}


Z, F = LATENTS, FACTORS
REFUSED = {
    "rows": ({"latents": Z[:5], "factors": F}, "found 5 and 6 rows: write both for the same images"),
    "nan": ({"latents": with_value(3, 1, np.nan), "factors": F}, "found nan in row 3, column 1, counted from 0:"),
    "huge": ({"latents": with_value(2, 0, 1e60), "factors": F}, r"at most 1e\+50 .* found 1e\+60 in row 2, column 0"),
    "infinite factor": ({"latents": Z, "factors": (F + 1) * np.inf}, "expected factors that are finite"),
    "unknown": ({"latents": Z, "factors": F, "imgs": F}, "found imgs: rename it or leave it out"),
    "no factors": ({"latents": Z}, "expected the array factors and one of latents, codes, mu in .*, found latents: "),
    "two latents": ({"mu": Z, "codes": Z, "factors": F}, "found mu, codes, factors: rename the arrays"),
    "flat": ({"latents": Z[:, 0], "factors": F}, r"expected latents as numbers .* found shape \(6,\)"),
    "words": ({"latents": Z, "factors": F.astype(str)}, "expected factors as numbers .* of type <U"),
    "complex": ({"latents": Z * 1j, "factors": F}, "of type complex128: reshape or convert"),
    "empty": ({"latents": Z[:0], "factors": F[:0]}, r"found shape \(0, 4\)"),
    "names": (
        {"latents": Z, "factors": F, "factor_names": ["pan", "pan"]},
        "expected factor_names that differ in .*, found pan, pan: rename them",
    ),
    "few names": (
        {"latents": Z, "factors": F, "factor_names": ["pan"]},
        r"expected 2 numbers or strings as factor_names in .*, found shape \(1,\)",
    ),
    "blocks": ({"latents": Z, "factors": F, "blocks": [0, 1]}, "expected 4 numbers or strings as blocks"),
    "own": ({"latents": Z, "factors": F, "own": [0, 9]}, "expected latents from 0 to 3, found 9"),
    "real own": ({"latents": Z, "factors": F, "own": [0.5, 1]}, "found type float64: use integers"),
    "pickled": ({"latents": Z, "factors": F.astype(object)}, "found the pickled array factors, which could run"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_a_file_that_cannot_be_measured_gets_one_sentence_with_its_name(case, tmp_path):
    arrays, sentence = REFUSED[case]
    np.savez(tmp_path / "z.npz", **arrays)
    with pytest.raises(TrainingError, match=sentence) as raised:
        read_code_table(tmp_path / "z.npz")
    text = str(raised.value)
    assert "\n" not in text
    assert text.endswith(".")
    if case != "own":
        assert "z.npz" in text


def content():
    whole = io.BytesIO()
    np.savez(whole, latents=LATENTS, factors=FACTORS)
    return bytearray(whole.getvalue())


def test_other_and_damaged_files_are_named_and_nothing_of_a_library_is_shown(tmp_path):
    path = tmp_path / "z.npz"
    with pytest.raises(TrainingError, match=r"found .*z.npz: No such file or directory; name a \.npz file"):
        read_code_table(path)
    with pytest.raises(TrainingError, match="Is a directory"):
        read_code_table(tmp_path)
    path.write_bytes(b"latents,factors\n1,2\n")
    with pytest.raises(TrainingError, match="of another kind or cut short: write it again"):
        read_code_table(path)
    np.save(tmp_path / "z.npy", LATENTS)
    with pytest.raises(TrainingError, match=r"expected several arrays in .*, found one: write them with numpy\.savez"):
        read_code_table(tmp_path / "z.npy")
    whole = content()
    path.write_bytes(whole[:-30])
    with pytest.raises(TrainingError, match="cut short"):
        read_code_table(path)
    whole[150] ^= 255
    path.write_bytes(whole)
    with pytest.raises(TrainingError, match="found damaged ones: write it again"):
        read_code_table(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("latents.npy", b"no array")
        archive.writestr("factors.npy", b"")
    with pytest.raises(TrainingError, match=r"expected latents as numbers .* of type \|S8"):
        read_code_table(path)


def test_no_single_altered_byte_ends_in_anything_but_a_table_or_a_sentence(tmp_path):
    whole, path, rng = content(), tmp_path / "z.npz", np.random.default_rng(0)
    sentences = []
    for place in rng.choice(len(whole), 150, replace=False):
        altered = whole.copy()
        altered[place] ^= 1 << int(rng.integers(8))
        path.write_bytes(altered)
        try:
            read_code_table(path)
        except TrainingError as error:
            sentences.append(str(error))
    assert len(sentences) > 20
    assert not [each for each in sentences if "\n" in each]


def test_blocks_with_names_are_in_the_order_of_their_latents_and_give_factors_their_own(tmp_path):
    path = tmp_path / "z.npz"
    blocks = np.array(["tilt", "hair", "pan", "hair"])
    np.savez(path, mu=Z, factors=F, factor_names=["pan", "tilt"], blocks=blocks)
    table = read_code_table(path)
    assert (table.blocks, table.block_names) == ([[0], [1, 3], [2]], ("tilt", "hair", "pan"))
    assert table.own == (2, 0)
    assert CodeTable.of(Z, F, factor_names=["pan", "tilt"], blocks=blocks, own=[1, 3]).own == (1, 3)
    assert CodeTable.of(Z, F, factor_names=["hair", "tilt"], blocks=blocks).own == ((1, 3), 0)  # F are classes
    numbers = CodeTable.of(Z, F.astype(float), factor_names=["hair", "tilt"], blocks=blocks)
    assert numbers.own is None  # a number has one latent
    assert CodeTable.of(Z, F, blocks=blocks.astype("S")).block_names == ("tilt", "hair", "pan")
    assert CodeTable.of(Z, F, blocks=[1, 0, 2, 0]).block_names is None


def test_names_in_bytes_that_are_no_text_are_read_as_far_as_they_are():
    table = CodeTable.of(Z, F, factor_names=np.array([b"p\xff", b"tilt"]), split=np.full(len(Z), b"\xfe"))
    assert table.names == ("p\N{REPLACEMENT CHARACTER}", "tilt")
    assert set(table.split) == {"\N{REPLACEMENT CHARACTER}"}


def test_own_latents_are_numbers_with_commas():
    assert own_latents("0, 2,5") == (0, 2, 5)
    assert own_latents("0,1 + 2") == (0, (1, 2))
    assert own_latents("") == ()
    for wrong in ("a", "0,,1", "-1", "1.5", "1+", "٣", "1" * 30):
        with pytest.raises(TrainingError, match=r"expected numbers of latents such as 0,1,2 or 0,1\+2, found"):
            own_latents(wrong)


def test_arrays_are_named_in_messages_without_a_file():
    with pytest.raises(TrainingError, match="per image in the arrays, found 6 and 5 rows"):
        CodeTable.of(LATENTS, FACTORS[:5])
