// What runs beside the page, so that 256 MB freeze nothing: reads the bundle in slices, checks it, and draws up what the
// page shows of it.

import { toHex } from "./bytes.js";
import { explained } from "./explained.js";
import { TrustPolicy } from "./policy.js";
import { Sha256 } from "./sha2.js";
import { Wrong } from "./stop.js";
import { describe, utc } from "./summary.js";
import { BUNDLE_BYTES_MAX, EXITS, verify } from "./verify.js";

const READ_BYTES = 1 << 23;
const PEAKS = 600;
/** More would make a page that nobody reads. */
const TIMELINE_MAX = 5000;

/** Checks `file` (a Blob) and posts progress from 0 to 1, then the outcome. */
export async function answer({ file, policy, device, heads }, post) {
  let trust;
  try {
    trust = TrustPolicy.parse(policy);
    if (device !== "") trust.addDevice(device);
    trust.heads.push(...heads);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    post({ kind: "refused", why: error.message });
    return;
  }
  const bundle = await read(file, (part) => post({ kind: "progress", part: part / 5 }));
  const report = verify(bundle, trust, throttled((part) => post({ kind: "progress", part: 1 / 5 + (part * 3) / 5 })));
  const { found } = report;
  const digest = digestOf(bundle, throttled((part) => post({ kind: "progress", part: 4 / 5 + part / 5 })));
  post({
    kind: "report",
    claims: report.claims,
    exit: report.exit,
    result: EXITS[report.exit],
    facts: found.device && { ...found, sha256: digest, entries: undefined, sounds: undefined },
    sounds: (found.sounds ?? []).map((sound) => pictured(sound, found.entries)),
    timeline: timeline(found.entries ?? []),
    explained: explained(found.entries ?? []),
  });
}

async function read(file, progress) {
  // One byte too many is enough to say so.
  const length = Math.min(file.size, BUNDLE_BYTES_MAX + 1);
  const bytes = new Uint8Array(length);
  for (let from = 0; from < length; from += READ_BYTES) {
    const to = Math.min(from + READ_BYTES, length);
    bytes.set(new Uint8Array(await file.slice(from, to).arrayBuffer()), from);
    progress(to / length);
  }
  return bytes;
}

function digestOf(bundle, progress) {
  const hash = new Sha256();
  for (let from = 0; from < bundle.length; from += READ_BYTES) {
    hash.update(bundle.subarray(from, from + READ_BYTES));
    progress(from / bundle.length);
  }
  return toHex(hash.digest());
}

function throttled(post) {
  let told = 0;
  return (part) => {
    if (part - told < 0.005) return;
    told = part;
    post(part);
  };
}

/** The loudest and quietest sample of each part, and where words stand in it. */
function pictured({ name, start, bytes, rate, stream, first, next }, entries) {
  const samples = (bytes.length - 44) / 2;
  const view = new DataView(bytes.buffer, bytes.byteOffset + 44);
  const peaks = [];
  const parts = Math.min(PEAKS, samples);
  for (let part = 0; part < parts; part += 1) {
    const [from, to] = [Math.floor((part * samples) / parts), Math.floor(((part + 1) * samples) / parts)];
    let [low, high] = [0, 0];
    for (let at = from; at < to; at += 1) {
      const sample = view.getInt16(2 * at, true);
      low = Math.min(low, sample);
      high = Math.max(high, sample);
    }
    peaks.push([low / 32768, high / 32768]);
  }
  const at = (sample) => Number(sample - first) / samples;
  const inside = (sample) => sample >= first && sample <= next;
  const marks = [];
  for (const { kind, body } of stream === "microphone" ? entries : []) {
    if (kind === "wake" && inside(body.at_sample)) marks.push({ kind, from: at(body.at_sample), word: body.keyword });
    if (kind === "transcript" && body.end_sample > first && body.first_sample < next) {
      const from = Math.max(at(body.first_sample), 0);
      marks.push({ kind, from, to: Math.min(at(body.end_sample), 1), word: body.text });
    }
  }
  return { name, start, bytes: bytes.length, rate, stream, seconds: samples / rate, peaks, marks };
}

/** The incident in words, timed from its first entry. */
function timeline(entries) {
  const own = entries.filter(({ incident }) => incident !== null);
  const boot = own[0]?.boot;
  return {
    left: Math.max(own.length - TIMELINE_MAX, 0),
    rows: own.slice(0, TIMELINE_MAX).map((entry) => ({
      kind: entry.kindName,
      words: describe(entry),
      // Another run of the device has another clock.
      ms: entry.boot === boot ? Number(entry.mono_ms - own[0].mono_ms) : null,
      wall: entry.wall_ms === null ? null : utc(entry.wall_ms),
      drill: entry.drill,
    })),
  };
}
