// An entry of the log: its fields and the body of its kind, read as strictly as they were written.

import { fromHex, utf8 } from "./bytes.js";
import { Figure, readJson } from "./json.js";
import { Wrong } from "./stop.js";

const LINE_BYTES_MAX = 65535;

/** A value that does not have the expected fields. */
function misfit() {
  throw new Wrong("entry does not have the expected fields");
}

// A reader takes a JSON value and gives what it means, or ends in a misfit.
const whole = (max, min = 0n) => (value) => {
  if (!(value instanceof Figure) || !/^(-?[1-9][0-9]*|0)$/.test(value.text)) return misfit();
  const number = BigInt(value.text);
  return number < min || number > max ? misfit() : number;
};
const u16 = whole(0xffffn);
const u32 = whole(0xffff_ffffn);
const u64 = whole(2n ** 64n - 1n);
const i64 = whole(2n ** 63n - 1n, -(2n ** 63n));
const f64 = (value) => {
  const number = value instanceof Figure ? Number(value.text) : Number.NaN;
  return Number.isFinite(number) ? number : misfit();
};
const string = (value) => (typeof value === "string" ? value : misfit());
const bool = (value) => (typeof value === "boolean" ? value : misfit());
const hex = (length) => (value) => (fromHex(string(value), length) === null ? misfit() : value);
const matching = (pattern) => (value) => (pattern.test(string(value)) ? value : misfit());
const list = (read) => (value) => (Array.isArray(value) ? value.map(read) : misfit());
const orNone = (read) => (value) => (value === null ? null : read(value));
const raw = (value) => value;
const hash = hex(32);

/** One of these words; `{"word":null}` is the same to the device's reader. */
const oneOf = (...words) => (value) => {
  const word = value instanceof Map && value.size === 1 && [...value.values()][0] === null ? [...value.keys()][0] : value;
  return words.includes(word) ? word : misfit();
};

/** By key, in the order of their bytes. */
const mapOf = (read) => (value) => {
  if (!(value instanceof Map)) return misfit();
  const pairs = [...value].map(([key, item]) => [key, read(item)]);
  const points = (text) => Array.from(text, (character) => character.codePointAt(0));
  const before = (a, b) => {
    const [left, right] = [points(a), points(b)];
    const at = left.findIndex((point, index) => point !== right[index]);
    return at < 0 ? left.length - right.length : left[at] - (right[at] ?? -1);
  };
  return new Map(pairs.sort(([a], [b]) => before(a, b)));
};

/** A field that may be missing, with what it is then. */
const missing = (read, otherwise) => Object.assign((value) => read(value), { otherwise });
const optional = (read) => missing(orNone(read), () => null);
const listOrNone = (read) => missing(list(read), () => []);
const mapOrNone = (read) => missing(mapOf(read), () => new Map());

/** An object with these fields and no others. An array of the values in order is the same to the device's reader. */
const fields = (shape) => (value) => {
  const names = Object.keys(shape);
  let given = value;
  if (Array.isArray(value)) {
    if (value.length > names.length) return misfit();
    given = new Map(value.map((item, index) => [names[index], item]));
  }
  if (!(given instanceof Map)) return misfit();
  for (const key of given.keys()) if (!Object.hasOwn(shape, key)) return misfit();
  const found = {};
  for (const name of names) {
    if (given.has(name)) found[name] = shape[name](given.get(name));
    else if (shape[name].otherwise) found[name] = shape[name].otherwise();
    else return misfit();
  }
  return found;
};

const stream = matching(/^[a-z0-9-]{1,32}$/);
const callEvent = oneOf("invite", "progress", "answered", "failed", "next_line", "message", "bye");

const BODIES = {
  boot: fields({
    software: string,
    firmware: optional(hash),
    cut: optional(fields({ bytes: u64, digest: hash, why: string })),
    previous_segment: optional(fields({ origin: string, bytes: u64, digest: hash, why: string })),
  }),
  time: fields({ source: string, wall_ms: u64, uncertainty_ms: optional(u64), step_ms: optional(i64), cosigned: optional(string) }),
  capture: fields({ stream, rate_hz: u32, chunks: list(fields({ first_sample: u64, samples: u32, digest: hash })) }),
  wake: fields({ keyword: string, score: f64, threshold: f64, at_sample: u64 }),
  transcript: fields({
    text: string,
    first_sample: u64,
    end_sample: u64,
    model: string,
    readings: listOrNone(fields({ text: string, log_prob: f64 })),
  }),
  intent: fields({ name: string, rule: string, slots: mapOrNone(string), evidence: mapOrNone(f64) }),
  decision: fields({
    outcome: oneOf("emergency", "ask", "act", "refuse", "ignore", "cancel"),
    mode: oneOf("announced", "immediate", "quiet"),
    reason: string,
    service: optional(string),
    window_ms: optional(u64),
  }),
  location: fields({ source: string, pidf_lo: optional(string), problem: optional(string) }),
  route: fields({ service: string, source: string, uri: optional(string), lines: listOrNone(string), problem: optional(string) }),
  call: fields({
    event: callEvent,
    call_id: string,
    line: string,
    status: optional(u16),
    reason: optional(string),
    peer: optional(string),
  }),
  telephone: fields({
    event: callEvent,
    call_id: string,
    incoming: bool,
    status: optional(u16),
    reason: optional(string),
    peer: optional(string),
  }),
  media: fields({
    call_id: string,
    codec: string,
    sent_packets: u64,
    received_packets: u64,
    lost_packets: u64,
    jitter_ms: optional(u64),
    round_trip_ms: optional(u64),
  }),
  human: fields({ action: string, by: string, effect: optional(string) }),
  speech: fields({ text: string }),
  key: fields({ epoch: u64, public: string, reason: string, by_identity: string, by_previous: optional(string), by_next: string }),
  late: fields({ entries: list(u64), limit_ms: u64 }),
  export: fields({ bundle: hash, bytes: u64 }),
  end: fields({ outcome: string, reason: string, call_ms: optional(u64) }),
};

const line = fields({
  seq: u64,
  boot: hex(16),
  mono_ms: u64,
  sample: optional(u64),
  wall_ms: optional(u64),
  incident: optional(matching(/^[a-z0-9-]{1,64}$/)),
  drill: bool,
  late: bool,
  kind: string,
  body: raw,
});

/** Reads a line of the log. A kind of a later version is kept and not understood: its body is null. */
export function readEntry(bytes) {
  if (bytes.length > LINE_BYTES_MAX) {
    throw new Wrong(`entry of ${bytes.length} bytes; at most ${LINE_BYTES_MAX} are allowed, split it`);
  }
  let json;
  try {
    json = readJson(bytes);
  } catch (error) {
    throw error instanceof Wrong ? new Wrong(`entry is not strict JSON: ${error.message}`) : error;
  }
  const entry = line(json);
  const known = Object.hasOwn(BODIES, entry.kind);
  try {
    entry.body = known ? BODIES[entry.kind](entry.body) : null;
  } catch (error) {
    throw error instanceof Wrong ? new Wrong("entry does not have the expected fields: body of its kind") : error;
  }
  entry.kindName = entry.kind;
  if (!known) entry.kind = "";
  return entry;
}

/** An entry from outside the exported range, with its place in the tree of the closing checkpoint. */
export const readPlaced = fields({ seq: u64, entry: string, proof: list(hash) });

/** A chunk of sound with the salt of its commitment. */
export const readSalt = fields({ file: string, first_sample: u64, samples: u32, salt: hash });

/** The entry's line of a placed line, as bytes. */
export function placedBytes(placed) {
  return utf8(placed.entry);
}
