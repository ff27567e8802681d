// The view of a data set: batches of each kind, filters by label, truth layers, histograms, one person in 3D.

import { h, latestOnly, settled, tell, words } from "./dom.js";
import { Histograms } from "./histograms.js";

const IMAGES = 20;
const PAGE = 8;

export class DataView {
  constructor(backend, { data }, showFace) {
    Object.assign(this, { backend, data, showFace, first: 0 });
    const option = (text, value) => h("option", { value }, text);
    this.split = h("select", { id: "data-split", onchange: () => this.chooseSplit() },
      data.splits.map(({ name, batches }) => option(`${name} (${batches.toLocaleString("en")} batches)`, name)));
    this.kind = h("select", { id: "data-kind", onchange: () => this.filterChanged() });
    this.layer = h("select", { id: "data-layer", onchange: () => this.fill() });
    this.histograms = new Histograms(data, settled(250, () => this.filterChanged()));
    this.found = h("p", { class: "note", role: "status" });
    this.list = h("ol", { class: "batches" });
    this.back = h("button", { type: "button", onclick: () => this.turn(-PAGE) }, "← Earlier");
    this.next = h("button", { type: "button", onclick: () => this.turn(PAGE) }, "Later →");
    this.chosen = h("aside", { class: "chosen panel", "aria-label": "The chosen image" },
      h("p", { class: "note" }, "Choose an image to see its labels and layers, and its person in 3D."));
    const label = (field, text) => h("label", { htmlFor: field.id }, text, field);
    this.element = h("section", { class: "data-view" },
      h("div", { class: "data-main" },
        h("div", { class: "fields panel" }, label(this.split, "Split"), label(this.kind, "What varies"), label(this.layer, "Show")),
        this.histograms.element, h("div", { class: "pager" }, this.found, this.back, this.next), this.list),
      this.chosen);
    this.load = latestOnly(() => this.fetchPage());
  }

  opened() {
    if (!this.page) this.chooseSplit();
  }

  chooseSplit() {
    const split = this.data.splits.find(({ name }) => name === this.split.value);
    const option = (text, value) => h("option", { value }, text);
    this.kind.replaceChildren(option("anything", ""), ...split.kinds.map((name) => option(words(name), name)));
    this.layer.replaceChildren(option("images", "images"), ...split.layers.map((name) => option(words(name), name)));
    this.histograms.clear();
    this.filterChanged();
  }

  get filter() {
    return { split: this.split.value, kind: this.kind.value, ranges: this.histograms.ranges };
  }

  filterChanged() {
    this.first = 0;
    if (!this.page) this.found.textContent = "Reading the labels …";
    this.load();
  }

  turn(batches) {
    if (!this.page) return;
    this.first = Math.max(0, Math.min(this.first + batches, this.page.total - 1));
    this.load();
  }

  async fetchPage() {
    const filter = this.filter;
    this.list.setAttribute("aria-busy", "true");
    this.page = { ...(await this.backend.batches(filter, this.first)), split: filter.split };
    this.fill();
    this.list.removeAttribute("aria-busy");
    this.histograms.show(await this.backend.histograms(filter));
  }

  fill() {
    if (!this.page) return; // the first is still on its way
    const { total, images, batches } = this.page;
    const last = Math.min(this.first + PAGE, total);
    this.found.textContent = total
      ? `Batches ${this.first + 1} to ${last} of ${total.toLocaleString("en")}; ${images.toLocaleString("en")} images match.`
      : "No image matches: widen a range.";
    this.back.disabled = this.first === 0;
    this.next.disabled = last >= total;
    this.list.replaceChildren(...batches.map((batch) => this.row(batch)));
  }

  row(batch) {
    const url = this.backend.stripUrl(this.page.split, batch.batch, this.layer.value || "images");
    return h("li", {}, h("h3", {}, `Batch ${batch.batch}`, h("span", { class: "tag" }, words(batch.varies)),
      h("small", {}, this.constants(batch))),
    h("div", { class: "strip" }, Array.from({ length: IMAGES }, (_, image) => h("button", {
      type: "button", class: batch.kept[image] ? "cell" : "cell off",
      style: { "background-image": `url("${url}")`, "background-position": `${(100 * image) / (IMAGES - 1)}% 0` },
      "aria-label": `Batch ${batch.batch}, image ${image}: ${this.describe(batch, image)}`,
      title: this.describe(batch, image), onclick: () => this.choose(batch, image),
    }))));
  }

  /** The values that all images of a batch share, and the range of what varies. */
  constants(batch) {
    return this.data.factors.map((name) => {
      const values = batch.labels[name];
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return `${words(name)} ${low.toFixed(0)}${high - low > 0.5 ? ` to ${high.toFixed(0)}` : ""}`;
    }).join(", ");
  }

  describe(batch, image) {
    return this.data.factors.map((name) => `${words(name)} ${batch.labels[name][image].toFixed(1)}`).join(", ");
  }

  choose(batch, image) {
    const origin = `${this.page.split}/${batch.batch}/${image}`;
    const split = this.data.splits.find(({ name }) => name === this.page.split);
    const cell = (layer) => h("figure", {}, h("div", { class: "cell", role: "img", "aria-label": `${words(layer)} of ${origin}`, style: {
      "background-image": `url("${this.backend.stripUrl(this.page.split, batch.batch, layer)}")`,
      "background-position": `${(100 * image) / (IMAGES - 1)}% 0`,
    } }), h("figcaption", {}, words(layer)));
    const head = h("div", { class: "head" });
    const turn = h("button", { type: "button", onclick: () => this.turnHead(origin, head, turn) }, "Turn the head in 3D");
    const use = (text, slot) => h("button", { type: "button", onclick: () => this.showFace(origin, slot) }, text);
    this.chosen.replaceChildren(
      h("h2", {}, origin), h("div", { class: "layers" }, ["images", ...split.layers].map(cell)),
      h("div", { class: "buttons" }, turn, this.showFace && [use("Show in the network", "person"), use("Take parts from it", "other")]),
      head, this.labels(batch, image));
    this.chosen.scrollIntoView({ block: "nearest" });
  }

  labels(batch, image) {
    const rows = Object.entries(batch.labels).map(([name, values]) => [words(name), this.value(name, values[image])]);
    return h("table", {}, h("caption", {}, "Labels"), h("tbody", {}, [["person", String(batch.people[image])], ...rows].map(([name, text]) =>
      h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, text)))));
  }

  value(name, value) {
    if (name === "hair_cut" && this.data.cuts[value]) return this.data.cuts[value];
    const units = this.data.units[name];
    return `${Number(value.toFixed(2))}${units ? ` ${units}` : ""}`;
  }

  async turnHead(origin, place, button) {
    button.disabled = true;
    try {
      const { showHead } = await import("./head.js");
      await showHead(place, this.backend.personUrl(origin));
    } catch (error) {
      tell(error.message);
    } finally {
      button.disabled = false;
    }
  }
}
