"""A rendered data set that varies every trait of people: what it holds, and that each broken promise is found."""

from __future__ import annotations

import csv
import json
import re
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

from dcign.data.check.dataset import check_dataset, check_shard
from dcign.data.dataset.contact_sheet import contact_sheet
from dcign.data.dataset.reader import FaceDataset
from dcign.data.dataset.summary import summarise
from dcign.data.export.dataset import export_dataset
from dcign.data.schema import PERSON_PARTS, Batch, ShardHeader
from dcign.data.shard.reader import Shard
from dcign.data.shard.writer import write_shard
from dcign.errors import DataError
from dcign.facegen.model.albedo import LinearAlbedo
from dcign.facegen.model.morphable import MorphableModel
from dcign.facegen.model.traits import TRAITS
from dcign.render.plan.configuration import RenderConfiguration
from dcign.render.produce.batch_renderer import BatchRenderer
from dcign.render.produce.headers import header_check
from dcign.render.produce.production import render_dataset
from dcign.render.produce.verification import check_shard_pixels, pixel_task

KINDS = ("azimuth", "elevation", "light_azimuth", *TRAITS, "identity")


def test_a_data_set_says_what_its_batches_vary(people_faces: Path) -> None:
    dataset = FaceDataset(people_faces)
    assert dataset.parts == PERSON_PARTS
    assert [factor.name for factor in dataset.factors if factor.of_identity] == ["age", "sex"]
    for split in ("train", "test"):
        assert [batch.varies for batch in dataset.batches(split)] == [*KINDS]
    with Shard(people_faces / "mix/shard-00000.h5") as shard:
        assert shard.identity_source is not None
        assert shard.identity_source.shape == (2, 20, 5)
        assert shard.header.traits == TRAITS
        assert shard.trait("hair").shape[2] > shard.trait("age").shape[2] == 1
        np.testing.assert_array_equal(shard.trait("shape"), shard.identity_own_shape)
    with Shard(people_faces / "test/shard-00000.h5") as shard:
        assert shard.identity_source is None
        with pytest.raises(DataError, match="holds no coefficients of nose alone"):
            shard.trait("nose")


def test_without_dcign_the_layout_is_read_from_the_file(people_faces: Path) -> None:
    with h5py.File(people_faces / "mix/shard-00000.h5") as file:
        names = [name.decode() for name in file["identity/source"].attrs["names"]]
        from_whom = file["identity/source"][0][:, names.index("skin")]
        columns = np.array([name.decode() for name in file["identity/albedo"].attrs["varies_with"]])
        skin = file["identity/albedo"][0][:, columns == "skin"]
        np.testing.assert_array_equal(skin, skin[from_whom])
        assert file["factors"].attrs["of_identity"].tolist() == [0, 0, 0, 1, 1]


def test_nothing_is_wrong_with_it_and_it_is_drawn_again_bit_for_bit(people_faces: Path) -> None:
    assert check_dataset(FaceDataset(people_faces), also=header_check(people_faces)) == []
    for split in ("test", "mix", "sweep"):
        task = pixel_task(people_faces / split / "shard-00000.h5")
        assert task is not None
        assert check_shard_pixels(task) == []


def test_the_summary_and_the_sheet_show_every_kind_and_mix(people_faces: Path) -> None:
    summary = summarise(people_faces)
    assert summary["wrong"] == []
    assert summary["parts"] == [*PERSON_PARTS]
    assert summary["splits"]["test"]["batches_of_kind"] == dict.fromkeys(
        ("azimuth", "elevation", "light_azimuth", "identity", *TRAITS), 1
    )
    assert contact_sheet(people_faces).height >= 64 * (9 + 9 + 1 + 2 + 2)
    card = (people_faces / "README.md").read_text()
    assert "| mix | 2 | 40 |" in card
    assert "age, sex, shape, skin, hair" in card


def moved(values: NDArray[np.float32], image: int, column: int, by: float = 0.5) -> NDArray[np.float32]:
    copy = values.copy()
    copy[image, column] += by
    return copy


def column_of(header: ShardHeader, path: str, trait: str) -> int:
    return header.varies_with[path].index(trait)


def in_albedo(trait: str) -> Callable[[Batch, ShardHeader], Batch]:
    return lambda b, h: replace(b, identity_albedo=moved(b.identity_albedo, 7, column_of(h, "identity/albedo", trait)))


def in_attributes(name: str) -> Callable[[Batch, ShardHeader], Batch]:
    return lambda b, h: replace(b, identity_attributes=moved(b.identity_attributes, 7, h.attributes.index(name)))


def in_factors(name: str) -> Callable[[Batch, ShardHeader], Batch]:
    return lambda b, h: replace(b, factors=moved(b.factors, 7, [each.name for each in h.factors].index(name)))


def own_shape(b: Batch, h: ShardHeader) -> Batch:
    return replace(b, identity_own_shape=moved(b.identity_own_shape, 7, 3))


def shape(b: Batch, h: ShardHeader) -> Batch:
    return replace(b, identity_shape=moved(b.identity_shape, 7, 3))


def twice(name: str) -> Callable[[Batch, ShardHeader], Batch]:
    def change(b: Batch, h: ShardHeader) -> Batch:
        values = getattr(b, name).copy()
        values[7] = values[3]
        return replace(b, **{name: values})

    return change


# split, kind (or number in mix), what is altered, what the check says
BROKEN: dict[str, tuple[str, str, Callable[[Batch, ShardHeader], Batch], str]] = {
    "skin in an age batch": ("test", "age", in_albedo("skin"), r"albedo \(skin\) differs .*; only age may"),
    "hair colour in a skin batch": ("test", "skin", in_albedo("hair"), r"albedo \(hair\) differs .*; only skin may"),
    "skin in a hair batch": ("test", "hair", in_albedo("skin"), r"albedo \(skin\) differs .*; only hair may"),
    "volume in a shape batch": ("test", "shape", in_attributes("hair_volume"), r"attributes \(hair\) differs"),
    "sex in an age batch": ("test", "age", in_factors("sex"), "sex differs between its images; only age may"),
    "age in a sex batch": ("test", "sex", in_attributes("age"), r"identity attributes \(age\) differs"),
    "own shape in a sex batch": ("test", "sex", own_shape, r"own_shape \(shape\) differs between its images; only sex"),
    "shape in a skin batch": ("test", "skin", shape, r"shape \(shape,age,sex\) differs between its images; only skin"),
    "an age that is not the person's": ("test", "age", in_factors("age"), "age is not that of identity/attributes"),
    "pose in a hair batch": ("test", "hair", in_factors("azimuth"), "azimuth differs between its images; only hair"),
    "one person in two images of shape": ("test", "shape", twice("identity_index"), "the same identity index"),
    "one own shape twice": ("test", "shape", twice("identity_own_shape"), "two of its images have the same shape"),
    "one skin twice": ("test", "skin", twice("identity_albedo"), "two of its images have the same skin"),
    "another person in an age batch": (
        "test", "age", lambda b, h: replace(b, identity_index=b.identity_index + (np.arange(20) == 7)),
        "identity index differs between its images; only age may",
    ),
    "skin that is not its giver's": ("mix", "identity", in_albedo("skin"), "skin is not that of its source"),
    "an age that is not its giver's": ("mix", "identity", in_attributes("age"), "age is not that of its source"),
    "a source that is mixed": (
        "mix", "identity", lambda b, h: replace(b, identity_source=np.where(np.eye(20, 5, 0, np.uint8) > 0, 17,
                                                                            b.identity_source).astype(np.uint8)),
        "from an image that is itself mixed",
    ),
    "a source outside": (
        "mix", "identity", lambda b, h: replace(b, identity_source=b.identity_source + np.uint8(30)),
        "has a source outside its images 0 to 19",
    ),
    "two images of the same sources": ("mix", "identity", twice("identity_source"), "of the same sources"),
    "no sources": ("mix", "identity", lambda b, h: replace(b, identity_source=None), "lacks identity/source"),
    "sources elsewhere": (
        "test", "age", lambda b, h: replace(b, identity_source=np.zeros((20, 5), np.uint8)),
        "has sources, which only batches of mix have",
    ),
    "another pose of one in mix": ("mix", "identity", in_factors("elevation"), "elevation differs"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_promise_of_people_is_found(people_faces: Path, tmp_path: Path, case: str) -> None:
    split, kind, change, said = BROKEN[case]
    with Shard(people_faces / split / "shard-00000.h5") as shard:
        header = shard.header
        batch = next(each for each in shard.batches() if each.varies == kind)
    altered = replace(change(batch, header), number=0)
    write_shard(tmp_path / "altered.h5", header, [altered], 1)
    found = "\n".join(finding.what for finding in check_shard(tmp_path / "altered.h5"))

    assert re.search(said, found), found
    write_shard(tmp_path / "sound.h5", header, [replace(batch, number=0)], 1)
    assert check_shard(tmp_path / "sound.h5") == []


def test_a_shape_that_does_not_follow_from_sex_and_age_is_found(people_faces: Path, tmp_path: Path) -> None:
    folder = tmp_path / "faces"
    (folder / "test").mkdir(parents=True)
    (folder / "model.npz").symlink_to(people_faces / "model.npz")
    with Shard(people_faces / "test/shard-00000.h5") as shard:
        header, batch = shard.header, shard.batch(3)
    write_shard(folder / "test/shard-00000.h5", header, [replace(shape(batch, header), number=0)], 1)
    task = pixel_task(folder / "test/shard-00000.h5")
    assert task is not None
    (finding,) = check_shard_pixels(task)
    assert finding.what == "has in image 7 a shape that is not its own shape at its sex and age"


@pytest.mark.usefixtures("drawn_here")
def test_a_loaded_model_varies_shape_and_skin_alone(model: MorphableModel, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    colours = LinearAlbedo(np.full((model.vertices, 3), 0.5, np.float32),
                           rng.normal(0, 0.05, (model.vertices, 3, 2)).astype(np.float32))  # fmt: skip
    foreign = replace(
        model, population=None, hair=None, texture=None, levels=(), size_mode=None, albedo=colours, name="a scan"
    )
    configuration, _ = RenderConfiguration.from_options(batches=6, size=32, vary=("skin", "shape"))
    splits = replace(configuration.splits, test=6, iid=1, sweep_levels=(1, 1, 1), mix=1)
    folder = tmp_path / "faces"
    done = render_dataset(
        folder, replace(configuration, splits=splits), lambda: foreign, worker_count=1, progress=lambda made, of: None
    )
    assert done.manifest.parts == ("shape", "skin")
    assert check_dataset(FaceDataset(folder), also=header_check(folder)) == []


def test_configuration_and_dataset_json_of_plain_data_sets_know_nothing_of_traits(small_faces: Path) -> None:
    for name in ("dataset.json", "configuration.json"):
        held = json.loads((small_faces / name).read_text())
        assert not {"parts", "mix", "age", "sex", "vary"} & {
            *held,
            *held["configuration"],
            *held["configuration"]["splits"],
        }


def test_a_batch_of_people_who_share_a_shape_is_the_one_that_is_drawn_alone(
    people_faces: Path, model: MorphableModel
) -> None:
    with Shard(people_faces / "test/shard-00000.h5") as shard:
        configuration, batch = RenderConfiguration.from_dict(shard.header.configuration), shard.batch(6)
    assert batch.identity_shape is not None
    with BatchRenderer(model, configuration) as renderer:
        faces = renderer.faces(batch.identity_shape[4:5], batch.identity_albedo[4:5], batch.identity_attributes[4:5])
        alone = renderer.draw(faces, batch.factors[4:5]).images[0]
    assert np.abs(alone.astype(int) - batch.images[4]).max() <= 2


@pytest.mark.parametrize("to", ["png", "npz", "3dshapes", "webdataset"])
def test_exports_of_mix_say_who_gives_what(people_faces: Path, tmp_path: Path, to: str) -> None:
    out = tmp_path / "out"
    assert export_dataset(people_faces, out, to, ["mix"], progress=lambda done, total: None) == 40
    with Shard(people_faces / "mix/shard-00000.h5") as shard:
        wanted = shard.trait("age"), shard.identity_source
    assert wanted[1] is not None
    source = wanted[1].reshape(-1, 5)
    if to == "png":
        rows = list(csv.DictReader((out / "mix/labels.csv").read_text().splitlines()))
        found = np.array([[int(row[f"source_{name}"]) for name in TRAITS] for row in rows])
        np.testing.assert_array_equal(np.array([row["age_year"] for row in rows], np.float32), wanted[0].ravel())
    elif to == "npz":
        found = np.load(out / "mix.npz")["identity_source"]
    elif to == "3dshapes":
        with h5py.File(out / "mix.h5") as file:
            found = file["identity_source"][()]
    else:
        with tarfile.open(out / "mix-000000.tar") as tar:
            labels = [json.load(tar.extractfile(name)) for name in tar.getnames() if name.endswith(".json")]  # type: ignore[arg-type]  # these are files
        found = np.array([[each["sources"][name] for name in TRAITS] for each in labels])
    np.testing.assert_array_equal(found, source)
    about = json.loads((out / "about.json").read_text())
    assert (about["parts"], about["sources"]) == ([*PERSON_PARTS], {"mix": [*TRAITS]})


def test_an_export_without_mix_has_no_sources(people_faces: Path, tmp_path: Path) -> None:
    export_dataset(people_faces, tmp_path / "out", "png", ["iid"], progress=lambda done, total: None)
    assert "source_age" not in (tmp_path / "out/iid/labels.csv").read_text()
