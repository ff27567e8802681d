"""The data set card: what a stranger who finds the folder needs to know. The text stands in templates/card.md."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from dcign.data.dataset.manifest import Manifest
from dcign.data.schema import BATCH_SIZE, MASK, MORE_FACTORS, Factor
from dcign.render.plan.batches import sweep_defaults
from dcign.render.plan.configuration import RenderConfiguration


def data_set_card(manifest: Manifest) -> str:
    """Return README.md of a data set folder, in the front-matter form that data hubs read."""
    configuration = RenderConfiguration.from_dict(manifest.configuration)

    def range_of(factor: Factor) -> str:
        allowed = getattr(configuration, factor.name)
        return f"{allowed.low:g} to {allowed.high:g}"

    loader = PackageLoader("dcign.render.produce")
    templates = Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True)
    templates.filters.update(range=range_of, words=lambda name: name.replace("_", " "))
    pictures = configuration.background.pictures if configuration.background else None
    sampled = [
        f"{factor.name} {range_of(factor)} {factor.plural}".rstrip()
        for factor in MORE_FACTORS
        if factor.name in configuration.nuisances
    ]
    if configuration.background and configuration.background.random:
        sampled.append("a random background")
    if pictures:
        sampled.append(f"one of {pictures} backgrounds")
    return templates.get_template("card.md").render(
        batch_size=BATCH_SIZE,
        batches=configuration.splits.batches(),
        colour="gray" if configuration.channels == 1 else "colour",
        configuration_sha256=manifest.configuration_sha256,
        factors=configuration.factors,
        hair=configuration.hair,
        keep_head_size=configuration.keep_head_size,
        model=manifest.model,
        pictures=pictures,
        renderer=manifest.renderer.get("name", "unknown"),
        rest=sweep_defaults(configuration),
        sampled=sampled,
        seed=manifest.seed,
        kinds=configuration.kinds[:-1],
        own=[factor.name for factor in configuration.factors if factor.of_identity],
        traits=configuration.traits,
        size=configuration.size,
        truth=", ".join(f"`truth/{name}`" for name in dict.fromkeys((MASK, *configuration.truth))),
    )
