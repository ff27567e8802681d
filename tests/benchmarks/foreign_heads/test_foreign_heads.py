"""Heads of any mesh are put where ours are, drawn with known labels, and read by the shipped network."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from benchmarks.errors import BenchmarkError
from benchmarks.foreign_heads import pictures, run
from benchmarks.foreign_heads.heads import Head, head_measures, read_heads
from benchmarks.foreign_heads.makehuman import EYES, PEOPLE, makehuman_model
from benchmarks.foreign_heads.making import make_heads
from benchmarks.foreign_heads.pictures import SIZE, Drawing, draw_pictures
from benchmarks.render.stock_pyrender import StockScene, stock_renderer
from dcign.errors import ModelError
from dcign.facegen.files.mesh_file import export_face
from dcign.facegen.model.changes import Changes
from dcign.facegen.model.morphable import MorphableModel
from dcign.photographs.labels import read_photographs
from dcign.photographs.measurement import measure_photographs
from dcign.render.draw.scene import DEFAULT_SCENE
from dcign.render.produce.batch_renderer import head_frame
from dcign.render.produce.person_file import drawn_people
from dcign.trained.trained_run import TrainedRun

FACTORS = pictures.FACTORS
PLAIN = Drawing(2, framing=0.0, backgrounds=0.0)


def only(**values: float) -> dict[str, tuple[float, float]]:
    """Return ranges of one value each, 0 by default."""
    return {name: (values.get(name, 0.0), values.get(name, 0.0)) for name in FACTORS}


@pytest.fixture(scope="module")
def bald(model: MorphableModel) -> MorphableModel:
    return model.without_hair().at_level(2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, bald: MorphableModel) -> Path:
    """Two people of ours, as the meshes of anybody."""
    out = tmp_path_factory.mktemp("heads")
    for number, person in enumerate(drawn_people(bald, 3, 2, Changes(), hair=False)):
        export_face(out / f"{number}.glb", bald, person)
    return out


@pytest.fixture(scope="module")
def heads(folder: Path, bald: MorphableModel) -> list[Head]:
    return read_heads(folder, bald.mean)


def drawn(out: Path, heads: list[Head], model: MorphableModel, drawing: Drawing, **values: float) -> list[np.ndarray]:
    draw_pictures(out, heads, head_frame(model), only(**values), drawing)
    return [np.asarray(Image.open(path)).astype(int) for path in sorted(out.glob("*.png"))]


def test_a_mesh_of_any_size_place_and_axis_is_put_where_our_mean_head_is(folder, bald, tmp_path):
    for number in range(2):
        mesh = trimesh.load(folder / f"{number}.glb", force="mesh", process=False)
        mesh.apply_scale(7.0)
        mesh.apply_transform(trimesh.transformations.rotation_matrix(np.pi / 2, (1, 0, 0)))  # +z up, facing -y
        mesh.apply_translation((5.0, -3.0, 9.0))
        mesh.export(tmp_path / f"{number}.ply")
    size, place = head_measures(bald.mean)
    for first, second in zip(read_heads(folder, bald.mean), read_heads(tmp_path, bald.mean, up="z"), strict=True):
        for head in (first, second):
            found = head_measures(head.positions)
            assert found[0] == pytest.approx(size, rel=0.01)
            np.testing.assert_allclose(found[1], place, atol=0.5)
        assert first.positions.min(0) == pytest.approx(second.positions.min(0), abs=0.5)


def test_shoulders_do_not_change_the_size_of_a_head(bald):
    shoulders = np.array([[-250.0, -160, 0], [250, -160, 0], [0, -170, 150]])
    size, place = head_measures(np.concatenate([bald.mean, shoulders]))
    wanted, wanted_place = head_measures(bald.mean)
    assert size == pytest.approx(wanted)
    np.testing.assert_allclose(place, wanted_place)


def test_a_mesh_that_is_no_head_is_named(tmp_path, bald):
    flat = trimesh.Trimesh([[0, 0, 0], [0, 1, 0], [0, 1, 1]], [[0, 1, 2]], process=False)
    flat.export(tmp_path / "flat.ply")
    with pytest.raises(BenchmarkError, match=r"expected a head, .y up and facing .z, found another mesh in flat.ply"):
        read_heads(tmp_path, bald.mean)


def test_an_empty_folder_is_refused(tmp_path, bald):
    with pytest.raises(ModelError, match="found 0 meshes in"):
        read_heads(tmp_path, bald.mean)


def test_without_framing_the_picture_is_that_of_the_default_camera(tmp_path, heads, bald):
    values = np.array([30.0, 10.0, -40.0], np.float32)
    (found, _) = drawn(tmp_path, heads, bald, PLAIN, **dict(zip(FACTORS, values, strict=True)))
    head = heads[0]
    scene = StockScene(head.positions, head.normals, head.albedo, head.triangles, head_frame(bald), DEFAULT_SCENE)
    with stock_renderer(SIZE) as renderer:
        wanted = scene.colour(renderer, values)[..., :3].astype(int)
    assert np.abs(found - wanted).mean() < 2.0
    assert np.abs(found[:, ::-1] - wanted).mean() > 5.0


def test_the_labels_are_what_was_drawn(tmp_path, bald):
    mean, normals = bald.mean, trimesh.Trimesh(bald.mean, bald.triangles, process=False).vertex_normals
    symmetric = [Head("mean", mean, normals.astype(np.float32), np.full_like(mean, 0.5), bald.triangles)]
    left = drawn(tmp_path / "left", symmetric, bald, PLAIN, azimuth=40, elevation=10, light_azimuth=-60)[0]
    right = drawn(tmp_path / "right", symmetric, bald, PLAIN, azimuth=-40, elevation=10, light_azimuth=60)[0]
    assert np.abs(left - right[:, ::-1]).mean() < 1.5 < np.abs(left - right).mean()
    rows = (tmp_path / "left" / "labels.csv").read_text().split()
    assert rows == ["file,azimuth,elevation,light_azimuth", *(f"0000{i}.png,40.000,10.000,-60.000" for i in (0, 1))]


def test_framing_moves_and_scales_the_head_within_its_limits_and_backgrounds_fill_the_rest(tmp_path, heads, bald):
    plain = drawn(tmp_path / "plain", heads[:1], bald, PLAIN)[0].max(axis=2) > 8
    framed = drawn(tmp_path / "framed", heads[:1], bald, Drawing(12, framing=0.1, backgrounds=0.0))
    areas = np.array([(each.max(axis=2) > 8).sum() for each in framed]) / plain.sum()
    # The neck reaches beyond the picture, and a shift cuts or shows more of it.
    assert 0.75 < areas.min() < 0.9 < 1.1 < areas.max() < 1.28
    behind = drawn(tmp_path / "behind", heads[:1], bald, Drawing(12, framing=0.1, backgrounds=1.0))
    assert min(each[:8, :8].max() for each in behind) > 8
    assert len({each[:8, :8].tobytes() for each in behind}) == 12
    assert max(each[:8, :8].max() for each in framed) <= 8


def test_the_command_measures_what_evaluate_measures_on_its_pictures(folder, tmp_path, monkeypatch, capsys):
    out = tmp_path / "out"
    words = ["face", str(folder), "--pictures", "10", "--backgrounds", "0", "--framing", "0", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["foreign_heads", *words])
    run.main()
    assert "any framing" in capsys.readouterr().out
    report = json.loads((out / "photos.json").read_text())
    assert report["heads"] == ["0.glb", "1.glb"]
    assert report["framings"]["as given"]["factors"]["azimuth"]["r2"] > 0.9
    trained = TrainedRun.open("face")
    again = measure_photographs(trained, read_photographs(out, out / "labels.csv", trained.description.factors))
    assert again.report == {name: value for name, value in report.items() if name != "heads"}
    monkeypatch.setattr(run, "measure_heads", lambda *given: report)
    monkeypatch.setattr(sys, "argv", ["foreign_heads", *words, "--json"])
    run.main()
    assert json.loads(capsys.readouterr().out) == report


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["face"], "expected RUN and HEADS, or --make HEADS, found less"),
        (["face", "heads", "--framing", "2"], "expected --framing from 0 to 0.3, found 2"),
        (["--make", "heads"], "expected --ict or --makehuman with --make, found neither"),
        (
            ["--make", "heads", "--makehuman", "nothing"],
            "expected MakeHuman's 3dobjs/base.obj in nothing, found no such",
        ),
    ],
)
def test_wrong_options_are_refused_in_one_sentence(words, sentence, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["foreign_heads", *words])
    with pytest.raises(SystemExit, match=sentence):
        run.main()


def write_makehuman(data: Path, bald: MorphableModel) -> None:
    """Write files in MakeHuman's layout, of our head: a body in decimetres that stands on the ground, in quads."""
    ball = trimesh.creation.icosphere(subdivisions=2, radius=12.0)
    cube = trimesh.creation.box((10.0, 10.0, 10.0))
    parts = {"body": (bald.mean, bald.triangles)}
    for side, name in EYES.items():
        across = 32.0 if side == "left" else -32.0
        parts[name] = (np.add(ball.vertices, (across, 5, 75)), ball.faces)
    parts["joint-neck"] = (np.add(cube.vertices, (0, -110, 0)), cube.faces)
    lines, first = [], 1
    for name, (points, faces) in parts.items():
        lines += [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in np.add(points, (0, 1600, 0)) / 100]
        lines += [f"g {name}", *("f " + " ".join(f"{corner + first}/1" for corner in face) for face in faces)]
        first += len(points)
    rng = np.random.default_rng(0)
    (data / "3dobjs").mkdir(parents=True)
    (data / "3dobjs/base.obj").write_text("\n".join(lines))
    (data / "targets/macrodetails").mkdir(parents=True)
    for name in PEOPLE:
        moved = bald.shape_basis[:, :, :6] @ rng.normal(size=6) / 100 + (0, rng.uniform(-1, 1), 0)
        rows = [f"{vertex} {x:.4f} {y:.4f} {z:.4f}" for vertex, (x, y, z) in enumerate(moved)]
        rows += [f"{vertex} 0 {moved[:, 1].mean():.4f} 0" for vertex in range(len(moved), first - 1)]
        (data / "targets/macrodetails" / name).write_text("# a target\n" + "\n".join(rows))


def test_makehuman_s_targets_become_people_with_eyes(tmp_path, bald):
    write_makehuman(tmp_path / "data", bald)
    found = makehuman_model(tmp_path)
    assert found.shape_basis.shape[2] == 6  # of as many modes its people are made
    assert {found.part_names[part] for part in np.unique(found.parts)} == {"skin", "sclera", "iris"}
    assert found.mean[found.landmarks["pupil_left"], 0] == pytest.approx(32, abs=2)
    assert found.mean[:, 1].max() - found.mean[:, 1].min() < 290  # the body below the neck is left out
    made = make_heads(tmp_path / "heads", 2, 5, makehuman=tmp_path / "data")
    assert [path.name for path in made] == ["makehuman-005.glb", "makehuman-006.glb"]
    first, second = (trimesh.load(path, force="mesh", process=False) for path in made)
    assert np.abs(first.vertices - second.vertices).max() > 1e-3  # metres


def test_a_target_that_is_missing_or_damaged_is_refused(tmp_path, bald):
    write_makehuman(tmp_path, bald)
    target = tmp_path / "targets/macrodetails" / PEOPLE[3]
    target.write_text("1 2 three 4\n")
    with pytest.raises(BenchmarkError, match=r"expected MakeHuman's meshes in .*, found damaged ones"):
        makehuman_model(tmp_path)
    target.unlink()
    with pytest.raises(BenchmarkError, match=f"expected a readable file, found .*{PEOPLE[3]}"):
        makehuman_model(tmp_path)
