// Whose face it is: people of the data set, pictures of the visitor, and parts of another person.

import { h, words } from "./dom.js";
import { draw } from "./pictures.js";

const SLOTS = { person: "Person", other: "Parts from" };
const MOST = 24; // people in the list

/** How a picture should be framed. */
function framing(run) {
  return run.any_framing
    ? "The head should fill most of its middle square. It may be off the middle, and in front of anything."
    : "It should be framed as these people are: for other photographs, use “dcign explore wild”.";
}

export class PeoplePanel {
  constructor(view) {
    this.view = view;
    this.state = view.state;
    this.people = [...view.examples];
    this.lists = Object.fromEntries(Object.keys(SLOTS).map((slot) => [slot, h("div", { class: "people", "data-slot": slot })]));
    this.takes = h("fieldset", { class: "takes" });
    this.source = h("figure", { class: "source" });
    const file = (slot) => h("label", { class: "file" }, slot === "person" ? "Your picture …" : "Another picture …",
      h("input", { type: "file", accept: "image/png,image/jpeg,image/webp,image/gif,image/bmp,image/tiff",
        "aria-label": `Picture file for: ${SLOTS[slot]}`,
        onchange: (event) => {
          if (event.target.files[0]) view.showFile(event.target.files[0], slot);
          event.target.value = "";
        } }));
    this.element = h("section", { class: "panel", "aria-label": "People" },
      h("h2", {}, "Whose face"),
      h("p", { class: "note" }, `Choose a person, or drop a picture of a face anywhere on this page. It is encoded, and the sliders turn and relight it. ${framing(view.run)}`),
      h("div", { class: "slot", "data-slot": "person" }, h("h3", {}, SLOTS.person), this.lists.person, file("person")),
      this.source,
      h("div", { class: "slot", "data-slot": "other" }, h("h3", {}, SLOTS.other),
        h("p", { class: "note" }, `Choose a second person: the face takes their ${words(this.parts().at(-1) ?? "code")}. Then tick what else it takes.`), this.lists.other, file("other")),
      this.takes);
    this.fill();
  }

  /** Put a new person at the front of both lists. */
  add(person) {
    this.people = [person, ...this.people].slice(0, MOST);
    this.fill();
  }

  choose(person, slot) {
    if (slot === "other") {
      this.state.other = person;
      if (!this.state.taken.size) this.state.taken.add(this.parts().at(-1));
    } else {
      this.state.person = person;
      this.state.clear();
    }
    this.state.changed();
    this.refresh();
  }

  /** What can be taken from another person: factors that belong to people, and parts. */
  parts() {
    const { factors, blocks } = this.view.run;
    const kept = blocks.filter((block) => block.directions.length > 0);
    return [...factors.filter((factor) => factor.of_person), ...kept].map((each) => each.name);
  }

  fill() {
    for (const [slot, list] of Object.entries(this.lists)) {
      list.replaceChildren(...this.people.map((person) => h("button", { type: "button", title: person.name,
        "aria-label": `${SLOTS[slot]}: ${person.name}`, onclick: () => this.choose(person, slot) },
      h("img", { src: person.image, alt: "", draggable: false }))));
    }
    this.refresh();
  }

  refresh() {
    for (const [slot, list] of Object.entries(this.lists)) {
      [...list.children].forEach((button, place) =>
        button.setAttribute("aria-pressed", String(this.people[place] === this.state[slot])));
    }
    this.showSource();
    this.takes.hidden = !this.state.other;
    this.takes.replaceChildren(h("legend", {}, `Take from ${this.state.other?.name ?? "them"}`), ...this.parts().map((name) =>
      h("label", {}, h("input", { type: "checkbox", checked: this.state.taken.has(name), onchange: (event) => {
        if (event.target.checked) {
          this.state.taken.add(name);
          delete this.state.values[name]; // what is taken replaces the slider's value
        } else this.state.taken.delete(name);
        this.state.changed();
      } }), words(name))));
  }

  /** Show the picture that was encoded beside what the network sees in it. */
  async showSource() {
    const { person } = this.state;
    const given = Boolean(person.image) && !person.invented;
    this.source.hidden = !given;
    if (!given || this.sourceOf === person) return;
    this.sourceOf = person;
    const canvas = h("canvas", { role: "img", "aria-label": "The same picture as the network sees it" });
    this.source.replaceChildren(
      h("img", { src: person.image, alt: `The picture ${person.name}` }), canvas,
      h("figcaption", {}, h("b", {}, person.name), " Left: the picture. Right: as the network sees it, before any change."));
    const bytes = await this.view.decode([person.code], true).catch(() => null);
    if (bytes) draw(canvas, bytes, this.view.run.size, this.view.run.channels);
  }
}
