// Histograms of the labels, which are filters too: each has fields for the lowest and the highest value.

import { h, svg, words } from "./dom.js";

const WIDE = 120;
const HIGH = 36;
const NAMED = 6; // classes whose numbers are explained

export class Histograms {
  constructor(data, changed) {
    Object.assign(this, { data, changed, ranges: {}, known: "" });
    this.grid = h("div", { class: "histograms" });
    const clear = h("button", { type: "button", class: "quiet", onclick: () => {
      this.clear();
      changed();
    } }, "Clear all");
    this.element = h("details", { class: "panel", open: true }, h("summary", {}, "Filter by label"),
      h("p", { class: "note" }, "Dark bars: images that match. Narrow a range to filter. ", clear), this.grid);
  }

  clear() {
    this.ranges = {};
    this.known = "";
  }

  show(found) {
    const names = found.map(({ name }) => name).join();
    if (names !== this.known) {
      this.known = names;
      this.cells = Object.fromEntries(found.map((each) => [each.name, this.cell(each)]));
      this.grid.replaceChildren(...found.map(({ name }) => this.cells[name].element));
    }
    for (const each of found) this.cells[each.name].draw(each);
  }

  cell({ name, edges }) {
    const classes = this.data.classes[name];
    const [low, high] = [edges[0], edges.at(-1)];
    const picture = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, preserveAspectRatio: "none", role: "img" });
    const step = classes || high - low >= 10 ? 1 : 0.1;
    const [floor, ceiling] = [Math.floor(low / step), Math.ceil(high / step)].map((each) => Number((each * step).toFixed(1)));
    const field = (value, word) => h("input", { type: "number", value, step,
      "aria-label": `${words(name)}, ${word}`, onchange: () => this.narrow(name, fields, floor, ceiling) });
    const fields = [field(floor, "lowest"), field(ceiling, "highest")];
    const units = classes ? classes.slice(0, NAMED).map((each, place) => `${place} ${each}`).join(", ") : this.data.units[name];
    const element = h("figure", {}, h("figcaption", {}, words(name), h("small", {}, units ? ` ${units}` : "")), picture,
      h("div", { class: "ends" }, fields));
    const draw = ({ counts, all }) => {
      const most = Math.max(1, ...all);
      const bars = (values, kind) => values.map((count, place) => svg("rect", { class: kind, x: (WIDE * place) / values.length + 0.4,
        width: WIDE / values.length - 0.8, y: HIGH * (1 - count / most), height: (HIGH * count) / most }));
      picture.replaceChildren(...bars(all, "all"), ...bars(counts, "kept"));
      const kept = counts.reduce((sum, each) => sum + each, 0);
      picture.setAttribute("aria-label", `Histogram of ${words(name)}: ${kept} images match`);
    };
    return { element, draw };
  }

  narrow(name, fields, floor, ceiling) {
    const ends = [floor, ceiling];
    fields.forEach((field, place) => {
      if (field.value === "") field.value = ends[place]; // an emptied field filters nothing
    });
    const [low, high] = fields.map((field) => Number(field.value));
    if (low <= floor && high >= ceiling) delete this.ranges[name];
    else this.ranges[name] = [low, high];
    this.changed();
  }
}
