// The view of a network: the face, the renderer's truth, sliders, people, sweeps and the code.

import { CodePanel } from "./code_panel.js";
import { h, latestOnly, settled, speak, tell, words } from "./dom.js";
import { PeoplePanel } from "./people_panel.js";
import { difference, draw, drawDifference } from "./pictures.js";
import { SliderPanel } from "./slider_panel.js";
import { personOfCode, State } from "./state.js";
import { SweepPanel } from "./sweep_panel.js";

const SETTLED = 220; // milliseconds without a change after which slow work begins

export class FaceView {
  constructor(backend, { run, data, examples, missing }) {
    Object.assign(this, { backend, run, data, examples, missing });
    this.state = new State(run, examples[0]);
    this.known = new Map(examples.map((person) => [person.origin, person]));
    this.sliders = new SliderPanel(this.state);
    this.people = new PeoplePanel(this);
    this.sweep = new SweepPanel(this.state, (codes) => this.decode(codes), (bytes) => this.show(bytes));
    this.codePanel = new CodePanel(this.state, (choice) => this.sweep.choose(choice));
    const panels = [this.sliders, this.people, this.sweep, this.codePanel].map(({ element }) => element);
    this.element = h("section", { class: "face-view" }, this.stage(),
      h("div", { class: "panels" }, jumps(panels), panels));
    this.update = latestOnly(() => this.drawFace(), 2); // the next request travels while a picture is drawn
    this.asked = this.drawn = 0;
    this.updateTruth = latestOnly(() => this.drawTruth());
    this.finish = settled(SETTLED, () => this.whenSettled());
    this.state.addEventListener("change", () => this.refresh());
    this.acceptFiles();
  }

  async start() {
    const linked = await this.openLink();
    if (!linked) this.refresh();
    addEventListener("hashchange", () => this.openLink());
    const button = document.getElementById("copy-link");
    button.hidden = false;
    button.addEventListener("click", () => this.copyLink(button));
  }

  /** Show what the text after # says, unless it is what is shown. */
  async openLink() {
    const text = location.hash.slice(1);
    if (!text || text === this.link) return false;
    try {
      if (!(await this.state.fromLink(text, (each) => this.findPerson(each)))) return false;
    } catch (error) {
      tell(error.message);
      return false;
    }
    this.state.changed();
    return true;
  }

  async findPerson(text) {
    return this.known.get(text) ?? personOfCode(text, this.run.latents) ?? this.fetchImage(text);
  }

  async fetchImage(origin) {
    if (!this.backend.image) throw new Error(`expected one of this page's people, found ${origin}: open another link.`);
    const person = await this.backend.image(origin);
    this.known.set(origin, person);
    return person;
  }

  /** Show an image of the data set, as the person or as the other one. */
  async showImage(origin, slot) {
    try {
      this.people.choose(await this.findPerson(origin), slot);
    } catch (error) {
      tell(error.message);
    }
  }

  async showFile(file, slot) {
    tell("");
    speak(`Reading ${file.name}`);
    try {
      const person = await this.backend.encode(file);
      this.people.add(person);
      this.people.choose(person, slot);
      if (person.warning) tell(`${file.name}: ${person.warning}`);
    } catch (error) {
      tell(error.message);
    }
  }

  refresh() {
    this.changedAt = performance.now();
    this.sliders.refresh();
    this.update();
    this.updateTruth();
    this.finish();
  }

  decode(codes, sharp = false) {
    return this.backend.decode(codes, sharp);
  }

  async drawFace() {
    const { changedAt } = this;
    const number = ++this.asked;
    const code = this.state.code();
    const bytes = await this.decode([code]);
    if (number < this.drawn) return; // a later picture overtook this one
    this.drawn = number;
    this.show(bytes);
    document.dispatchEvent(new CustomEvent("dcign:shown", { detail: { milliseconds: performance.now() - changedAt } }));
    this.codePanel.refresh(code);
  }

  show(bytes) {
    this.shown = bytes;
    draw(this.canvas, bytes, this.run.size, this.run.channels);
    this.drawBeside();
  }

  drawBeside() {
    const { size, channels } = this.run;
    if (!this.truth || this.truth.length !== this.shown?.length) return;
    const mean = drawDifference(this.differenceCanvas, this.shown, this.truth, size, channels);
    this.differenceText.textContent = `${(100 * mean).toFixed(1)} % of white on average`;
  }

  async drawTruth() {
    const asked = this.data && !this.missing && this.backend.truth ? this.state.truthRequest() : this.missing || "there is no renderer here.";
    if (typeof asked === "string") {
      this.leaveTruthOut(asked);
      return;
    }
    this.truthFigures.setAttribute("aria-busy", "true");
    try {
      this.truth = await this.backend.truth(asked.origin, asked.values, asked.partsFrom);
    } catch (error) {
      this.leaveTruthOut(error.message);
      return;
    } finally {
      this.truthFigures.removeAttribute("aria-busy");
    }
    [this.truthFigures.hidden, this.noTruth.hidden] = [false, true];
    draw(this.truthCanvas, this.truth, this.run.size, this.run.channels);
    this.drawBeside();
  }

  /** Say why there is no truth of what is shown; that of something else must not stay. */
  leaveTruthOut(reason) {
    this.truth = null;
    [this.truthFigures.hidden, this.noTruth.hidden] = [true, false];
    this.noTruth.textContent = `The renderer's picture is not shown: ${reason}`;
  }

  async whenSettled() {
    this.link = this.state.toLink();
    history.replaceState(null, "", `#${this.link}`);
    this.people.refresh();
    speak(this.run.factors.map((factor) => `${words(factor.name)} ${this.sliders.text(factor)}`).join(", "));
    try {
      if (this.run.refiner) await this.sharpen();
      await this.drawEnds();
    } catch (error) {
      tell(error.message);
    }
  }

  async sharpen() {
    const code = this.state.code();
    const bytes = await this.decode([code], true);
    if (String(code) === String(this.state.code())) this.show(bytes);
  }

  /** Draw what each slider does: the pictures at its two ends, and where they differ. */
  async drawEnds() {
    const ends = this.sliders.ends();
    const { size, channels } = this.run;
    const bytes = await this.decode(ends.flatMap(({ low, high }) => [low, high]));
    const pixels = size * size * channels;
    const pictures = ends.map((_, place) => {
      const low = bytes.slice(2 * place * pixels, (2 * place + 1) * pixels);
      const high = bytes.slice((2 * place + 1) * pixels, (2 * place + 2) * pixels);
      return { low, high, difference: difference(low, high, size, channels) };
    });
    this.sliders.drawEnds(pictures, size, channels);
    this.codePanel.drawEffects(ends.map(({ block }) => block), pictures, size);
  }

  async copyLink(button) {
    this.link = this.state.toLink();
    history.replaceState(null, "", `#${this.link}`);
    try {
      await navigator.clipboard.writeText(location.href);
      button.textContent = "Copied";
    } catch {
      button.textContent = "Copy the address bar";
    }
    setTimeout(() => (button.textContent = "Copy link"), 2000);
  }

  stage() {
    this.canvas = h("canvas", { class: "picture", role: "img", "aria-label": "The network's picture of the face" });
    this.truthCanvas = h("canvas", { class: "picture", role: "img", "aria-label": "The renderer's picture" });
    this.differenceCanvas = h("canvas", { class: "picture", role: "img", "aria-label": "Where the two pictures differ" });
    this.differenceText = h("small", {});
    this.truthFigures = h("div", { class: "beside", hidden: true },
      h("figure", {}, this.truthCanvas, h("figcaption", {}, "Renderer's truth", h("small", {}, "what it should be"))),
      h("figure", {}, this.differenceCanvas, h("figcaption", {}, "Difference × 3", this.differenceText)));
    this.noTruth = h("p", { class: "note", hidden: true });
    return h("div", { class: "stage" },
      h("figure", { class: "large" }, this.canvas, h("figcaption", {}, "What the network draws from the code")),
      this.truthFigures, this.noTruth);
  }

  acceptFiles() {
    const root = document.documentElement;
    const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
    addEventListener("dragover", (event) => {
      if (!hasFiles(event) || this.element.hidden) return;
      event.preventDefault();
      root.classList.add("dropping");
    });
    addEventListener("dragleave", (event) => {
      if (!event.relatedTarget) root.classList.remove("dropping");
    });
    addEventListener("drop", (event) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      root.classList.remove("dropping");
      const slot = event.target.closest?.("[data-slot]")?.dataset.slot ?? "person";
      if (event.dataTransfer.files[0]) this.showFile(event.dataTransfer.files[0], slot);
    });
  }
}

/** Buttons that scroll to each panel, which are named by their labels. */
function jumps(panels) {
  return h("nav", { class: "jumps", "aria-label": "Panels" }, panels.map((panel) => h("button", {
    type: "button", class: "quiet", onclick: () => {
      panel.scrollIntoView();
      panel.querySelector("input, button, select")?.focus({ preventScroll: true });
    } }, panel.getAttribute("aria-label"))));
}
