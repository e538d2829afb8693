// What was heard and why, step by step, with the time between.

import { element, harmless } from "./dom.js";

const STEPS_MAX = 300;
/** A longer pause begins another story. */
const PAUSE_MS = 15_000;

/** What each step is called. */
const NAMES = {
  wake: "wake word",
  heard: "heard",
  decision: "decision",
  call: "call",
  telephone: "telephone",
  sound: "sound",
  says: "says",
  end: "end",
  trouble: "trouble",
  skill: "skill",
};

export class Timeline {
  #last = null;

  constructor() {
    this.list = element("ol", { class: "steps" });
  }

  clear() {
    this.#last = null;
    this.list.replaceChildren();
  }

  add({ step, text, at_ms: at, score, speech_end_ms: ended }) {
    const begins = this.#last === null || step === "wake" || at - this.#last > PAUSE_MS;
    const delay = begins ? "" : `+${((at - this.#last) / 1000).toFixed(2)} s`;
    this.#last = at;
    const more = [];
    if (score !== undefined) more.push(`The word was heard with ${Math.round(score * 100)} % certainty.`);
    if (ended !== undefined) more.push(`Understood ${(Math.max(0, at - ended) / 1000).toFixed(2)} s after the last word.`);
    this.list.append(
      element(
        "li",
        { "data-step": step, class: begins ? "begins" : null },
        element("span", { class: "delay small" }, delay),
        element("span", { class: "kind" }, NAMES[step] ?? step),
        element("span", { class: "text" }, harmless(text), more.length > 0 ? element("span", { class: "small soft" }, ` ${more.join(" ")}`) : null),
      ),
    );
    while (this.list.children.length > STEPS_MAX) this.list.firstChild.remove();
    this.list.parentElement?.scrollTo({ top: this.list.scrollHeight });
  }
}
