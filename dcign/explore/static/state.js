// What is shown: a person, what was changed about it, and the same as the text after # in a link.

import { fromText, moveAlong, readFactor, takeLatents, toText, writeFactor } from "./codes.js";

const WHOLE = "code"; // the only block of a network whose latents have no order, as dcign/explore/network.py

/**
 * A person is {name, code, image, origin}; origin is SPLIT/BATCH/IMAGE of the data set, or undefined.
 * values: factor -> number, absent while it is as the picture shows it. moves: block -> distance along each direction.
 * taken: names of the blocks and factors that are those of the other person.
 */
export class State extends EventTarget {
  constructor(run, person) {
    super();
    this.run = run;
    this.reset(person);
  }

  reset(person) {
    this.person = person;
    this.other = null;
    this.clear();
  }

  clear() {
    this.values = {};
    this.moves = Object.fromEntries(this.run.blocks.map((block) => [block.name, block.directions.map(() => 0)]));
    this.taken = new Set();
  }

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** The latents of a block or a factor. */
  latentsOf(name) {
    return (
      this.run.factors.find((factor) => factor.name === name)?.own ??
      this.run.blocks.find((block) => block.name === name)?.latents ??
      []
    );
  }

  /** The code with everything applied; `also` changes it further: (code) => void. */
  code(also) {
    const code = [...this.person.code];
    for (const name of this.taken) if (this.other) takeLatents(code, this.other.code, this.latentsOf(name));
    for (const block of this.run.blocks) {
      block.directions.forEach((direction, place) =>
        moveAlong(code, block.latents, direction, this.moves[block.name][place]),
      );
    }
    for (const factor of this.run.factors) {
      if (factor.name in this.values) writeFactor(code, factor, this.values[factor.name]);
    }
    also?.(code);
    return code;
  }

  /** The value of a factor: what was set, else what is read from the code. */
  valueOf(factor) {
    return this.values[factor.name] ?? readFactor(this.code(), factor);
  }

  /** What the renderer needs to draw the same, or a sentence that says why it cannot. */
  truthRequest() {
    if (!this.person.origin) return "the renderer knows only people of the data set.";
    if (Object.values(this.moves).flat().some((distance) => distance !== 0)) {
      return "the renderer has no slider for the network's own directions.";
    }
    if (this.taken.has(WHOLE)) return "the renderer does not know what this network's code keeps of a person.";
    if (this.taken.size && !this.other.origin) return "the renderer does not know the other person.";
    return {
      origin: this.person.origin,
      values: this.values,
      partsFrom: Object.fromEntries([...this.taken].map((name) => [name, this.other.origin])),
    };
  }

  /** The text after # that shows the same again. */
  toLink() {
    const parts = [["person", reference(this.person)]];
    if (this.other) parts.push(["other", reference(this.other)]);
    if (this.taken.size) parts.push(["take", [...this.taken].join(",")]);
    for (const [name, value] of Object.entries(this.values)) parts.push([name, round(value)]);
    for (const [name, moves] of Object.entries(this.moves)) {
      if (moves.some((distance) => distance !== 0)) parts.push([`move.${name}`, moves.map(round).join(",")]);
    }
    return parts.map(([name, value]) => `${name}=${value}`).join("&");
  }

  /** Show what a link says; find: (reference) => person. Unknown names and numbers out of range are left out. */
  async fromLink(text, find) {
    const asked = new URLSearchParams(text);
    const person = asked.has("person") ? await find(asked.get("person")) : null;
    if (!person) return false;
    this.reset(person);
    this.other = asked.has("other") ? await find(asked.get("other")) : null;
    const known = [...this.run.factors, ...this.run.blocks].map((each) => each.name);
    for (const name of (asked.get("take") ?? "").split(",")) if (this.other && known.includes(name)) this.taken.add(name);
    for (const factor of this.run.factors) {
      const value = Number.parseFloat(asked.get(factor.name));
      if (Number.isFinite(value)) this.values[factor.name] = Math.min(factor.high, Math.max(factor.low, value));
    }
    for (const block of this.run.blocks) {
      (asked.get(`move.${block.name}`) ?? "").split(",").forEach((each, place) => {
        const value = Number.parseFloat(each);
        if (Number.isFinite(value) && place < block.directions.length) {
          this.moves[block.name][place] = Math.min(3, Math.max(-3, value));
        }
      });
    }
    return true;
  }
}

/** How a link names a person: by the data set's image, or by its code. */
export function reference(person) {
  return person.origin ?? `~${toText(person.code)}`;
}

/** The person of a reference that is a code; null if it is none. */
export function personOfCode(text, latents) {
  const code = text.startsWith("~") ? fromText(text.slice(1), latents) : null;
  return code && { name: "a linked code", code, image: null };
}

const round = (value) => Math.round(value * 1000) / 1000;
