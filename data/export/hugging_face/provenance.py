"""Where a data set comes from and what it is for: the words that the card and croissant.json share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dcign.data.dataset.manifest import Manifest

MIT = "MIT"
PAPER = (
    "Kulkarni, Whitney, Kohli and Tenenbaum: Deep Convolutional Inverse Graphics Network. NeurIPS 2015. "
    "arXiv:1503.03167 (the method that the data set is made for)"
)
TAGS = ("synthetic", "disentanglement", "inverse-graphics", "dcign")
NOT_FOR = "Not for judging, identifying or classifying real people."
FACES, MESHES, OTHERS = "faces", "meshes", "others"  # our own face model, users' meshes, another source

PERSONAL = {
    FACES: "None. No real person is shown: every face is a random draw from a model made from code and from published "
    "statistics of head measurements. Sex and age are inputs of that model.",
    MESHES: "None is added. The pictures show the meshes that were given; whoever made the meshes knows their origin.",
    OTHERS: "The pictures are made from a model or from data of others. Ask its makers whether they show real people.",
}
BIASES = {
    FACES: "The faces follow published means and deviations of head measurements and skin tones, but they are no "
    "sample of any population. Sex is one number from women to men. Faces have a closed mouth and no expression. "
    "Poses and lights are uniform over their ranges, which photographs are not.",
    MESHES: "The objects are those that were given, each about as often as the others. Poses and lights are uniform "
    "over their ranges, which photographs are not.",
    OTHERS: "Those of the source. Poses and lights that were rendered are uniform over their ranges.",
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

    @property
    def is_mit(self) -> bool:
        """Whether the licence is MIT, which hubs know by name."""
        return self.licence == MIT


def provenance(manifest: Manifest, size: int, channels: int) -> Provenance:
    """Return the words about a data set of square pictures of `size` pixels."""
    model, kind = manifest.model, _kind(manifest.model)
    subjects = {FACES: "synthetic faces", MESHES: "rendered objects", OTHERS: "pictures"}[kind]
    factors = ", ".join(factor.name.replace("_", " ") for factor in manifest.factors)
    title = f"{subjects.capitalize()} in single-factor batches"
    colour = "gray" if channels == 1 else "colour"
    description = (
        f"{size} x {size} pixels, {colour}. In each batch of train and test one factor ({factors}) or the "
        f"identity varies and all others are equal. Made by dcign from {model.get('name', 'its source')}, seed "
        f"{manifest.seed}."
    )
    tags = ("faces", *TAGS) if kind == FACES else ("objects", *TAGS) if kind == MESHES else TAGS[1:]
    return Provenance(
        name=f"dcign-{kind if kind != OTHERS else 'pictures'}-{size}px",
        title=title,
        description=description,
        licence=str(model.get("licence", "")) or "unknown",
        tags=tags,
        citation=PAPER,
        responsible_ai=_responsible_ai(manifest, kind),
    )


def _kind(model: dict[str, Any]) -> str:  # JSON
    return MESHES if "meshes" in model else OTHERS if "source" in model else FACES


def _responsible_ai(manifest: Manifest, kind: str) -> dict[str, Any]:  # texts
    renderer = manifest.renderer.get("name", "unknown")
    return {
        "dataCollection": f"Rendered by dcign with OpenGL ({renderer}); configuration "
        f"{manifest.configuration_sha256}, seed {manifest.seed}. The same configuration and seed give the same data.",
        "dataCollectionType": ["Software Collection"],
        "dataAnnotationProtocol": "Labels are inputs of the renderer, not annotations, so they are exact.",
        "machineAnnotationTools": ["dcign"],
        "personalSensitiveInformation": [PERSONAL[kind]],
        "dataBiases": [BIASES[kind]],
        "dataUseCases": [f"Research on disentanglement and inverse graphics. {NOT_FOR}"],
        "dataLimitations": [
            "Pictures are rendered and are no photographs. A network that is trained on them alone reads photographs "
            "less well than renderings."
        ],
        "dataSocialImpact": "Labels of pose and light cost no recordings of people. Results on synthetic faces do not "
        "show that a method treats real people alike.",
    }
