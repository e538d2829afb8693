// What the speaker's skills hold: timers that count, alarms, lists, what plays, and what burns in the house.

import { element, harmless } from "./dom.js";

const TICK_MS = 500;
const CLOCK = new Intl.DateTimeFormat("en", { weekday: "short", hour: "2-digit", minute: "2-digit" });
/** More than these are counted, not shown. */
const ROWS_MAX = 60;
/** States in which a thing does something. */
const BUSY = ["on", "open", "opening", "closing", "unlocked", "heat", "cool", "heat_cool", "auto", "dry", "fan_only"];
const STATES = { on: "on", off: "off", unavailable: "not there", heat_cool: "heats and cools", fan_only: "fan only" };

/** 1:05:09, or 5:09. */
function lasting(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const end = String(seconds % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${end}` : `${minutes}:${end}`;
}

export class Holding {
  #shown = new Map();
  #counting = [];

  constructor() {
    this.place = element("div", { class: "story" });
    setInterval(() => this.#count(), TICK_MS);
  }

  clear() {
    this.#shown.clear();
    this.#counting = [];
    this.place.replaceChildren();
  }

  /** What a skill holds from now on. */
  show(skill, holds) {
    const draw = { agenda, music, house }[skill];
    if (draw === undefined) return;
    const counting = [];
    const parts = draw(holds, (text, attributes) => {
      const place = element("span", attributes);
      counting.push({ place, text });
      return place;
    });
    const card = parts.length === 0 ? null : element("section", { class: "card", "data-holds": skill }, parts);
    this.#shown.set(skill, { card, counting });
    // In one order, whatever came first.
    const all = ["agenda", "music", "house"].map((name) => this.#shown.get(name)).filter((found) => found?.card);
    this.place.replaceChildren(...all.map((found) => found.card));
    this.#counting = all.flatMap((found) => found.counting);
    this.#count();
  }

  #count() {
    for (const { place, text } of this.#counting) {
      const now = text();
      if (place.textContent !== now) place.textContent = now;
    }
  }
}

function list(items) {
  const more = items.length - ROWS_MAX;
  return element("ul", { class: "held" }, items.slice(0, ROWS_MAX), more > 0 ? element("li", { class: "soft" }, `and ${more} more`) : null);
}

function line(title, ...right) {
  return element("li", {}, element("span", { class: "grow" }, title), ...right);
}

/** A part with its heading, or nothing when there is nothing in it. */
function part(title, items) {
  return items.length === 0 ? [] : [element("h2", {}, title), list(items)];
}

function agenda({ timers, alarms, lists, stopwatch }, counted) {
  const count = (text, name) => counted(text, { role: "timer", class: "count", "aria-label": name });
  const running = timers.map(({ name, length_ms: length, left_ms: left, due_ms: due, paused, command }) => {
    const called = name ?? command ?? "Timer";
    return line(
      element("span", {}, harmless(called), element("span", { class: "small soft" }, ` of ${lasting(length)}${paused ? ", paused" : ""}`)),
      // By the clock of the wall: whoever looks later sees what is left then.
      count(() => lasting(due === null ? left : due - Date.now()), `Left of ${harmless(called)}`),
    );
  });
  const rings = alarms.map(({ rings_ms: at, repeats, snoozed, text, to }) =>
    line(
      element("span", {}, text === null ? "Alarm" : harmless(text), to === null ? null : ` for ${harmless(to)}`),
      element("span", { class: "small soft" }, [repeats ? "again and again" : null, snoozed ? "snoozed" : null].filter((word) => word !== null).join(", ")),
      at === null ? null : element("time", { datetime: new Date(at).toISOString() }, CLOCK.format(at)),
    ));
  const watch = stopwatch === null ? [] : [line(stopwatch.since_ms === null ? "Stopwatch, stopped" : "Stopwatch", count(() => lasting(stopwatch.counted_ms + (stopwatch.since_ms === null ? 0 : Date.now() - stopwatch.since_ms)), "Stopwatch"))];
  const lines = Object.entries(lists).flatMap(([name, items]) =>
    part(`List: ${harmless(name)}`, items.map(({ text, done }) => line(element(done ? "s" : "span", {}, harmless(text)), done ? element("span", { class: "small soft" }, "done") : null))));
  return [...part("Timers", [...running, ...watch]), ...part("Alarms and reminders", rings), ...lines];
}

function music({ state, title, artist, album, station, position_ms: position, at_ms: at, length_ms: length, percent, held, rooms, sleep_ms: sleep, shuffle, repeat }, counted) {
  if (state === "stopped") return [];
  const going = () => lasting(position + (state === "playing" && !held ? Date.now() - at : 0));
  const more = [
    state === "paused" ? "paused" : held ? "waits until nobody speaks" : null,
    shuffle ? "shuffled" : null,
    typeof repeat === "string" && repeat !== "off" ? `repeats ${repeat}` : repeat === true ? "repeats" : null,
    typeof percent === "number" ? `volume ${percent} %` : null,
    (rooms ?? []).length > 0 ? `in ${rooms.join(", ")}` : null,
    typeof sleep === "number" ? `ends at ${CLOCK.format(sleep)}` : null,
  ].filter((word) => word !== null);
  return [
    element("h2", {}, state === "playing" ? "Plays" : "Music"),
    list([
      line(
        element("span", {}, element("strong", {}, harmless(title ?? station ?? "Music")), [artist, album, title === null ? null : station].filter((name) => name != null).map((name) => `, ${harmless(name)}`)),
        counted(() => (length === null ? going() : `${going()} of ${lasting(length)}`), { class: "count" }),
      ),
    ]),
    element("p", { class: "small soft" }, harmless(more.join(" · "))),
  ];
}

function house({ things, systems }) {
  const silent = systems.filter(({ answers }) => !answers);
  if (things.length === 0 && silent.length === 0) return [];
  const row = (thing) => {
    const { name, area, domain, state, percent, rgb_color: rgb, reachable } = thing;
    const words = [reachable ? (STATES[state] ?? state) : "does not answer", typeof percent === "number" && state === "on" ? `${percent} %` : null];
    const lamp = element("span", { class: `lamp ${burns(thing) && ["light", "switch"].includes(domain) ? "lit" : ""}`, "aria-hidden": "true" });
    // Set by the program, not as an attribute: the page's policy allows no styles of strangers.
    if (burns(thing) && Array.isArray(rgb)) lamp.style.backgroundColor = `rgb(${rgb.map(Number).join(" ")})`;
    return element(
      "li",
      { "data-thing": name, "data-state": state },
      lamp,
      element("span", { class: "grow" }, harmless(name), area ? element("span", { class: "small soft" }, ` ${harmless(area)}`) : null),
      element("span", { class: "small" }, domain === "light" ? "" : `${domain} `, harmless(words.filter((word) => word !== null).join(", "))),
    );
  };
  const lights = things.filter(({ domain }) => domain === "light");
  const busy = things.filter(burns);
  const quiet = things.filter((thing) => !burns(thing));
  return [
    element("h2", {}, `Lights: ${lights.filter(burns).length} of ${lights.length} on`),
    ...silent.map(({ name, why }) => element("p", { class: "banner warn small" }, `${harmless(name)} does not answer${why ? `: ${harmless(why)}` : ""}`)),
    busy.length > 0 ? list(busy.map(row)) : null,
    quiet.length > 0 ? element("details", {}, element("summary", {}, busy.length > 0 ? "All the rest" : "All things"), list(quiet.map(row))) : null,
  ];
}

function burns({ state, reachable }) {
  return reachable && BUSY.includes(state);
}
