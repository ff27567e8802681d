"""Recipes: each one's law, its switches, and the sentences for what no recipe can be."""

import dataclasses
import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from dcign.errors import TrainingError
from dcign.network.halves import PAPER_WIDTHS
from dcign.network.layout import ACTIVATIONS
from dcign.recipes import fields
from dcign.recipes.fields import read_settings, settable
from dcign.recipes.registry import (
    ADA_GVAE,
    BETA_VAE,
    PAPER,
    RECIPES,
    RELEASED,
    SWAP,
    SWAP_1,
    VAE,
    WILD,
    Recipe,
    changed,
    recipe_named,
    recipe_of_run,
    setting_text,
)
from dcign.train.clamp import ACTIVE, CLAMPS, REFERENCES, active_latents
from dcign.train.loss import PRIORS, PULLED, divergence, invariance_weight, terms
from dcign.train.optimiser import OPTIMIZERS
from tests.support.fields import choices
from tests.support.layouts import layout_of

FACTORS, LATENTS, PIXELS = 3, 7, 4
BLOCKS = torch.arange(LATENTS).clamp(max=FACTORS)


def drawn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


class Bare(nn.Module):
    """In place of a network: codes that are leaves, a linear decoder, and a note of what it was given."""

    def __init__(self, groups, images, seed=0):
        super().__init__()
        self.mu = (2 * drawn(groups * images, LATENTS, seed=seed)).requires_grad_()
        self.logvar = drawn(groups * images, LATENTS, seed=seed + 1).requires_grad_()
        self.decoder = drawn(LATENTS, PIXELS, seed=seed + 2)
        self.code = None

    def encode(self, images):
        return self.mu, self.logvar

    def logits(self, code):
        code.retain_grad()
        self.code = code
        return (code @ self.decoder).view(-1, 1, 2, 2)


def step(recipe, images=5, weight=0.0, groups=FACTORS + 1):
    """One loss and its backward pass on one group of each kind: the bare network, the terms, the active latents."""
    recipe = dataclasses.replace(recipe, latents=LATENTS)
    model = Bare(groups, images)
    active = active_latents(recipe, layout_of(recipe))[:groups, None]
    noise = drawn(groups, images, LATENTS, seed=9)
    donors = torch.zeros(groups, images, FACTORS + 1, dtype=torch.long)
    pictures = torch.sigmoid(drawn(groups, images, 1, 2, 2, seed=8))
    values = terms(model, recipe, pictures, active, BLOCKS, noise, donors, weight)
    values[0].backward()
    return model, values.detach(), active, noise


def grouped(values):
    return values.detach().view(FACTORS + 1, -1, LATENTS).numpy()


def test_released_no_gradient_reaches_a_clamped_latent_not_even_the_first_images():
    model, _, active, _ = step(RELEASED)
    for gradient in (model.mu.grad, model.logvar.grad):
        found = gradient.view(FACTORS + 1, -1, LATENTS)
        clamped = ~active.expand_as(found)
        assert bool((found[clamped] == 0).all())
        assert bool((found[~clamped] != 0).all())


def test_released_clamped_latents_have_the_first_images_posterior_and_noise_of_their_own():
    model, _, active, noise = step(RELEASED)
    mu, logvar = grouped(model.mu), grouped(model.logvar)
    for kind in range(FACTORS + 1):
        for image in range(5):
            for latent in range(LATENTS):
                giver = image if active[kind, 0, latent] else 0
                own = float(noise[kind, image, latent])
                wanted = mu[kind, giver, latent] + own * np.exp(logvar[kind, giver, latent] / 2)
                assert grouped(model.code)[kind, image, latent] == pytest.approx(wanted, rel=1e-12)


def test_released_the_divergence_counts_the_active_latents_alone():
    model, values, active, _ = step(RELEASED)
    each = grouped(divergence(model.mu, model.logvar))
    assert float(values[2]) == pytest.approx((each * active.numpy()).sum(axis=-1).mean(), rel=1e-12)


def test_released_the_gradient_of_an_active_latent_is_the_decoders_and_the_priors():
    model, _, active, noise = step(RELEASED)
    free = active.expand(FACTORS + 1, 5, LATENTS).numpy()
    images = free.shape[0] * free.shape[1]
    decoders, mu, logvar = grouped(model.code.grad), grouped(model.mu), grouped(model.logvar)
    wanted_mu = np.where(free, decoders + mu / images, 0)
    spread = noise.numpy() * np.exp(logvar / 2) / 2
    wanted_logvar = np.where(free, decoders * spread + (np.exp(logvar) - 1) / 2 / images, 0)
    np.testing.assert_allclose(grouped(model.mu.grad), wanted_mu, rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(grouped(model.logvar.grad), wanted_logvar, rtol=1e-9, atol=1e-15)


def test_released_the_pull_if_turned_on_pulls_clamped_latents_together():
    """The released code ascends, and adds (v - mean): it pushes them apart. Ours descends on the same."""
    pulled = dataclasses.replace(RELEASED, invariance_start=0.02, invariance_end=0.02)
    model, _, active, _ = step(pulled, weight=0.02)
    images = (FACTORS + 1) * 5
    for values, gradient in ((model.mu, model.mu.grad), (model.logvar, model.logvar.grad)):
        away = grouped(values) - grouped(values).mean(axis=1, keepdims=True)
        clamped = ~active.expand(FACTORS + 1, 5, LATENTS).numpy()
        np.testing.assert_allclose(grouped(gradient)[clamped], 0.02 * away[clamped] / images, rtol=1e-9)


def test_ada_gvae_is_its_slow_twin():
    model, values, _, noise = step(ADA_GVAE, images=2)
    mu, logvar, noise = grouped(model.mu), grouped(model.logvar), noise.numpy()
    priors, shared = [], 0
    for pair in range(FACTORS + 1):
        between = []
        for latent in range(LATENTS):
            (m, m_), (v, v_) = mu[pair, :, latent], np.exp(logvar[pair, :, latent])
            between.append(0.5 * (np.log(v_ / v) + (v + (m - m_) ** 2) / v_ - 1))
        threshold = (min(between) + max(between)) / 2
        for image in range(2):
            prior = 0.0
            for latent in range(LATENTS):
                m, v = mu[pair, image, latent], np.exp(logvar[pair, image, latent])
                if between[latent] < threshold:
                    shared += 1
                    m, v = mu[pair, :, latent].mean(), np.exp(logvar[pair, :, latent]).mean()
                prior += 0.5 * (m**2 + v - 1 - np.log(v))
                wanted = m + noise[pair, image, latent] * np.sqrt(v)
                assert grouped(model.code)[pair, image, latent] == pytest.approx(wanted, rel=1e-9)
            priors.append(prior)
    assert 0 < shared < 2 * (FACTORS + 1) * LATENTS
    assert float(values[2]) == pytest.approx(np.mean(priors), rel=1e-9)


def test_ada_gvae_an_average_gives_each_image_of_the_pair_half_the_gradient():
    model, _, _, _ = step(dataclasses.replace(ADA_GVAE, beta=0.0), images=2)
    decoders, found = grouped(model.code.grad), grouped(model.mu.grad)
    shared = np.isclose(found, decoders.mean(axis=1, keepdims=True), rtol=1e-9)
    own = np.isclose(found, decoders, rtol=1e-9)
    assert bool((shared ^ own).all())
    assert shared.any()
    assert own.any()


def test_beta_vae_is_a_vae_with_four_times_the_divergence():
    assert dataclasses.replace(VAE, name="beta-vae", summary=BETA_VAE.summary, beta=4.0) == BETA_VAE
    plain, beta = step(VAE)[1], step(BETA_VAE)[1]
    assert float(beta[0] - plain[0]) == pytest.approx(3 * float(plain[2]))


@pytest.mark.parametrize("reference_gradient", [True, False])
@pytest.mark.parametrize("reference", ["donor", "mean", "first"])
@pytest.mark.parametrize("clamp_of", choices(Recipe)["clamp_of"])
def test_a_detached_reference_leaves_clamped_latents_without_the_decoders_gradient(
    reference, clamp_of, reference_gradient
):
    settings = {"reference": reference, "clamp_of": clamp_of, "reference_gradient": reference_gradient, "beta": 0.0}
    model, _, active, _ = step(changed(SWAP, settings))
    found = model.mu.grad.view(FACTORS + 1, -1, LATENTS)
    assert bool((found[~active.expand_as(found)] == 0).all()) is not reference_gradient


def test_while_pre_training_nothing_is_clamped_and_the_pull_begins_after_it():
    pulled = dataclasses.replace(SWAP, invariance_start=1.0, invariance_end=100.0)
    recipe = dataclasses.replace(pulled, pretrain_steps=100)
    assert invariance_weight(recipe, 0, 300) == invariance_weight(recipe, 100, 300) == 1.0
    assert invariance_weight(recipe, 200, 300) == pytest.approx(10.0)
    assert invariance_weight(pulled, 150, 300) == pytest.approx(10.0)


def test_every_choice_is_a_function_and_every_function_a_choice():
    tables = {
        "active_by": ACTIVE,
        "reference": REFERENCES,
        "clamp_of": CLAMPS,
        "divergence_of": PRIORS,
        "invariance_of": PULLED,
        "optimizer": OPTIMIZERS,
        "activation": ACTIVATIONS,
        "network": ("patch", "strided", *PAPER_WIDTHS),
    }
    assert choices(Recipe).keys() == tables.keys() | {"likelihood", "target"}
    for name, table in tables.items():
        assert tuple(table) == choices(Recipe)[name], name


def test_every_field_can_be_set_or_has_an_option_of_its_own():
    names = {field.name for field in dataclasses.fields(SWAP)}
    assert names == settable(SWAP).keys() | set(fields.NOT_SETTABLE)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=lambda recipe: recipe.name)
def test_every_field_is_read_back_from_the_word_that_says_it(recipe):
    words = [f"{name}={setting_text(getattr(recipe, name))}" for name in settable(recipe)]
    assert changed(recipe, read_settings(words, recipe)) == recipe


def test_every_setting_that_the_documents_name_is_one():
    text = (Path(fields.__file__).parents[2] / "docs" / "training.md").read_text()
    words = re.findall(r"--set ([a-z_]+=[\w.:-]+)", text)
    assert len(words) > 20
    for word in words:
        assert read_settings([word], SWAP)


def test_what_was_changed_is_in_the_name_in_one_order():
    words = ["reference=mean", "mirror=false", "beta=2", f"latents={SWAP.latents}"]
    recipe = changed(SWAP, read_settings(words, SWAP))
    assert recipe.name == "swap,mirror=false,reference=mean,beta=2"
    assert (recipe.mirror, recipe.reference, recipe.beta, recipe.latents) == (False, "mean", 2.0, SWAP.latents)
    assert changed(SWAP, read_settings(reversed(words), SWAP)) == recipe


@pytest.mark.parametrize(
    ("word", "sentence"),
    [
        (
            "mirrors=false",
            r"expected a field of the recipe, found 'mirrors': did you mean mirror \(true\|false\)\?$",
        ),
        ("mirror", r"expected FIELD=VALUE, found 'mirror': did you mean mirror \(true\|false\)\?$"),
        ("foo=3", r"expected a field of the recipe, found 'foo': set one of network, .*mirror, .*\.$"),
        ("mirror=no", r"expected mirror to be true\|false, found 'no': change mirror\."),
        ("groups=2.5", r"expected groups to be a whole number from 1 to 1024, found '2.5'"),
        ("groups=0", r"expected groups to be a whole number from 1 to 1024, found '0'"),
        ("sigma=nan", r"expected sigma to be a number from 0.001 to 1000, found 'nan'"),
        ("reference=median", r"expected reference to be donor\|mean\|first\|none, found 'median'"),
        ("invariance_start=0", r"expected .* both above 0 or both 0, found 0 and 50000: "),
        ("decoder_widths=128:65", r"expected even numbers in decoder_widths, .*, found 65: change it, or"),
        ("encoder_hidden=255", r"expected even numbers in encoder_hidden, .*, found 255: "),
        ("images=20", None),
        ("steps=20", r"expected a field of the recipe, found 'steps': "),
    ],
)
def test_a_setting_that_cannot_be_is_refused_in_a_sentence(word, sentence):
    if sentence is None:
        assert changed(SWAP, read_settings([word], SWAP)).images == 20
        return
    with pytest.raises(TrainingError, match=sentence):
        changed(SWAP, read_settings([word], SWAP))


@pytest.mark.parametrize(
    "with_sigma",
    [
        lambda value: changed(SWAP, read_settings([f"sigma={value}"], SWAP)),
        lambda value: dataclasses.replace(SWAP, sigma=value),
        lambda value: recipe_of_run(dataclasses.asdict(SWAP) | {"sigma": value}, 64 * 64),
    ],
    ids=["--set", "Python", "JSON"],
)
def test_one_declaration_validates_a_field_wherever_its_value_comes_from(with_sigma):
    assert type(with_sigma(1).sigma) is float
    for value in (0, 1001, float("nan"), "wide"):
        with pytest.raises(TrainingError, match=r"expected sigma to be a number from 0\.001 to 1000, found"):
            with_sigma(value)


def test_a_divergence_is_of_pairs():
    with pytest.raises(TrainingError, match="compares pairs, found images=20: set images=2"):
        changed(ADA_GVAE, {"images": 20})


def test_an_unknown_recipe_is_refused_with_the_known_ones():
    known = "swap, swap-1, wild, paper, released, vae, beta-vae, ada-gvae"
    with pytest.raises(TrainingError, match=f"expected the name of a recipe, found 'magic': choose one of {known}"):
        recipe_named("magic")


@pytest.mark.parametrize("numbers", [64 * 64, 150 * 150])
@pytest.mark.parametrize("recipe", [SWAP_1, PAPER, changed(SWAP_1, {"beta": 2.0})], ids=lambda recipe: recipe.name)
def test_an_older_record_of_a_recipe_means_what_it_meant(recipe, numbers):
    added = ("active_by", "reference_gradient", "clamp_of", "pretrain_steps", "divergence_of", "momentum")
    values = json.loads(json.dumps(dataclasses.asdict(recipe)))
    older = {name: value for name, value in values.items() if name not in (*added, "square_decay", "epsilon")}
    del older["pixels"]  # all numbers of an image counted: in gray at 64 px that is what counts today
    counted = recipe.pixels if numbers == 64 * 64 else 0
    assert recipe_of_run(older, numbers) == dataclasses.replace(recipe, pixels=counted)
    assert recipe_of_run(values, numbers) == recipe


def test_a_record_without_a_field_that_every_version_wrote_is_refused():
    values = dataclasses.asdict(SWAP)
    del values["sigma"]
    with pytest.raises(ValueError, match="expected every field of a recipe, found no sigma"):
        recipe_of_run(values, 64 * 64)


def test_a_span_whose_ends_are_the_wrong_way_round_is_refused():
    with pytest.raises(TrainingError, match=r"expected zoom from a smaller to a larger factor, found 1\.8:0\.8: turn"):
        changed(SWAP, read_settings(["zoom=1.8:0.8"], SWAP))
    with pytest.raises(TrainingError, match=r"expected gamma to be a smallest and a largest factor such as 0\.8:1\.8"):
        read_settings(["gamma=1.2"], SWAP)


def test_only_a_recipe_that_changes_pictures_draws_other_pictures_than_it_sees():
    assert not SWAP.augmented
    assert WILD.augmented
    assert WILD.draws_clean
    assert not changed(WILD, {"target": "same"}).draws_clean
    assert changed(SWAP, {"gamma": (0.9, 1.1)}).augmented
    assert not changed(SWAP, {"size": 32}).augmented
