// What a checked bundle looks like: its claims, its sound with the marks in it, why the device did what it did, and the
// course of the incident. It was written by strangers and goes in as text.

import { drawing, element, harmless } from "../dom.js";

const VERDICTS = { holds: ["good", "✓"], unproven: ["warn", "○"], "not provable": ["", "–"], FAILS: ["bad", "✕"], "cannot tell": ["bad", "?"] };
const CLAIMS = {
  files: "Files",
  "(a) order": "Order",
  keys: "Keys",
  restarts: "Restarts",
  late: "Late entries",
  drill: "Drill",
  audio: "Sound files",
  summary: "Summary",
  witness: "Witness",
  "(b) time": "Time",
  "(c) device": "Device",
  "(d) sound": "Real sound",
};

/** A claim of the check. */
export function claimRow({ what, verdict, detail }) {
  const [tone, sign] = VERDICTS[verdict];
  return element(
    "li",
    { "data-claim": what, "data-verdict": verdict },
    element("strong", {}, CLAIMS[what] ?? what),
    element("span", { class: `badge ${tone}` }, element("span", { "aria-hidden": "true" }, sign), verdict),
    element("span", { class: "detail" }, harmless(detail)),
  );
}

function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${(seconds % 60).toFixed(1).padStart(4, "0")}`;
}

/** A file of sound: its waveform, where the wake word and the speech are in it, and a player. */
export function soundRow({ name, start: from, bytes, rate, stream, seconds, peaks, marks }, file) {
  const url = URL.createObjectURL(file.slice(from, from + bytes, "audio/wav"));
  const audio = element("audio", { controls: true, preload: "metadata", src: url, "aria-label": `Sound of the ${stream}` });
  const [wide, high] = [peaks.length, 100];
  const upper = peaks.map(([, top], at) => `L${at} ${(50 - 48 * top).toFixed(1)}`);
  const lower = peaks.map(([low], at) => `L${at} ${(50 - 48 * low).toFixed(1)}`).reverse();
  const head = drawing("line", { class: "head", x1: 0, x2: 0, y1: 0, y2: high });
  const wave = drawing(
    "svg",
    { class: "wave", viewBox: `0 0 ${wide} ${high}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    marks.filter(({ kind }) => kind === "transcript").map((mark) =>
      drawing("rect", { class: "speech", x: mark.from * wide, width: Math.max((mark.to - mark.from) * wide, 1), y: 0, height: high })),
    drawing("path", { class: "sound", d: `M0 50${upper.join("")}L${wide - 1} 50${lower.join("")}Z` }),
    marks.filter(({ kind }) => kind === "wake").map((mark) =>
      drawing("line", { class: "wake", x1: mark.from * wide, x2: mark.from * wide, y1: 0, y2: high })),
    head,
  );
  const follow = () => {
    const x = (audio.currentTime / seconds) * wide;
    head.setAttribute("x1", x);
    head.setAttribute("x2", x);
    if (!audio.paused) requestAnimationFrame(follow);
  };
  for (const kind of ["play", "seeked", "pause"]) audio.addEventListener(kind, follow);
  wave.addEventListener("click", (event) => {
    const box = wave.getBoundingClientRect();
    audio.currentTime = ((event.clientX - box.left) / box.width) * seconds;
  });
  const words = marks.toSorted((a, b) => a.from - b.from).map(({ kind, from: at, word }) =>
    kind === "wake" ? `${clock(at * seconds)} the wake word “${harmless(word)}”` : `${clock(at * seconds)} “${harmless(word)}”`);
  return element(
    "div",
    {},
    element("h3", {}, `${stream === "microphone" ? "Microphone" : stream === "call-taker" ? "Call-taker" : stream}, ${clock(seconds)}`),
    element("p", { class: "small soft" }, element("code", {}, name), `, ${rate} samples a second`),
    wave,
    audio,
    words.length > 0 ? element("p", { class: "small" }, `Marked: ${words.join("; ")}`) : null,
  );
}

/** Why the device did what it did, a line for each reason. */
export function reasons(explained) {
  return element("dl", { class: "reasons" }, explained.flatMap(({ word, text }) => [element("dt", {}, word), element("dd", {}, harmless(text))]));
}

/** The incident from its first entry on, with the delays between. */
export function timelineOf({ rows, left }) {
  let before = 0;
  const events = new Set(["wake", "decision", "call", "end", "human"]);
  const items = rows.map(({ kind, words, ms, wall }) => {
    const gap = ms === null ? 0 : ms - before;
    if (ms !== null) before = ms;
    return element(
      "li",
      { class: events.has(kind) ? "event" : "" },
      element("time", { class: "small soft", title: wall ?? "the device knew no time" }, ms === null ? "after a restart" : `${(ms / 1000).toFixed(3)} s`),
      element(
        "span",
        { class: "what" },
        element("strong", {}, harmless(kind)),
        ` ${harmless(words)}`,
        gap >= 1000 ? element("span", { class: "small soft" }, ` (${(gap / 1000).toFixed(1)} s later)`) : null,
      ),
    );
  });
  return [
    element("p", { class: "small soft" }, "Timed from the incident’s first entry by the device’s own clock; made from the entries, no evidence itself."),
    element("ol", { class: "timeline" }, items),
    left > 0 ? element("p", {}, `${left} more entries are in the bundle.`) : null,
  ];
}
