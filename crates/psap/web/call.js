// One call as the call-taker reads it: who and where, what the device adds, what happened when, what was checked.

import { element, harmless } from "./dom.js";
import { map } from "./map.js";

const SERVICES = {
  "urn:service:sos": "Emergency",
  "urn:service:sos.ambulance": "Ambulance",
  "urn:service:sos.fire": "Fire brigade",
  "urn:service:sos.police": "Police",
};
const MOMENTS = {
  arrived: "Call arrived",
  ringing: "Ringing",
  answered: "Answered",
  confirmed: "Caller connected",
  first_audio: "Caller’s first sound",
  audio_lost: "Caller not heard",
  audio_resumed: "Caller heard again",
  ended: "Ended",
};
const CIVIC = {
  country: "Country", A1: "State", A2: "County", A3: "Town", A4: "District", A5: "Neighbourhood", A6: "Street",
  RD: "Street", STS: "Street type", HNO: "House number", HNS: "House number suffix", LMK: "Landmark",
  LOC: "In the house", NAM: "Name", PC: "Postal code", BLD: "Building", UNIT: "Unit", FLR: "Floor", ROOM: "Room",
};
const BLOCKS = {
  ProviderInfo: "Who adds this",
  ServiceInfo: "The line",
  DeviceInfo: "The device",
  SubscriberInfo: "The household",
  Comment: "Remarks",
};

export function serviceName(service) {
  return service === null ? "No service named" : (SERVICES[service] ?? service);
}

/** The cards below the head of a call. */
export function cards(report) {
  return [
    element("div", { class: "columns" }, place(report), caller(report), timeline(report), ...report.data.map(block)),
    facts(report),
  ];
}

function card(title, ...children) {
  return element("section", { class: "card" }, element("h2", {}, title), ...children);
}

function list(fields) {
  return element("dl", {}, fields.flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, harmless(value))]));
}

function place({ place }) {
  if (place === null) return card("Where", element("p", { class: "banner bad" }, "The call says nothing of where it comes from. Ask."));
  return card(
    "Where",
    place.shape === null ? null : map(place.shape),
    list(place.civic.map(([name, value]) => [CIVIC[name] ?? name, value])),
    place.methods.length > 0 ? element("p", { class: "small soft" }, `How it is known: ${harmless([...new Set(place.methods)].join(", "))}`) : null,
  );
}

function caller(report) {
  const fields = [["Service", serviceName(report.service)]];
  if (report.callback !== null) fields.push(["Call back", report.callback]);
  const identity = report.facts.find(({ name, ok }) => name === "identity" && ok);
  if (identity !== undefined) fields.push(["Number", identity.value.replace(/^<|>$/g, "")]);
  fields.push(["By", report.transport.toUpperCase()]);
  if (report.digits !== "") fields.push(["Keys pressed", report.digits]);
  const media = report.media;
  if (media !== null) {
    fields.push(["Sound", `${media.received_packets} packets heard, ${media.lost} lost, jitter ${media.jitter_ms.toFixed(1)} ms`]);
    if (media.rtt_ms !== null) fields.push(["Round trip", `${media.rtt_ms.toFixed(0)} ms`]);
  }
  return card("The caller", list(fields));
}

function timeline({ timeline }) {
  let before = 0;
  const items = timeline.map(({ after_ms, what }) => {
    const delay = after_ms - before;
    before = after_ms;
    return element(
      "li",
      { class: what === "audio_lost" ? "bad" : null },
      element("span", { class: "time" }, seconds(after_ms)),
      MOMENTS[what] ?? what,
      element("span", { class: "small soft time" }, delay > 0 ? `+${delay} ms` : ""),
    );
  });
  return card("What happened", element("ol", { class: "timeline" }, items));
}

export function seconds(ms) {
  return `${(ms / 1000).toFixed(2)} s`;
}

function block({ kind, fields }) {
  return card(BLOCKS[kind] ?? kind, list(fields));
}

function facts({ facts }) {
  const wrong = facts.filter(({ ok }) => !ok);
  const line = ({ name, ok, value, clause }) =>
    element(
      "li",
      {},
      element("span", { class: `badge ${ok ? "good" : "bad"}` }, ok ? "ok" : "wrong"),
      ` ${name}: ${harmless(value)} `,
      element("span", { class: "small soft" }, clause),
    );
  return element(
    "section",
    { class: "card" },
    element("h2", {}, wrong.length === 0 ? `All ${facts.length} checks passed` : `${wrong.length} of ${facts.length} checks failed`),
    wrong.length === 0 ? null : element("ul", { class: "rows" }, wrong.map(line)),
    element("details", { "data-keep": "facts" }, element("summary", {}, "Every check"), element("ul", { class: "rows" }, facts.map(line))),
  );
}
