// Why the device did what it did, in words, out of the incident's own entries.

import { OUTCOMES } from "./summary.js";

const two = (figure) => figure.toFixed(2);

/** A line for each reason: `{ word, text }`. What the incident does not have is not among them. */
export function explained(entries) {
  const own = entries.filter(({ incident, body }) => incident !== null && body !== null);
  const last = (kind) => own.findLast((entry) => entry.kind === kind)?.body;
  // The decision that the incident is about: the last one that was no cancelling.
  const decided = own.findLast(({ kind, body }) => kind === "decision" && body.outcome !== "cancel");
  const before = (kind) => own.findLast((entry) => entry.kind === kind && (decided === undefined || entry.seq < decided.seq))?.body;
  const lines = [];
  const say = (word, text) => lines.push({ word, text });
  const [wake, transcript, intent] = [before("wake"), before("transcript"), before("intent")];
  if (wake) say("Woken by", `“${wake.keyword}”, score ${two(wake.score)} (${two(wake.threshold)} is enough)`);
  if (transcript) say("Heard", `“${transcript.text}”`);
  if (intent) {
    const slots = [...intent.slots].map(([slot, value]) => `, ${slot} ${value}`).join("");
    say("Rule", `${intent.rule}: ${intent.name}${slots}`);
    const margin = marginOf(intent.evidence);
    if (margin !== null) say("Margin", margin);
  }
  if (decided) say("Decided", `${OUTCOMES[decided.body.outcome]}, because ${decided.body.reason}`);
  const calls = linesOfCall(own);
  if (calls !== "") say("Lines", calls);
  const end = last("end");
  if (end) say("Ended", `${end.outcome}, ${end.reason}`);
  return lines;
}

/** How far the words were from the bounds within which the device acts, or asks. */
function marginOf(evidence) {
  const [mass, accept, ask] = ["mass_nats", "accept_nats", "ask_nats"].map((name) => evidence.get(name));
  if (mass === undefined || accept === undefined) return null;
  const bounds = `from ${two(accept)} on it acts${ask === undefined ? "" : `, from ${two(ask)} on it asks`}`;
  const far = mass - accept;
  return `${two(Math.abs(far))} ${far < 0 ? "below" : "above"} the bound: the command weighs ${two(mass)}, ${bounds}`;
}

/** "line 1 (landline) refused (486 Busy), line 2 (modem) answered". */
function linesOfCall(own) {
  const tried = new Map();
  for (const { kind, body } of own) {
    if (kind !== "call") continue;
    const { event, line, status, reason } = body;
    if (event === "next_line" || event === "message") continue;
    const before = tried.get(line);
    const why = [status, reason].filter((part) => part !== null).join(" ");
    if (event === "answered") tried.set(line, "answered");
    else if (event === "failed") tried.set(line, `refused${why === "" ? "" : ` (${why})`}`);
    else if (before === undefined) tried.set(line, "did not answer");
  }
  return [...tried].map(([line, outcome], at) => `line ${at + 1} (${line}) ${outcome}`).join(", ");
}
