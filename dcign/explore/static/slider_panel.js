// A slider for each factor in its unit, and for each principal direction of the parts of a person.

import { moveAlong, readFactor, writeFactor } from "./codes.js";
import { h, words } from "./dom.js";
import { meaningOf } from "./meanings.js";
import { draw } from "./pictures.js";

const FARTHEST = 2.5; // standard deviations along a direction

/** Format a value with its unit: "+12.5°". */
export function formatted(value, unit, digits) {
  const rounded = value.toFixed(digits);
  return `${Number(rounded) === 0 ? (0).toFixed(digits) : rounded.replace("-", "−")}${unit}`;
}

/** Format a value of a factor: with its unit, or the name of its class. */
export function valueText(value, factor, digits) {
  return factor.classes[Math.round(value)] ?? formatted(value, factor.unit, digits);
}

export class SliderPanel {
  constructor(state) {
    this.state = state;
    const { factors, blocks } = state.run;
    const rows = factors.map((factor) => new FactorRow(state, factor));
    const ofScene = rows.filter(({ factor }) => !factor.of_person);
    const ofPerson = rows.filter(({ factor }) => factor.of_person);
    const parts = blocks.map((block) => [block, block.directions.map((_, place) => new DirectionRow(state, block, place))]);
    this.rows = [...rows, ...parts.flatMap(([, each]) => each)];
    const reset = h("button", { type: "button", class: "quiet", onclick: () => this.reset() }, "Undo all changes");
    this.element = h("section", { class: "panel", "aria-label": "Sliders" },
      h("div", { class: "heading" }, h("h2", {}, "Move the face"), reset),
      h("p", { class: "note" }, `The network has encoded a picture of a face in ${state.run.latents} numbers, and draws it again from them. Move a slider to change one property. The small pictures show where it leads; click one to go there.`),
      h("h3", {}, "Scene"), ofScene.map((row) => row.element),
      h("h3", {}, "Person"), ofPerson.map((row) => row.element),
      parts.length > 0 && h("p", { class: "note" }, "The numbered sliders are the strongest directions of a part: 0 is this person, 1 SD the step between two typical people. Parts are not separated fully: a direction of one may change another a little."),
      parts.map(([block, each]) => [
        h("h4", {}, words(block.name, true), h("small", {}, meaningOf(block.name))), each.length
          ? each.map((row) => row.element)
          : h("p", { class: "note" }, "This network keeps nothing of it, so it has no sliders.")]));
  }

  reset() {
    this.state.clear();
    this.state.changed();
  }

  text(factor) {
    return valueText(this.state.valueOf(factor), factor, digitsOf(factor));
  }

  refresh() {
    const code = this.state.code();
    for (const row of this.rows) row.refresh(code);
  }

  /** The codes at both ends of each slider, and the block that it belongs to. */
  ends() {
    return this.rows.map((row) => ({ block: row.block, low: row.codeAt(row.low), high: row.codeAt(row.high) }));
  }

  drawEnds(pictures, size, channels) {
    this.rows.forEach((row, place) => {
      draw(row.lowCanvas, pictures[place].low, size, channels);
      draw(row.highCanvas, pictures[place].high, size, channels);
    });
  }
}

const digitsOf = ({ classes, high, low }) => (classes.length ? 0 : high - low >= 10 ? 1 : 2);

/** One slider with a picture of each end, a field for its number, and a button that takes the change back. */
class Row {
  build(title, spoken, text, step) {
    this.spoken = spoken;
    const id = `slider-${title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-")}`;
    const [first, last] = [Math.ceil(this.low / step) * step, Math.floor(this.high / step) * step]; // stops at round numbers
    this.slider = h("input", { type: "range", id, min: first, max: last, step,
      oninput: () => this.set(Number(this.slider.value)) });
    this.number = this.field({ "aria-label": `${title} ${spoken}`, onchange: () => this.typed() });
    [this.lowCanvas, this.highCanvas] = [h("canvas", {}), h("canvas", {})];
    const end = (canvas, value, word) => h("button", { type: "button", class: "end", tabIndex: -1,
      "aria-label": `${title}: ${word} end, ${this.sayable(value, 1)}`, onclick: () => this.set(value) }, canvas);
    this.undo = h("button", { type: "button", class: "undo", "aria-label": `Take back ${title}`, onclick: () => this.clear() }, "↺");
    this.element = h("div", { class: "row" },
      h("label", { htmlFor: id }, title, h("small", {}, text)),
      end(this.lowCanvas, this.low, "low"), this.slider, end(this.highCanvas, this.high, "high"),
      h("span", { class: "value" }, this.number, h("span", { "aria-hidden": "true" }, this.unit)), this.undo);
  }

  /** The field for a number. */
  field(properties) {
    return h("input", { type: "number", min: this.low, max: this.high, step: "any", ...properties });
  }

  typed() {
    const { value: text } = this.number;
    const value = Math.min(this.high, Math.max(this.low, Number(text)));
    const before = this.shown?.value;
    this.shown = null; // the field shows what was typed
    if (text === "" || Number.isNaN(value)) { // an emptied field changes nothing
      if (before !== undefined) this.number.value = Number(before.toFixed(2));
      return;
    }
    this.set(value);
    this.number.value = Number(value.toFixed(2));
  }

  /** A value as screen readers say it. */
  sayable(value, digits) {
    return `${value.toFixed(digits)} ${this.spoken}`;
  }

  show(value, changed, digits) {
    if (this.shown?.value === value && this.shown.changed === changed) return; // most rows, while one is dragged
    this.shown = { value, changed };
    this.slider.value = value;
    this.slider.setAttribute("aria-valuetext", this.sayable(value, digits));
    if (document.activeElement !== this.number) this.number.value = value.toFixed(digits);
    this.element.classList.toggle("changed", changed);
    this.undo.disabled = !changed;
  }
}

/** 1, 2 or 5 times a power of ten: a 150th to a 400th of the range. */
function niceStep(range) {
  const power = 10 ** Math.floor(Math.log10(range / 150));
  return power * [5, 2, 1].find((each) => each * power <= range / 150);
}

class FactorRow extends Row {
  constructor(state, factor) {
    super();
    Object.assign(this, { state, factor, block: factor.name, low: factor.low, high: factor.high, unit: factor.unit.trim() });
    const error = factor.error ? `, read to ±${factor.error.toFixed(1)}${factor.unit}` : "";
    const step = factor.classes.length ? 1 : niceStep(factor.high - factor.low);
    this.build(words(factor.name, true), factor.units, meaningOf(factor.name) + error, step);
  }

  /** The field for a number; of a factor of classes, the list of their names. */
  field(properties) {
    const { classes } = this.factor;
    if (!classes.length) return super.field(properties);
    return h("select", properties, classes.map((name, place) => h("option", { value: place }, name)));
  }

  sayable(value, digits) {
    return this.factor.classes[Math.round(value)] ?? super.sayable(value, digits);
  }

  set(value) {
    this.state.taken.delete(this.factor.name); // the slider replaces what was taken from another person
    this.state.values[this.factor.name] = value;
    this.state.changed();
  }

  clear() {
    delete this.state.values[this.factor.name];
    this.state.changed();
  }

  codeAt(value) {
    return this.state.code((code) => writeFactor(code, this.factor, value));
  }

  refresh(code) {
    const value = this.state.values[this.factor.name] ?? readFactor(code, this.factor);
    this.show(value, this.factor.name in this.state.values, digitsOf(this.factor));
  }
}

class DirectionRow extends Row {
  constructor(state, block, place) {
    super();
    Object.assign(this, { state, place, of: block, block: block.name, low: -FARTHEST, high: FARTHEST, unit: "SD" });
    const share = `${Math.round(100 * block.shares[place])} % of this part's effect`;
    this.build(`${words(block.name, true)} ${place + 1}`, "standard deviations", share, 0.05);
  }

  set(value) {
    this.state.moves[this.block][this.place] = value;
    this.state.changed();
  }

  clear() {
    this.set(0);
  }

  codeAt(value) {
    const distance = value - this.state.moves[this.block][this.place];
    return this.state.code((code) => moveAlong(code, this.of.latents, this.of.directions[this.place], distance));
  }

  refresh() {
    const value = this.state.moves[this.block][this.place];
    this.show(value, value !== 0, 2);
  }
}
