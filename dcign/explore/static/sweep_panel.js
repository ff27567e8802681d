// A sweep: pictures at evenly spaced values of one factor, direction or latent, saved as PNG or GIF.

import { moveAlong, writeFactor } from "./codes.js";
import { h, save, tell, words } from "./dom.js";
import { gifOf, pngOf, strip } from "./pictures.js";
import { formatted, valueText } from "./slider_panel.js";

const MOST_AT_ONCE = 32; // codes per request
const LARGEST = 16; // enlargement of saved pictures
const SAVED_SIDE = 256; // pixels of a saved picture, about

export class SweepPanel {
  constructor(state, decode, show) {
    Object.assign(this, { state, decode, show });
    this.choices = choicesOf(state.run);
    this.select = h("select", { id: "sweep-what", onchange: () => this.takeRange() },
      groups(this.choices).map(([title, each]) => h("optgroup", { label: title },
        each.map(({ id, label }) => h("option", { value: id }, label)))));
    const number = (id, value, more) => h("input", { type: "number", id, value, step: "any", ...more });
    this.low = number("sweep-low", 0);
    this.high = number("sweep-high", 0);
    this.count = number("sweep-count", 9, { min: 2, max: 60, step: 1 });
    this.strip = h("div", { class: "sweep-strip", role: "img", "aria-label": "The pictures of the sweep" });
    this.buttons = ["Save PNG", "Save GIF"].map((text, place) => h("button", { type: "button", disabled: true,
      onclick: () => this.saveAs(place === 0 ? "png" : "gif") }, text));
    this.element = h("section", { class: "panel", "aria-label": "Sweep" }, h("h2", {}, "Sweep"),
      h("div", { class: "fields" },
        h("label", { htmlFor: "sweep-what" }, "What moves"), this.select,
        h("label", { htmlFor: "sweep-low" }, "from"), this.low, h("label", { htmlFor: "sweep-high" }, "to"), this.high,
        h("label", { htmlFor: "sweep-count" }, "pictures"), this.count,
        h("button", { type: "button", class: "main", onclick: () => this.run() }, "Draw"), this.buttons),
      this.strip);
    this.takeRange();
  }

  /** Select what moves, e.g. "latent 7", and draw it. */
  choose(id) {
    this.select.value = id;
    this.takeRange();
    this.run();
    this.element.scrollIntoView({ block: "nearest" });
  }

  get chosen() {
    return this.choices.find(({ id }) => id === this.select.value);
  }

  takeRange() {
    for (const end of ["low", "high"]) this[end].value = Number(this.chosen[end].toFixed(this.chosen.digits + 1));
  }

  /** The values to draw; of a factor of classes, each class between the ends once. An emptied field is the range's end. */
  values(choice) {
    const [low, high] = ["low", "high"].map((end) => (this[end].value === "" ? choice[end] : Number(this[end].value)));
    const count = Math.round(Math.min(60, Math.max(2, Number(this.count.value) || 9)));
    if (choice.classes) {
      const [first, last] = [low, high].map((value) => Math.min(choice.high, Math.max(choice.low, Math.round(value))));
      const step = first <= last ? 1 : -1;
      return Array.from({ length: Math.abs(last - first) + 1 }, (_, place) => first + step * place);
    }
    return Array.from({ length: count }, (_, place) => low + ((high - low) * place) / (count - 1));
  }

  async run() {
    const number = (this.asked = (this.asked ?? 0) + 1);
    const choice = this.chosen;
    const values = this.values(choice);
    const codes = values.map((value) => this.state.code((code) => choice.set(code, value, this.state)));
    const { size, channels } = this.state.run;
    const pixels = size * size * channels;
    try {
      const pictures = [];
      for (let first = 0; first < codes.length; first += MOST_AT_ONCE) {
        const bytes = await this.decode(codes.slice(first, first + MOST_AT_ONCE), true);
        for (let place = 0; place < bytes.length; place += pixels) pictures.push(bytes.slice(place, place + pixels));
      }
      if (number < this.asked) return; // another sweep was asked for meanwhile
      Object.assign(this, { pictures, drawn: choice });
    } catch (error) {
      tell(error.message);
      return;
    }
    this.showStrip(values);
  }

  showStrip(values) {
    const { drawn } = this;
    const { size, channels } = this.state.run;
    this.strip.replaceChildren(...this.pictures.map((bytes, place) => h("figure", {
      onpointerenter: () => this.show(bytes) },
    strip([bytes], size, channels, 1), h("figcaption", {}, drawn.text(values[place])))));
    this.strip.setAttribute("aria-label", `${this.pictures.length} pictures of the sweep of ${drawn.label}`);
    for (const button of this.buttons) button.disabled = false;
  }

  async saveAs(kind) {
    const { size, channels, name } = this.state.run;
    const scale = Math.max(1, Math.min(LARGEST, Math.round(SAVED_SIDE / size)));
    const file = `${name}-${this.drawn.id.replaceAll(/[^a-z0-9]+/gi, "-")}.${kind}`;
    if (kind === "gif") save(gifOf(this.pictures, size, channels, scale), file);
    else save(await pngOf(strip(this.pictures, size, channels, Math.min(scale, Math.floor(16384 / size / this.pictures.length) || 1))), file);
  }
}

/** Everything that can be swept: {id, group, label, low, high, digits, text(value), set(code, value, state)}. */
function choicesOf(run) {
  const factors = run.factors.map((factor) => {
    const digits = factor.classes.length || factor.high - factor.low >= 10 ? 0 : 1;
    return {
      id: factor.name, group: "Factors", label: words(factor.name), low: factor.low, high: factor.high, digits,
      classes: factor.classes.length > 0, text: (value) => valueText(value, factor, digits),
      set: (code, value) => writeFactor(code, factor, value),
    };
  });
  const directions = run.blocks.flatMap((block) => block.directions.map((direction, place) => ({
    id: `${block.name}.${place + 1}`, group: "Directions of parts", label: `${words(block.name)} ${place + 1}`,
    low: -2.5, high: 2.5, digits: 1, text: (value) => formatted(value, " SD", 1),
    set: (code, value, state) => moveAlong(code, block.latents, direction, value - state.moves[block.name][place]),
  })));
  const latents = Array.from({ length: run.latents }, (_, latent) => ({
    id: `latent ${latent}`, group: "Single latents", label: `latent ${latent} (${words(ownerOf(run, latent))}${run.used[latent] ? "" : ", unused"})`,
    low: run.mean[latent] - 3 * run.spread[latent], high: run.mean[latent] + 3 * run.spread[latent], digits: 3,
    text: (value) => formatted(value, "", 3),
    set: (code, value) => (code[latent] = value),
  }));
  return [...factors, ...directions, ...latents];
}

export function ownerOf(run, latent) {
  const factor = run.factors.find(({ own }) => own.includes(latent));
  return factor?.name ?? run.blocks.find(({ latents }) => latents.includes(latent))?.name ?? "unused";
}

function groups(choices) {
  const titles = [...new Set(choices.map(({ group }) => group))];
  return titles.map((title) => [title, choices.filter(({ group }) => group === title)]);
}
