// A line's last day as a picture: a strip of half hours, and the same in words.

import { drawing, element } from "../dom.js";
import { sentence } from "../parts.js";

const HALF_HOUR_MS = 1_800_000;
const HALF_HOURS = 48;
const CELL = 10;
const HIGH = 32;
/** More times of trouble than these are counted, not named. */
const NAMED_MAX = 3;

const CLOCK = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });

/** "good", "trouble" or "unseen" for each half hour, the oldest first, and why there was trouble. */
export function halfHours(seen, now) {
  const last = Math.floor(now / HALF_HOUR_MS);
  const known = new Map(seen.map((half) => [Math.floor(half.began_at_ms / HALF_HOUR_MS), half]));
  return Array.from({ length: HALF_HOURS }, (_, at) => {
    const number = last - HALF_HOURS + 1 + at;
    const half = known.get(number);
    const state = half === undefined || !(half.up || half.down) ? "unseen" : half.down ? "trouble" : "good";
    return { state, began: number * HALF_HOUR_MS, trouble: half?.trouble ?? null };
  });
}

/** The times of one state, from when to when; half hours that follow each other are one time. */
function times(halves, wanted) {
  const found = [];
  for (const { state, began, trouble } of halves) {
    if (state !== wanted) continue;
    const before = found.at(-1);
    const ends = began + HALF_HOUR_MS;
    if (before?.ends === began) Object.assign(before, { ends, trouble: trouble ?? before.trouble });
    else found.push({ began, ends, trouble });
  }
  return found;
}

function spoken({ began, ends, trouble }) {
  const why = trouble === null ? "" : ` (${trouble.replaceAll("_", " ")})`;
  return `${CLOCK.format(began)} to ${CLOCK.format(ends)}${why}`;
}

function named(found) {
  const left = found.length - NAMED_MAX;
  return `${found.slice(-NAMED_MAX).map(spoken).join(", ")}${left > 0 ? ` and ${left} more` : ""}`;
}

/** What the strip shows, in words. */
export function inWords(halves) {
  const [trouble, unseen] = [times(halves, "trouble"), times(halves, "unseen")];
  if (halves.every(({ state }) => state === "unseen")) return "Nobody looked at this line in the last day.";
  const parts = [trouble.length === 0 ? "no trouble was seen in the last day" : `trouble from ${named(trouble)}`];
  if (unseen.length > 0) parts.push(`nobody looked from ${named(unseen.map((time) => ({ ...time, trouble: null })))}`);
  return `${sentence(parts.join("; "))}.`;
}

/** The strip. Trouble is tall, what worked is low, where nobody looked stands a dot: no colour is needed to read it. */
export function dayPicture(seen, now = Date.now()) {
  const halves = halfHours(seen, now);
  const words = inWords(halves);
  const shapes = halves.map(({ state, began }, at) => {
    const x = at * CELL + 1;
    const title = drawing("title", {}, `${CLOCK.format(began)} ${{ good: "worked", trouble: "trouble", unseen: "nobody looked" }[state]}`);
    if (state === "unseen") return drawing("circle", { class: "unseen", cx: x + CELL / 2 - 1, cy: HIGH - 4, r: 1.5 }, title);
    const high = state === "trouble" ? HIGH : HIGH / 2;
    return drawing("rect", { class: state, x, y: HIGH - high, width: CELL - 2, height: high, rx: 1.5 }, title);
  });
  return element(
    "figure",
    { class: "day" },
    drawing("svg", { viewBox: `0 0 ${HALF_HOURS * CELL} ${HIGH}`, preserveAspectRatio: "none", role: "img", "aria-label": `The last day in half hours. ${words}` }, shapes),
    element("div", { class: "row spread small soft", "aria-hidden": "true" }, element("span", {}, CLOCK.format(halves[0].began)), element("span", {}, CLOCK.format(halves[HALF_HOURS / 2].began)), element("span", {}, "now")),
    element("figcaption", { class: "small" }, words),
  );
}
