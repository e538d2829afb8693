// The files of a bundle that people read, made again from the entries: a bundle that tells a person something else
// than its entries do is refused. The words are the device's own, to the letter.

import { utf8 } from "./bytes.js";

/** The version of the texts below. */
export const WORDING = 1n;

export function readme({ incident, origin, device, open, close, exportedMs }) {
  return `\
Incident ${incident}
Log      ${origin}
Device   ${device}
Entries  ${open} to ${close - 1n} of the device's log
Exported ${exportedMs === null ? "at a time not known" : utc(exportedMs)} (by the device's own clock)

WHAT THIS IS
A record that a smart speaker kept of one incident: what woke it, what it understood, what it
decided, what the network answered, and the sound around it.
Everything in this version of the product is a DRILL: no public emergency service was called.

HOW TO CHECK IT
  hearth verify incident-${incident}.zip --policy POLICY
No network is needed. POLICY is a text file of your own, with the key id from the card that was
printed when the device was enrolled (compare it with "Device" above), and the keys of the
witnesses that you trust:
  device ${device}
  witness hub hub.example/witness+01234567+...
  quorum hub
Exit status: 0 intact and witnessed; 1 intact, but unwitnessed or without time bounds;
2 tampered; 3 cannot tell. Do not repack the file: the check covers each of its bytes.

WHAT IT PROVES, AND WHAT IT DOES NOT
(a) Order: this key signed these entries in this order, and none between the opening and the
    closing checkpoint was removed or changed. Provable offline, from this file alone.
(b) Time: they existed before one time and after another. Provable only within the bounds that
    witnesses signed; without witnesses the times are the device's own word.
(c) Device: that the key was in this very device is as certain as the enrolment and the storage of the key.
(d) Sound: that the microphone heard it, and not a cable or a loudspeaker before it, no software can
    prove. Compare the call-taker's own recording and the carrier's call records.

FILES
entries.jsonl        every entry between the checkpoints, as stored; entries that do not belong to
                     the incident only as their hash
audio/*.wav          sound whose hashes the entries hold; audio/salts.jsonl is needed to check them
log/open.note        checkpoint before the incident        log/close.note  checkpoint after it
frontier.txt         hashes of the log before the opening checkpoint
keys/enrolment.note  the device's identity key             keys/epochs.jsonl  the keys it vouches for
time/before.jsonl    the last time signed by a witness before the opening
summary.html         a timeline to read; made from the entries, no evidence itself
certification.txt    a statement about the process, for a qualified person to complete
manifest.note        digests of all other files, signed by the device
`;
}

export function certification({ incident, origin, device, open, close }) {
  return `\
STATEMENT ABOUT A RECORD MADE BY AN ELECTRONIC PROCESS
(a form for a qualified person, in the manner of US Federal Rules of Evidence 902(13) and 902(14);
 not legal advice; nothing below is filled in by the device)

Record: incident ${incident} of the log ${origin}, entries ${open} to ${close - 1n}.
Device key id: ${device}

The process: the device appends entries to a file as events happen. Each entry is hashed (SHA-256)
into a Merkle tree (RFC 6962). The device signs the root of the tree (Ed25519, C2SP checkpoint) at
each decision, call, answer and end, every 5 seconds in an incident and every 15 minutes otherwise.
Sound is recorded in chunks of one second; the hash of each, with a random salt, is an entry.
The copy: the bundle holds the entries byte for byte. Its digests are checked by \`hearth verify\`.

I, ______________________________, am qualified to make this statement because
____________________________________________________________________________________.
The record was produced by the process above, which produces an accurate result when it works as
described; I checked it on ____________ with version ____________ of the verifier, with the policy
____________________________, and the verifier reported exit status ____.
The enrolment of the device was confirmed by ______________________________________.

Signature ______________________________   Date ____________   Place ____________
`;
}

export function summaryHtml({ incident, origin, device }, entries, hidden) {
  const rows = entries.map((entry) => {
    const [type, mono] = [entry.incident === null ? ' class="other"' : "", entry.mono_ms];
    const wall = entry.wall_ms === null ? "&ndash;" : utc(entry.wall_ms);
    const cells = [entry.seq, seconds(mono), wall, escapeText(entry.kindName), escapeText(describe(entry))];
    return `<tr${type}>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>\n`;
  });
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Incident ${escapeText(incident)}</title>
<style>
body { font: 16px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #1c1b1a; background: #fdfcfa }
.drill { background: #ffe9a8; border: 1px solid #b58900; padding: .6rem 1rem }
code { overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem; border-bottom: 1px solid #ddd6cb }
td:nth-child(-n+3) { font-variant-numeric: tabular-nums; white-space: nowrap }
.other { color: #6b655c }
</style>
</head>
<body>
<h1>Incident ${escapeText(incident)}</h1>
<p class="drill"><strong>Drill.</strong> No public emergency service was called.</p>
<p>This page was made from the entries and is no evidence itself. Check the bundle with <code>hearth verify</code>.</p>
<p>Log <code>${escapeText(origin)}</code><br>Device key id <code>${device}</code></p>
<table>
<thead><tr><th>Entry</th><th>Seconds since boot</th><th>Device&rsquo;s clock</th><th>Kind</th><th>What</th></tr></thead>
<tbody>
${rows.join("")}</tbody>
</table>
<p>${hidden} entries between the checkpoints do not belong to the incident; the bundle holds their hashes only.</p>
</body>
</html>
`;
}

/** What was decided, in words. */
export const OUTCOMES = {
  emergency: "EMERGENCY CALL",
  ask: "ask the person",
  act: "act",
  refuse: "refuse",
  ignore: "ignore",
  cancel: "cancelled before the call",
};
const CALL_EVENTS = {
  invite: "INVITE sent",
  progress: "in progress",
  answered: "ANSWERED",
  failed: "failed",
  next_line: "next line",
  message: "message",
  bye: "BYE",
};

/** `before` and the value, or nothing when there is none. */
const also = (before, value) => (value === null ? "" : `${before}${value}`);

const DESCRIBE = {
  boot: ({ software, cut, previous_segment: previous }) =>
    `started, ${software}` +
    (cut === null ? "" : `; ${cut.bytes} bytes at the end of the log were cut: ${cut.why}`) +
    (previous === null ? "" : `; follows the damaged log ${previous.origin}: ${previous.why}`),
  time: ({ source, wall_ms: wall, step_ms: step, cosigned }) => {
    if (step !== null) return `clock moved by ${step} ms, from ${source}`;
    return cosigned === null ? `${utc(wall)}, from ${source}` : `time signed by a witness, ${utc(wall)}`;
  },
  capture: ({ stream, rate_hz: rate, chunks }) => {
    const samples = chunks.reduce((sum, chunk) => sum + chunk.samples, 0n);
    return `${fixed(Number(samples) / Math.max(Number(rate), 1), 2)} s of ${stream} committed`;
  },
  wake: ({ keyword, score, threshold }) => `heard "${keyword}", score ${fixed(score, 3)} (from ${fixed(threshold, 3)})`,
  transcript: ({ text, model }) => `\u201c${text}\u201d (${model})`,
  intent: ({ name, rule, slots, evidence }) =>
    `${name} by rule ${rule}` +
    [...slots].map(([slot, value]) => `, ${slot} = ${value}`).join("") +
    [...evidence].map(([figure, value]) => `, ${figure} ${fixed(value, 4)}`).join(""),
  decision: ({ outcome, mode, reason, service }) =>
    `${OUTCOMES[outcome]}, ${mode}, because ${reason}; service ${service ?? "none"}`,
  location: ({ source, pidf_lo: pidf, problem }) =>
    pidf !== null && problem === null ? `${source}, PIDF-LO of ${utf8(pidf).length} bytes` : `${source}, ${problem ?? "none"}`,
  route: ({ service, source, lines, problem }) => `${service} by ${source}, lines ${lines.join(", ")}${also("; ", problem)}`,
  telephone: ({ event, call_id: call, incoming, status, reason }) =>
    `ordinary ${incoming ? "incoming" : "outgoing"} call: ` +
    `${CALL_EVENTS[event]}${also(" ", status)}${also(", ", reason)}, Call-ID ${call}`,
  call: ({ event, call_id: call, line, status, reason }) =>
    `${CALL_EVENTS[event]}${also(" ", status)}${also(" ", reason)}, line ${line}, Call-ID ${call}`,
  media: ({ codec, sent_packets: sent, received_packets: received, lost_packets: lost }) =>
    `${codec}: ${sent} packets sent, ${received} received, ${lost} lost`,
  human: ({ action, by, effect }) => `${action} by ${by}${also(": ", effect)}`,
  speech: ({ text }) => `the device said \u201c${text}\u201d`,
  key: ({ epoch, reason }) => `key of epoch ${epoch} (${reason})`,
  late: ({ entries, limit_ms: limit }) => `not on disk within ${limit} ms: entries ${entries.join(", ")}`,
  export: ({ bytes, bundle }) => `bundle of ${bytes} bytes exported, SHA-256 ${bundle}`,
  end: ({ outcome, reason, call_ms: call }) =>
    `${outcome}, ${reason}${call === null ? "" : `, call of ${seconds(call)} s`}`,
};

/** What an entry says, in a line of words. */
export function describe(entry) {
  return entry.kind === "" ? "written by a later version; not understood by this one" : DESCRIBE[entry.kind](entry.body);
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** Text that cannot become markup, nor turn the reading direction of what follows it. */
function escapeText(text) {
  return text
    .replace(/[&<>"']/g, (character) => ENTITIES[character])
    .replace(/[\u200e\u200f\u202a-\u202e\u2066-\u2069\u0000-\u001f\u007f-\u009f]/g, "\ufffd");
}

const digits = (value, width) => String(value).padStart(width, "0");

function seconds(ms) {
  return `${ms / 1000n}.${digits(ms % 1000n, 3)}`;
}

/** `2026-11-22 14:02:13.000 UTC` from milliseconds since 1970-01-01 UTC (proleptic Gregorian). */
export function utc(ms) {
  const inDay = ms % 86_400_000n;
  // Days are counted from 0000-03-01, so that the leap day is the last of its year.
  const days = ms / 86_400_000n + 719_468n;
  const [era, dayOfEra] = [days / 146_097n, days % 146_097n];
  const yearOfEra = (dayOfEra - dayOfEra / 1460n + dayOfEra / 36_524n - dayOfEra / 146_096n) / 365n;
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n);
  const fromMarch = (5n * dayOfYear + 2n) / 153n;
  const day = dayOfYear - (153n * fromMarch + 2n) / 5n + 1n;
  const month = fromMarch < 10n ? fromMarch + 3n : fromMarch - 9n;
  const year = era * 400n + yearOfEra + (month <= 2n ? 1n : 0n);
  const second = inDay / 1000n;
  const clock = [second / 3600n, (second / 60n) % 60n, second % 60n].map((part) => digits(part, 2)).join(":");
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)} ${clock}.${digits(inDay % 1000n, 3)} UTC`;
}

/** A figure with so many decimals, rounded from its exact value, ties to even. */
function fixed(value, decimals) {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const mantissa = (bits & (2n ** 52n - 1n)) | (exponent === 0n ? 0n : 2n ** 52n);
  const shift = (exponent === 0n ? 1n : exponent) - 1075n; // value = mantissa · 2^shift
  const scaled = mantissa * 10n ** BigInt(decimals);
  let rounded = shift >= 0n ? scaled << shift : scaled >> -shift;
  if (shift < 0n) {
    const [rest, half] = [scaled - (rounded << -shift), 1n << (-shift - 1n)];
    if (rest > half || (rest === half && rounded & 1n)) rounded += 1n;
  }
  const text = digits(rounded, decimals + 1);
  return `${bits >> 63n ? "-" : ""}${text.slice(0, -decimals)}.${text.slice(-decimals)}`;
}
