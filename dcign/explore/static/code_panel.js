// The code as bars and as numbers: which latents stand for what, and which pixels each block changes.

import { h, save, words } from "./dom.js";
import { meaningOf } from "./meanings.js";
import { drawHeat } from "./pictures.js";
import { ownerOf } from "./sweep_panel.js";

const SHOWN = 3; // standard deviations; bars are cut off beyond

export class CodePanel {
  constructor(state, choose) {
    this.state = state;
    const { run } = state;
    this.blocks = [...run.factors.map(({ name, own }) => ({ name, latents: own })), ...run.blocks];
    this.signs = signsOf(run);
    this.bars = Array.from({ length: run.latents }, (_, latent) => this.bar(latent, choose));
    this.numbers = h("tbody", {});
    this.element = h("section", { class: "panel", "aria-label": "Code" }, h("h2", {}, "The code"),
      h("p", { class: "note" }, `The face is drawn from these ${run.latents} numbers and nothing else. A bar shows how far a latent is from its mean, in standard deviations over pictures; for a factor, up means more of it. Click a bar to see what its latent does alone. In the small pictures, the pixels that a factor or a part changes are bright.`),
      h("div", { class: "bars", role: "toolbar", "aria-label": "Latents" }, this.bars),
      h("ul", { class: "legend" }, this.blocks.map((block, place) => this.legend(block, place))),
      h("details", { ontoggle: () => this.fillNumbers() }, h("summary", {}, "As numbers"),
        h("div", { class: "code-tools" }, h("button", { type: "button", onclick: () => this.saveJson() }, "Save JSON")),
        h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ["latent", "stands for", "value"].map((text) =>
          h("th", { scope: "col" }, text)))), this.numbers))));
  }

  bar(latent, choose) {
    const owner = ownerOf(this.state.run, latent);
    return h("button", { type: "button", class: "bar", tabIndex: latent === 0 ? 0 : -1,
      style: { "--hue": this.colour(owner) }, onclick: () => choose(`latent ${latent}`),
      onkeydown: (event) => {
        const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        const next = step && this.bars[latent + step];
        if (!next) return;
        this.bars[latent].tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      } }, h("i", {}));
  }

  colour(name) {
    const place = this.blocks.findIndex((block) => block.name === name);
    return place < 0 ? "var(--faint)" : `var(--block-${place % 9})`;
  }

  legend(block, place) {
    const factor = this.state.run.factors[place];
    const [first, last] = [Math.min(...block.latents), Math.max(...block.latents)];
    const used = block.latents.filter((latent) => this.state.run.used[latent]).length;
    const latents = first === last ? `latent ${first}` : `latents ${first}–${last}, ${used} of ${block.latents.length} used`;
    block.canvas = h("canvas", { role: "img", "aria-label": `Pixels that ${words(block.name)} changes` });
    const measured = factor?.r2 ? ` Read from unseen pictures: R² ${factor.r2.toFixed(3)}${errorOf(factor)}.` : "";
    return h("li", {}, block.canvas, h("div", {},
      h("b", {}, h("span", { class: "chip", style: { "--hue": this.colour(block.name) } }), words(block.name, true)),
      h("small", {}, ` ${latents}`), h("p", {}, `${meaningOf(block.name)}.${measured}`)));
  }

  refresh(code) {
    const { run } = this.state;
    const before = this.code;
    this.code = code;
    this.bars.forEach((bar, latent) => {
      if (before?.[latent] === code[latent]) return; // most latents, while one slider is dragged
      const deviation = (code[latent] - run.mean[latent]) / run.spread[latent] || 0;
      const share = run.used[latent] ? this.signs[latent] * Math.max(-1, Math.min(1, deviation / SHOWN)) : 0;
      const { style } = bar.firstChild;
      style.top = `${50 - 50 * Math.max(share, 0)}%`;
      style.height = `${50 * Math.abs(share)}%`;
      const owner = words(ownerOf(this.state.run, latent));
      const text = run.used[latent] ? `${deviation.toFixed(1)} standard deviations from the mean` : "unused";
      bar.title = `latent ${latent}, ${owner}: ${code[latent].toFixed(3)}, ${text}`;
      bar.setAttribute("aria-label", bar.title);
    });
    if (this.element.querySelector("details").open) this.fillNumbers();
  }

  fillNumbers() {
    this.numbers.replaceChildren(...this.code.map((value, latent) => h("tr", {}, h("td", {}, String(latent)),
      h("td", {}, words(ownerOf(this.state.run, latent))), h("td", {}, value.toFixed(4)))));
  }

  /** Draw which pixels each block changes: the differences of the ends of its sliders, added. */
  drawEffects(names, pictures, size) {
    for (const block of this.blocks) {
      const own = pictures.filter((_, place) => names[place] === block.name);
      if (!own.length) continue;
      const sum = new Float32Array(size * size);
      for (const { difference } of own) difference.forEach((amount, pixel) => (sum[pixel] += amount / own.length));
      drawHeat(block.canvas, sum, size, 1 / Math.max(...sum, 1e-3));
    }
  }

  saveJson() {
    const blocks = Object.fromEntries(this.blocks.map(({ name, latents }) => [name, latents]));
    const content = { run: this.state.run.name, code: this.code, blocks };
    save(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }), `${this.state.run.name}-code.json`);
  }
}

function errorOf({ accuracy, error, unit }) {
  if (typeof accuracy === "number") return `, ${(100 * accuracy).toFixed(0)} % of the classes right`;
  return typeof error === "number" ? `, mean error ${error.toFixed(1)}${unit}` : "";
}

/** For each latent -1 if its factor falls while it rises, else 1. */
function signsOf(run) {
  const signs = new Array(run.latents).fill(1);
  for (const { own, calibration } of run.factors) { // angles and classes have no such sign
    if (calibration.code && calibration.code.outputs[0] > calibration.code.outputs.at(-1)) signs[own[0]] = -1;
  }
  return signs;
}
