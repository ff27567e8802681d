// The view of a data set: batches of each kind, filters by label, truth layers, histograms, one person in 3D.

import { h, latestOnly, settled, tell, words } from "./dom.js";
import { Histograms } from "./histograms.js";

const PAGE = 8;
const NAMED = 3; // classes of a batch that are listed

/** The style of one image of a strip of so many pictures side by side. */
const cellOf = (url, image, images) => ({ "background-image": `url("${url}")`, "background-size": `${100 * images}% 100%`,
  "background-position": `${(100 * image) / Math.max(1, images - 1)}% 0` });

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
      h("p", { class: "note" }, `Choose an image to see its labels and layers${data.heads ? ", and its person in 3D" : ""}.`));
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
    this.offerKinds(split.kinds, "");
    this.layer.replaceChildren(option("images", "images"), ...split.layers.map((name) => option(words(name), name)));
    this.histograms.clear();
    this.filterChanged();
  }

  offerKinds(kinds, chosen) {
    this.kind.replaceChildren(...["", ...kinds].map((name) => h("option", { value: name }, name ? words(name) : "anything")));
    this.kind.value = chosen;
    this.kinds = kinds;
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
    const kinds = Object.keys(this.page.kinds); // of all shards; the description names those of the first
    const current = filter.split === this.split.value;
    if (current && kinds.some((name) => !this.kinds.includes(name))) this.offerKinds(kinds, this.kind.value);
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
    h("div", { class: "strip" }, batch.kept.map((kept, image) => h("button", {
      type: "button", class: kept ? "cell" : "cell off", style: cellOf(url, image, batch.kept.length),
      "aria-label": `Batch ${batch.batch}, image ${image}: ${this.describe(batch, image)}`,
      title: this.describe(batch, image), onclick: () => this.choose(batch, image),
    }))));
  }

  /** The values that all images of a batch share, and the range of what varies. */
  constants(batch) {
    return this.data.factors.map((name) => {
      const values = batch.labels[name];
      if (this.data.classes[name]) return this.classesOf(name, values);
      const [low, high] = [Math.min(...values), Math.max(...values)];
      return `${words(name)} ${low.toFixed(0)}${high - low > 0.5 ? ` to ${high.toFixed(0)}` : ""}`;
    }).join(", ");
  }

  classesOf(name, values) {
    const found = [...new Set(values)].map((value) => this.data.classes[name][value]);
    return `${words(name)} ${found.length > NAMED ? `of ${found.length} classes` : found.join(", ")}`;
  }

  describe(batch, image) {
    return this.data.factors.map((name) => {
      const value = batch.labels[name][image];
      return `${words(name)} ${this.data.classes[name]?.[value] ?? value.toFixed(1)}`;
    }).join(", ");
  }

  choose(batch, image) {
    const origin = `${this.page.split}/${batch.batch}/${image}`;
    const split = this.data.splits.find(({ name }) => name === this.page.split);
    const cell = (layer) => h("figure", {}, h("div", { class: "cell", role: "img", "aria-label": `${words(layer)} of ${origin}`,
      style: cellOf(this.backend.stripUrl(this.page.split, batch.batch, layer), image, batch.kept.length) }), h("figcaption", {}, words(layer)));
    const head = h("div", { class: "head" });
    const turn = this.data.heads && h("button", { type: "button", onclick: () => this.turnHead(origin, head, turn) }, "Turn the head in 3D");
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
    if (this.data.classes[name]) return this.data.classes[name][value];
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
