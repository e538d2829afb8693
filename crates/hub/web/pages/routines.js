// What happens when somebody's service calls the home: routines, the key of their addresses, and where notifications go.
// No routine can call anybody: there is no action for it.

import { change, get } from "../api.js";
import { element, harmless } from "../dom.js";
import { action, badge, card, choice, field, form, names, row, rows, when } from "../parts.js";

const ACTIONS = { announce: "All speakers say something", message: "A message to a person", ring: "A person’s phones ring", light: "Lights are switched", notify: "A notification to a service" };
const SERVICES = { ntfy: "ntfy", gotify: "Gotify", webhook: "Anything that takes JSON" };

const SETTINGS = { on: "On", off: "Off", brightness: "So bright", colour: "Of this colour" };
const COLOURS = ["red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink", "white"];
const BECAME = { waiting: ["", "not answered yet"], done: ["good", "done"], refused: ["bad", "not done"], missed: ["warn", "the speaker was away"] };

/** The key that was made on this page; shown until the person goes elsewhere. */
let made = null;
addEventListener("hashchange", () => (made = null));

export async function routines({ who, redraw }) {
  const [all, people, devices, orders] = await Promise.all([get("routines"), get("people"), get("devices"), get("light-orders")]);
  const speakers = devices.filter(({ kind, revoked_at_ms: gone }) => kind === "speaker" && gone === null);
  const owner = who.person.role === "owner";
  const named = new Map([...names(people), ...names(speakers)]);
  return [
    element("p", { class: "banner" }, "A service of yours calls an address of this home, and what you wrote below happens. None of it can call anybody, and nothing here can call for help."),
    card(
      "Routines",
      rows(all.routines.map((routine, at) => routineRow(routine, at, named, owner, redraw)), "No routine yet."),
      owner ? element("details", {}, element("summary", {}, "Add a routine"), addRoutine(all.targets, people, speakers, redraw)) : null,
    ),
    orders.length === 0 ? null : card("Lights that routines wanted", rows(orders.map((order) => orderRow(order, names(devices))), "")),
    element(
      "div",
      { class: "columns" },
      owner ? card("The address that services call", ...address(redraw)) : null,
      card(
        "Where notifications go",
        rows(all.targets.map((target) => targetRow(target, all.routines, owner, redraw)), "No service yet. Phones with the app are told of calls and messages anyway: see Settings, also for what a service is told of by itself."),
        owner ? element("details", {}, element("summary", {}, "Add a service"), addTarget(redraw)) : null,
      ),
    ),
  ];
}

/** What an action does, in words. */
function words(doing, named) {
  const [kind] = Object.keys(doing);
  const given = doing[kind];
  const person = named.get(given.person) ?? "somebody who left";
  switch (kind) {
    case "announce":
      return `All speakers say “${given.text}”`;
    case "message":
      return `A message to ${person}: “${given.text}”`;
    case "ring":
      return `The phones of ${person} ring`;
    case "light":
      return `${named.get(given.speaker) ?? "A speaker that left"}: ${lights(given.order)}`;
    case "notify":
      return `A notification to ${given.target}: ${given.title ? `“${given.title}”, ` : ""}“${given.text}”`;
    default:
      return kind;
  }
}

/** Which lights, and what they are to be. */
function lights({ light, room, set }) {
  const which = light ? `“${light}”${room ? ` in ${room}` : ""}` : `all lights ${room ? `in ${room}` : "of its room"}`;
  if (set === "on" || set === "off") return `${which} ${set}`;
  return set.brightness === undefined ? `${which} ${set.colour}` : `${which} at ${set.brightness} %`;
}

/** What became of lights that were wanted. */
function orderRow({ device, order, at_ms: at, state, why }, speakers) {
  const [tone, text] = BECAME[state] ?? ["", state];
  const details = element("span", {}, `${speakers.get(device) ?? "a speaker that left"} · `, when(at), why === null ? "" : ` · ${harmless(why)}`);
  return row(lights(order), details, badge(tone, text));
}

function routineRow(routine, at, named, owner, redraw) {
  const remove = async () => {
    if (!confirm(`Delete the routine of ${routine.event}?`)) return;
    await rewrite((all) => all.routines.splice(all.routines.findIndex((other, index) => index >= at && other.event === routine.event), 1));
    await redraw();
  };
  const doings = routine.actions.map((doing) => element("li", {}, words(doing, named)));
  return row(
    element("span", {}, "When ", element("code", {}, routine.event), " is called"),
    doings.length === 0 ? "nothing happens" : element("ol", { class: "doings" }, doings),
    owner ? action("Delete", remove, { "aria-label": `Delete the routine of ${routine.event}` }) : null,
  );
}

/** The routines as they stand now, changed and written as a whole. */
async function rewrite(changing) {
  const all = await change("GET", "routines");
  changing(all);
  await change("PUT", "routines", all);
}

function addRoutine(targets, people, speakers, redraw) {
  const event = element("input", { required: true, maxlength: 64, pattern: "[A-Za-z0-9_\\-]+", autocapitalize: "none", spellcheck: "false" });
  const kinds = Object.entries(ACTIONS).filter(([kind]) => (kind !== "notify" || targets.length > 0) && (kind !== "light" || speakers.length > 0));
  const kind = choice(kinds, "announce");
  const text = element("input", { required: true, maxlength: 1000 });
  const person = choice(people.map(({ id, name }) => [id, name]), null);
  const target = choice(targets.map(({ name }) => [name, name]), null);
  const title = element("input", { maxlength: 1000 });
  const speaker = choice(speakers.map(({ id, name }) => [id, name]), null);
  const light = element("input", { maxlength: 120 });
  const room = element("input", { maxlength: 120 });
  const set = choice(Object.entries(SETTINGS), "on");
  const percent = element("input", { type: "number", min: 0, max: 100, step: 1, value: 50, required: true });
  const colour = choice(COLOURS.map((name) => [name, name]), null);
  const parts = {
    person: field("Whom", person),
    target: field("Service", target),
    speaker: field("Which speaker", speaker, "the one that switches these lights when it is told to"),
    light: field("Which light", light, "by its name, as you say it; empty: all of the room"),
    room: field("In which room", room, "empty: where the speaker stands"),
    set: field("What it shall be", set),
    percent: field("How bright, in per cent", percent),
    colour: field("Which colour", colour),
    title: field("Title", title, "may be empty"),
    text: field("Words", text, "{{value1}}, {{value2}}, {{value3}} and {{event}} stand for what the service sends"),
  };
  const wanted = { announce: ["text"], message: ["person", "text"], ring: ["person"], light: ["speaker", "light", "room", "set"], notify: ["target", "title", "text"] };
  const show = () => {
    for (const [name, part] of Object.entries(parts)) part.hidden = !wanted[kind.value].includes(name);
    text.required = wanted[kind.value].includes("text");
    parts.percent.hidden = percent.disabled = kind.value !== "light" || set.value !== "brightness";
    parts.colour.hidden = kind.value !== "light" || set.value !== "colour";
  };
  kind.addEventListener("change", show);
  set.addEventListener("change", show);
  show();
  const send = async () => {
    const given = {
      announce: () => ({ text: text.value }),
      message: () => ({ person: person.value, text: text.value }),
      ring: () => ({ person: person.value }),
      light: () => ({
        speaker: speaker.value,
        order: { light: light.value.trim() || null, room: room.value.trim() || null, set: { brightness: { brightness: Number(percent.value) }, colour: { colour: colour.value } }[set.value] ?? set.value },
      }),
      notify: () => ({ target: target.value, title: title.value || null, text: text.value }),
    }[kind.value]();
    await rewrite((all) => {
      const doing = { [kind.value]: given };
      const before = all.routines.find((routine) => routine.event === event.value);
      if (before === undefined) all.routines.push({ event: event.value, actions: [doing] });
      else before.actions.push(doing);
    });
    await redraw();
  };
  return form("Add", send, field("Name", event, "letters, digits, _ and -; the service calls it by this name, and the same name again adds to it"), field("What happens", kind), ...Object.values(parts));
}

function address(redraw) {
  const renew = async () => {
    if (!confirm("Make a new key? Services that call with the key of before are refused from then on.")) return;
    made = await change("POST", "routines/key");
    await redraw();
  };
  const fresh = made === null ? [] : [
    element(
      "div",
      { class: "banner good stack", "data-busy": true },
      element("p", {}, element("strong", {}, "Copy it now: it is not shown again.")),
      element("p", {}, "Put the routine’s name in the place of EVENT."),
      element("p", {}, element("code", { id: "trigger-url" }, made.url)),
      element("p", {}, "For services that send JSON of their own:"),
      element("p", {}, element("code", {}, made.json_url)),
    ),
  ];
  return [
    element("p", {}, "The key in the address is all that a service shows. Whoever knows it can start your routines, and nothing else."),
    ...fresh,
    action("Make a new key", renew),
  ];
}

function targetRow(target, all, owner, redraw) {
  const used = all.filter(({ actions }) => actions.some((doing) => doing.notify?.target === target.name)).length;
  const remove = async () => {
    await rewrite((kept) => (kept.targets = kept.targets.filter(({ name }) => name !== target.name)));
    await redraw();
  };
  return row(
    target.name,
    element("span", {}, SERVICES[target.kind], ", ", element("code", {}, target.url)),
    used > 0 ? badge("", `used by ${used} routine${used === 1 ? "" : "s"}`) : null,
    owner && used === 0 ? action("Remove", remove, { "aria-label": `Remove ${target.name}` }) : null,
  );
}

function addTarget(redraw) {
  const name = element("input", { required: true, maxlength: 120 });
  const kind = choice(Object.entries(SERVICES), "ntfy");
  const url = element("input", { required: true, maxlength: 1000, inputmode: "url", autocapitalize: "none", spellcheck: "false" });
  const token = element("input", { type: "password", maxlength: 200, autocomplete: "off" });
  const send = async () => {
    await rewrite((all) => all.targets.push({ name: name.value, kind: kind.value, url: url.value, ...(token.value === "" ? {} : { token: token.value }) }));
    token.value = "";
    await redraw();
  };
  return form("Add", send, field("Name", name), field("What it is", kind), field("Its address", url, "on the machine of the hub; nothing is sent anywhere else"), field("Token", token, "as the service gave it; never shown again"));
}
