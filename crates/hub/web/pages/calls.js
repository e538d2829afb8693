// What is remembered of calls. This page reads; it starts none.

import { get } from "../api.js";
import { element } from "../dom.js";
import { badge, card, names, row, rows, when } from "../parts.js";

const STATES = { early: ["warn", "ringing"], confirmed: ["good", "in a call"], ended: ["", "ended"], missed: ["bad", "missed"] };
const DIRECTIONS = { incoming: "from outside", outgoing: "to outside", inside: "in the home", outside: "between two outside" };
const ENDINGS = { hung_up: "the first hung up", other_hung_up: "the second hung up", not_joined: "they were not connected", time_up: "it had lasted for as long as it may", line_lost: "a line was lost", hub_stopped: "the hub was stopped" };

export async function calls() {
  const [all, devices, contacts] = await Promise.all([get("calls?limit=100"), get("devices"), get("contacts")]);
  const [device, contact] = [names(devices), names(contacts)];
  const rowOf = (call) => {
    const other = contact.get(call.contact) ?? device.get(call.other_device) ?? call.number ?? "unknown number";
    const own = device.get(call.device);
    const [tone, word] = STATES[call.state];
    const length = call.answered_at_ms !== null && call.ended_at_ms !== null ? `, ${lasted(call.ended_at_ms - call.answered_at_ms)}` : "";
    const second = contact.get(call.other_end?.contact) ?? call.other_end?.number ?? "unknown number";
    const words = call.direction === "outside" ? `${other} with ${second}${own ? `, joined by ${own}` : ""}` : own ? (call.direction === "incoming" ? `${other} to ${own}` : `${own} to ${other}`) : other;
    return row(
      words,
      element("span", {}, DIRECTIONS[call.direction], ", ", when(call.started_at_ms), length, call.ending in ENDINGS ? `, ${ENDINGS[call.ending]}` : ""),
      call.emergency ? badge("warn", "drill of a call for help") : null,
      badge(tone, word),
    );
  };
  return [card("Last calls", rows(all.map(rowOf), "No calls yet. Say “Alexa, call the kitchen”."))];
}

function lasted(ms) {
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
