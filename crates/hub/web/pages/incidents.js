// Incidents that devices reported. The verdict on a record is made where it is looked at: here too, byte by byte.

import { get } from "../api.js";
import { element } from "../dom.js";
import { badge, card, names, row, rows, sentence, when } from "../parts.js";
import { claimRow, reasons, soundRow, timelineOf } from "../verify/shown.js";

export const OUTCOMES = {
  answered: ["good", "call answered"],
  unanswered: ["bad", "nobody answered"],
  cancelled: ["", "cancelled"],
  not_called: ["", "no call"],
  open: ["warn", "goes on"],
};

const EXITS = [
  ["good", "Nothing in it was changed, and witnesses saw it."],
  ["warn", "Nothing in it was changed. No witness that this page knows has seen it."],
  ["bad", "Do not rely on it: something was changed."],
  ["bad", "This page cannot read the bundle."],
];

export async function incidents() {
  const [all, devices] = await Promise.all([get("incidents?limit=100"), get("devices")]);
  const named = names(devices);
  const place = element("div", { class: "stack" });
  return [
    place,
    card("Reported by your devices", rows(all.map((incident) => rowOf(incident, named, place)), "No incident was reported. That is the best page of this app.")),
    card(
      "What a verdict rests on",
      element("p", {}, "A bundle that the hub has was found unchanged when it came. Whoever opens it here, or checks the download on ", element("a", { href: "/verify.html" }, "the page of one file"), " without this hub, checks every byte of it again."),
    ),
  ];
}

function rowOf(incident, named, place) {
  const [tone, word] = OUTCOMES[incident.outcome];
  const name = `${named.get(incident.device) ?? "A device"}, ${TIME.format(incident.opened_at_ms)}`;
  const { bundle } = incident;
  const details = element("span", {}, when(incident.opened_at_ms), `, ${incident.entries} entries, bundle `, element("code", {}, `${incident.bundle_sha256.slice(0, 16)}…`));
  const hidden = element("span", { class: "hidden" }, ` of ${name}`);
  const address = `/api/v1/incidents/${incident.id}/bundle`;
  const open = () => show(incident, name, address, place, button);
  const button = element("button", { type: "button", class: "plain", click: open }, "Look at it", hidden);
  return row(
    name,
    details,
    incident.drill ? badge("warn", "drill") : null,
    badge(tone, word),
    ...(bundle === null
      ? [element("a", { href: `/verify.html#${incident.bundle_sha256}` }, "Check its bundle", hidden)]
      : [
          badge("good", bundle.verdict === "witnessed" ? "intact and witnessed" : "intact"),
          button,
          element("a", { class: "button", href: address, download: `incident-${incident.id}.zip` }, "Download", hidden.cloneNode(true)),
        ]),
  );
}

const TIME = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

/** Fetches the bundle, checks it beside the page, and shows what is in it. */
async function show(incident, name, address, place, button) {
  button.disabled = true;
  const status = element("p", { role: "status", class: "soft" }, "Checking every byte …");
  // What is being read is not drawn anew by an event.
  const shown = card(name, status);
  shown.dataset.busy = "";
  shown.querySelector("h2").tabIndex = -1;
  const close = () => {
    shown.remove();
    button.focus();
  };
  shown.append(element("div", { class: "row" }, element("button", { type: "button", class: "plain", click: close }, "Close")));
  place.replaceChildren(shown);
  shown.querySelector("h2").focus();
  try {
    const file = await fetched(address);
    const report = await checked(file);
    status.replaceWith(...parts(report, incident, file));
  } catch (problem) {
    status.replaceWith(element("p", { class: "banner bad", role: "alert" }, sentence(problem.message)));
  }
  button.disabled = false;
}

async function fetched(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error((await answer.json().catch(() => null))?.detail ?? `the hub answered ${answer.status}`);
  return answer.blob();
}

/** What the verifier says, in a worker of its own: a large bundle freezes nothing. */
function checked(file) {
  const worker = new Worker("/verify/beside.js", { type: "module" });
  const done = new Promise((resolve, reject) => {
    worker.addEventListener("error", () => reject(new Error("this browser did not run the check")));
    worker.addEventListener("message", ({ data }) => {
      if (data.kind === "report") resolve(data);
      if (data.kind === "refused") reject(new Error(data.why));
    });
  });
  worker.postMessage({ file, policy: "", device: "", heads: [] });
  return done.finally(() => worker.terminate());
}

function parts({ exit, claims, facts, sounds, timeline, explained }, incident, file) {
  const [tone, words] = EXITS[exit];
  const same = facts?.sha256 === incident.bundle_sha256;
  const open = (title, ...children) => element("details", {}, element("summary", {}, title), ...children);
  const section = (title, ...children) => element("section", { class: "stack" }, element("h3", {}, title), ...children);
  const head = [
    element("p", { class: `banner ${same ? tone : "bad"}`, id: "verdict", "data-exit": exit }, same ? words : "This is not the bundle that the device reported."),
  ];
  const list = open("What was checked", element("ol", { class: "claims" }, claims.map(claimRow)));
  if (exit > 1 || !same) return [...head, list];
  return [
    ...head,
    explained.length > 0 ? section("Why it did that", reasons(explained)) : null,
    sounds.length > 0 ? section("What was heard", ...sounds.map((sound) => soundRow(sound, file))) : null,
    open("What happened, step by step", ...timelineOf(timeline)),
    list,
  ].filter((part) => part !== null);
}
