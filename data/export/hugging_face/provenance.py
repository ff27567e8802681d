"""Where a data set comes from and what it is for: the words that the card and croissant.json share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dcign.data.dataset.manifest import Manifest

PAPER = (
    "Kulkarni, Whitney, Kohli and Tenenbaum: Deep Convolutional Inverse Graphics Network. NeurIPS 2015. "
    "arXiv:1503.03167 (the method that the data set is made for)"
)
TAGS = ("disentanglement", "inverse-graphics", "dcign")
NOT_FOR = "Not for judging, identifying or classifying real people."
# Our own face model; a face model of others; users' meshes; data that dcign did not render.
FACES, FOREIGN, MESHES, IMPORTED = "faces", "foreign", "meshes", "imported"

PERSONAL = {
    FACES: "None. No real person is shown: every face is a random draw from a model made from code and from published "
    "statistics of head measurements. Sex and age are inputs of that model.",
    MESHES: "None is added. The pictures show the meshes that were given; whoever made the meshes knows their origin.",
    FOREIGN: "The faces are made from a model of others. Ask its makers whose faces they follow.",
    IMPORTED: "Pictures and labels are those of the source. Ask its makers whether they show real people.",
}
BIASES = {
    FACES: "The faces follow published means and deviations of head measurements and skin tones, but they are no "
    "sample of any population. Sex is one number from women to men. Faces have a closed mouth and no expression. "
    "Poses and lights are uniform over their ranges, which photographs are not.",
    MESHES: "The objects are those that were given, each about as often as the others. Poses and lights are uniform "
    "over their ranges, which photographs are not.",
    FOREIGN: "Those of the face model. Poses and lights are uniform over their ranges, which photographs are not.",
    IMPORTED: "Those of the source.",
}


@dataclass(frozen=True)
class Provenance:
    """Words about one data set.

    name: an identifier; title, description: for readers; licence: of the model or the source; responsible_ai: field of
    Croissant's Responsible-AI extension -> text.
    """

    name: str
    title: str
    description: str
    licence: str
    tags: tuple[str, ...]
    citation: str
    responsible_ai: dict[str, Any]  # text, or a list of texts


def provenance(manifest: Manifest, size: int, channels: int) -> Provenance:
    """Return the words about a data set of square pictures of `size` pixels."""
    model, kind = manifest.model, _kind(manifest)
    faces = kind in (FACES, FOREIGN)
    subjects = "pictures" if kind == IMPORTED else "synthetic faces" if faces else "rendered objects"
    factors = ", ".join(factor.name.replace("_", " ") for factor in manifest.factors)
    colour = "gray" if channels == 1 else "colour"
    return Provenance(
        name=f"dcign-{kind}-{size}px",
        title=f"{subjects.capitalize()} in single-factor batches",
        description=f"{size} x {size} pixels, {colour}. In each batch of train and test one factor ({factors}) or the "
        f"identity varies and all others are equal; or everything varies. Made by dcign from "
        f"{model.get('name', 'its source')}, seed {manifest.seed}.",
        licence=str(model.get("licence", "")) or "unknown",
        tags=(*_SUBJECT_TAGS[kind], *TAGS),
        citation=PAPER,
        responsible_ai=_responsible_ai(manifest, kind),
    )


_SUBJECT_TAGS = {
    FACES: ("faces", "synthetic"),
    FOREIGN: ("faces", "synthetic"),
    MESHES: ("objects", "synthetic"),
    IMPORTED: (),
}


def _kind(manifest: Manifest) -> str:
    if not manifest.renderer:
        return IMPORTED
    return MESHES if "meshes" in manifest.model else FOREIGN if manifest.foreign_model else FACES


def _responsible_ai(manifest: Manifest, kind: str) -> dict[str, Any]:  # texts
    rendered = kind != IMPORTED
    identity = f"configuration {manifest.configuration_sha256}, seed {manifest.seed}"
    renderer = manifest.renderer.get("name", "unknown")
    return {
        "dataCollection": f"Rendered by dcign with OpenGL ({renderer}); {identity}."
        if rendered
        else f"Taken from the source by dcign and arranged in batches; {identity}.",
        "dataCollectionType": ["Software Collection" if rendered else "Secondary Data Analysis"],
        "dataAnnotationProtocol": "Labels are inputs of the renderer, not annotations, so they are exact."
        if rendered
        else "Labels are those of the source.",
        "machineAnnotationTools": ["dcign"],
        "personalSensitiveInformation": [PERSONAL[kind]],
        "dataBiases": [BIASES[kind]],
        "dataUseCases": [f"Research on disentanglement and inverse graphics. {NOT_FOR}"],
        "dataLimitations": [
            "Pictures are rendered and are no photographs. A network that is trained on them alone reads photographs "
            "less well than renderings."
            if rendered
            else "Those of the source."
        ],
        "dataSocialImpact": "Labels of pose and light cost no recordings of people. Results on synthetic data do not "
        "show that a method treats real people alike."
        if rendered
        else "Ask the makers of the source.",
    }
