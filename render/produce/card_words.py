"""What a data set card says of faces, and what of objects."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Words:
    """What differs between cards of different subjects. Each is a text; `{...}` are dataset.json's, of its model."""

    pretty_name: str
    tags: str
    title: str
    made_of: str
    others: str
    same: str
    model: str
    share: str
    closing: str


PROCEDURAL = Words(
    pretty_name="dcign single-factor faces",
    tags="faces, synthetic, disentanglement, inverse-graphics",
    title="Synthetic faces",
    made_of="from a morphable model. No person is\nshown: every face is a random draw from the model.",
    others="other people",
    same="the same 20 faces",
    model="Morphable model: {name} (SHA-256 {short_sha256}...), in model.npz. Licence: {licence}",
    share="",
    closing=(
        "The faces follow published means and deviations of head\n"
        "measurements and skin tones; they are not a sample of any population, and nothing learnt from them should be "
        "used to\njudge real people."
    ),
)
OF_A_MODEL = replace(
    PROCEDURAL,
    share="""- Read from {source}. SHA-256 {source_sha256}
- **Before you share this folder:** model.npz holds that model itself, converted, and the pictures are made of it. Its
  licence says who may have either. If it does not let you redistribute it, keep model.npz back.
""",
    closing=(
        "The faces follow the people of whom that model was made;\n"
        "they are not a sample of any population, and nothing learnt from them should be used to judge real people."
    ),
)
OBJECTS = Words(
    pretty_name="dcign single-factor objects",
    tags="synthetic, objects, disentanglement, inverse-graphics",
    title="Objects",
    made_of="from {name}, each in the same\nsphere. `identity/index` is the number of a mesh.",
    others="other objects",
    same="the same 20 objects",
    model=(
        "Meshes: {name} (SHA-256 {short_sha256}...), packed in model.npz, whose `names` are their files. "
        "Licence: {licence}"
    ),
    share="""- Read from the folder {source}. SHA-256 of its files {source_sha256}
- **Before you share this folder:** model.npz holds the meshes themselves, and the pictures are made of them. Whoever
  made them says who may have either.
""",
    closing="",
)


def words_for(model: dict[str, str]) -> Words:
    """By what dataset.json says of the model."""
    if "meshes" in model:
        return OBJECTS
    return OF_A_MODEL if model.get("source") else PROCEDURAL
