// The check of a bundle by a stranger: no network, no trust in anything the bundle says about itself. It follows the
// verifier of the program (`hearth verify`) step by step and answers with the same claims, words and exit status.

import { fromHex, sameBytes, saturated, toHex, utf8 } from "./bytes.js";
import { readSalt } from "./entry.js";
import { Note, keyId, parseCheckpoint } from "./note.js";
import {
  LINES_MAX,
  MANIFEST,
  PATH,
  checkEpochPositions,
  checkRoots,
  deviceKey,
  isKnownFile,
  jsonLine,
  linesOf,
  parseNote,
  readEnrolment,
  readEntries,
  readEpochs,
  readFrontier,
  readHead,
  readManifest,
  readTimeBefore,
} from "./parts.js";
import { Sha256, sha256 } from "./sha2.js";
import { AUDIO, DEVICE, FILES, KEYS, ORDER, SOUND, SUMMARY, Stop, TIME, WITNESS, Wrong, concerning, fails, unreadable } from "./stop.js";
import { WORDING, certification, readme, summaryHtml, utc } from "./summary.js";
import { SLICE, readZip } from "./zip.js";

/** Largest bundle, bytes. */
export const BUNDLE_BYTES_MAX = 256 * 2 ** 20;
const WAV_HEADER_BYTES = 44;

export const EXITS = [
  "intact and witnessed",
  "intact, but unwitnessed, without time bounds or of an unknown device",
  "TAMPERED",
  "cannot tell",
];

/**
 * Checks a bundle against the checker's own anchors. Gives the claims, the exit status (0 to 3), and what can be
 * shown of the bundle as far as the check came.
 */
export function verify(bundle, policy, progress = () => {}) {
  const check = new Check(policy, bundle.length, progress);
  try {
    const complete = check.run(bundle);
    return { claims: check.claims, exit: complete ? 0 : 1, found: check.found };
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    check.claim(error.what, error.tampered ? "FAILS" : "cannot tell", error.message);
    return { claims: check.claims, exit: error.tampered ? 2 : 3, found: check.found };
  }
}

class Check {
  constructor(policy, length, progress) {
    this.policy = policy;
    this.claims = [];
    this.found = {};
    // Each byte is read about three times: checksum, digest, and entry or sound.
    let done = 0;
    this.seen = (bytes) => {
      done += bytes;
      progress(Math.min(done / (3 * length), 1));
    };
  }

  claim(what, verdict, detail) {
    this.claims.push({ what, verdict, detail });
  }

  run(bundle) {
    if (bundle.length > BUNDLE_BYTES_MAX) unreadable(FILES, `${bundle.length} bytes; at most ${BUNDLE_BYTES_MAX} are read`);
    const files = concerning(FILES, null, () => readZip(bundle, this.seen));
    const byName = new Map(files.map((file) => [file.name, file.bytes]));
    const file = (name) => byName.get(name) ?? unreadable(FILES, `${name} is missing`);
    const enrolment = parseNote(KEYS, PATH.enrolment, file(PATH.enrolment));
    const { origin, identity } = concerning(KEYS, PATH.enrolment, () => readEnrolment(enrolment));
    const epochs = readEpochs(file(PATH.epochs), origin, identity);
    const manifest = this.checkFiles(files, origin, epochs);
    this.found = { origin, device: keyId(identity), incident: manifest.incident, exportedMs: manifest.exportedMs };
    const open = readHead(PATH.open, file(PATH.open), origin, manifest.open, epochs);
    const close = readHead(PATH.close, file(PATH.close), origin, manifest.close, epochs);
    const frontier = readFrontier(file(PATH.frontier), open);
    const entries = readEntries(file(PATH.entries), manifest, this.seen);
    const roots = checkRoots(frontier, entries.leaves, close);
    checkEpochPositions(epochs, entries.shown, open, close);
    this.checkContent(manifest, entries, epochs);
    this.found.entries = entries.shown;
    this.checkAudio(files, file, entries.shown);
    this.checkDerived(manifest, origin, identity, entries, file);
    const witnessed = this.checkWitnesses(origin, open, close, roots);
    const before = readTimeBefore(file(PATH.timeBefore), close);
    const bounded = this.checkTime(origin, before, entries.shown, roots, close, witnessed);
    const known = this.checkDevice(origin, identity);
    this.claim(
      SOUND,
      "not provable",
      "whether the microphone heard it rather than a cable or a loudspeaker: compare the " +
        "call-taker's own recording and the carrier's call records",
    );
    return witnessed && bounded && known;
  }

  /** Every byte is covered: the files are those of the manifest, and the manifest is signed by an epoch key, once. */
  checkFiles(files, origin, epochs) {
    const last = files.at(-1);
    const rest = files.slice(0, -1);
    if (last.name !== MANIFEST) unreadable(FILES, `the last file must be ${MANIFEST}`);
    const note = parseNote(FILES, MANIFEST, last.bytes);
    const manifest = concerning(FILES, MANIFEST, () => readManifest(note.text));
    const signer = epochs.at(-1);
    const key = deviceKey(origin, signer.key);
    concerning(FILES, MANIFEST, () => note.mustBeSignedBy(key));
    if (note.signatures.length !== 1) fails(FILES, "the manifest has signatures that nothing covers");
    if (manifest.origin !== origin) fails(FILES, "the manifest is about another log");
    const differs = rest.findIndex((file, index) => {
      const listed = manifest.files[index];
      const digest = this.#digest(file.bytes);
      return listed !== undefined && (listed.path !== file.name || listed.bytes !== BigInt(file.bytes.length) || listed.digest !== digest);
    });
    if (differs >= 0 || rest.length !== manifest.files.length) {
      fails(FILES, `${differs >= 0 ? rest[differs].name : "the list of files"} is not as the manifest lists it`);
    }
    for (const file of rest) if (!isKnownFile(file.name)) fails(FILES, `${file.name} is no file of a bundle`);
    this.claim(
      FILES,
      "holds",
      `${files.length} files, each byte covered by the manifest; signed by the key of epoch ${signer.number}`,
    );
    return manifest;
  }

  #digest(bytes) {
    const hash = new Sha256();
    for (let from = 0; from < bytes.length; from += SLICE) {
      const part = bytes.subarray(from, from + SLICE);
      hash.update(part);
      this.seen(part.length);
    }
    return toHex(hash.digest());
  }

  /** One incident, runs in order, nothing shown that does not belong. */
  checkContent(manifest, { leaves, shown }, epochs) {
    let last = null;
    let [own, runs, late, notDrill] = [0, 0, 0, 0];
    for (const entry of shown) {
      const starts = entry.kind === "boot";
      const wrong = (why) => fails(ORDER, `entry ${entry.seq}: ${why}`);
      if (last !== null && starts === (last.boot === entry.boot)) wrong("the boot id changes without a boot entry");
      if (last !== null && !starts && entry.mono_ms < last.mono_ms) wrong("the clock since boot goes back");
      last = entry;
      runs += Number(starts);
      const isAboutTheLog = ["boot", "key", "time", "late"].includes(entry.kind);
      if (entry.incident === manifest.incident) own += 1;
      else if (entry.incident !== null || !isAboutTheLog) fails(ORDER, `entry ${entry.seq} belongs to something else`);
      late += (entry.kind === "late" ? entry.body.entries.length : 0) + Number(entry.late);
      notDrill += Number(!entry.drill);
    }
    if (own === 0) fails(ORDER, "no entry belongs to the incident");
    this.claim(
      ORDER,
      "holds",
      `entries ${manifest.open} to ${manifest.close - 1n} are complete, unchanged and in order: ${own} of incident ` +
        `${manifest.incident}, ${shown.length - own} about the log itself, ${leaves.length - shown.length} as hashes only`,
    );
    const orphans = epochs.filter((key) => key.orphan).map((key) => key.number);
    this.claim(
      KEYS,
      "holds",
      `epochs ${epochs[0].number} to ${epochs.at(-1).number} follow each other and are signed by the identity key` +
        (orphans.length === 0 ? "" : `; not by the epoch before, whose key was lost in a restart: ${orphans.join(", ")}`),
    );
    if (runs > 0) this.claim("restarts", "holds", `${runs} start(s) of the device between the checkpoints`);
    if (late > 0) this.claim("late", "holds", `${late} entries were not on disk in time, and say so`);
    this.claim(
      "drill",
      "holds",
      notDrill === 0 ? "every entry says that it is a drill" : `${notDrill} entries do NOT say that they are a drill`,
    );
  }

  checkAudio(files, file, shown) {
    const committed = new Map();
    for (const { incident, kind, body } of shown) {
      if (incident === null || kind !== "capture") continue;
      for (const chunk of body.chunks) committed.set(chunk.digest, { ...chunk, stream: body.stream, rate: body.rate_hz });
    }
    const seen = new Set();
    const used = new Map();
    for (const line of linesOf(AUDIO, PATH.salts, file(PATH.salts), LINES_MAX)) {
      const salt = jsonLine(AUDIO, PATH.salts, line, readSalt);
      const wav = file(salt.file);
      const before = used.get(salt.file);
      const at = before?.bytes ?? 0;
      const length = Number(salt.samples) * 2;
      const from = WAV_HEADER_BYTES + at;
      if (from + length > wav.length) fails(AUDIO, `${salt.file} is too short`);
      const pcm = wav.subarray(from, from + length);
      const chunk = committed.get(toHex(sha256(fromHex(salt.salt, 32), pcm)));
      this.seen(length);
      const sound = `the sound at sample ${salt.first_sample} of ${salt.file}`;
      if (chunk === undefined) fails(AUDIO, `${sound} is not what was committed`);
      const inPlace = chunk.first_sample === salt.first_sample && chunk.samples === salt.samples;
      const follows =
        before === undefined
          ? salt.file === wavName(used.size, chunk.stream, salt.first_sample)
          : before.rate === chunk.rate && before.next === salt.first_sample;
      if (!inPlace || !follows || seen.has(chunk.digest)) fails(AUDIO, `${sound} is out of place`);
      seen.add(chunk.digest);
      const next = saturated(salt.first_sample + salt.samples);
      const first = before?.first ?? salt.first_sample;
      used.set(salt.file, { rate: chunk.rate, bytes: at + length, next, first, stream: chunk.stream });
    }
    this.found.sounds = [];
    for (const wav of files.filter(({ name }) => name.endsWith(".wav"))) {
      const part = used.get(wav.name);
      const pcmBytes = wav.bytes.length - WAV_HEADER_BYTES;
      const whole = part !== undefined && pcmBytes === part.bytes && pcmBytes % 2 === 0;
      if (!whole || !sameBytes(wav.bytes.subarray(0, WAV_HEADER_BYTES), wavHeader(part.rate, pcmBytes))) {
        fails(AUDIO, `${wav.name} holds sound that nothing commits`);
      }
      this.found.sounds.push({ name: wav.name, start: wav.start, bytes: wav.bytes, rate: Number(part.rate), ...streamOf(part) });
    }
    const detail =
      committed.size === 0
        ? "the incident committed no sound"
        : `${seen.size} of ${committed.size} committed chunks are here and are what was committed`;
    this.claim(AUDIO, seen.size === committed.size ? "holds" : "unproven", detail);
  }

  checkDerived(manifest, origin, identity, { leaves, shown }, file) {
    if (manifest.wording !== WORDING) {
      const detail = "README, summary and certification were worded by another version; read entries.jsonl";
      this.claim(SUMMARY, "unproven", detail);
      return;
    }
    const facts = { ...manifest, origin, device: keyId(identity) };
    const texts = [
      [PATH.readme, readme(facts)],
      [PATH.summary, summaryHtml(facts, shown, leaves.length - shown.length)],
      [PATH.certification, certification(facts)],
    ];
    for (const [name, text] of texts) {
      if (!sameBytes(file(name), utf8(text))) fails(SUMMARY, `${name} tells something else than the entries`);
    }
    this.claim(SUMMARY, "holds", "README, summary and certification follow from the entries");
  }

  /** Cosignatures by the checker's own witnesses, and heads it has from elsewhere. */
  checkWitnesses(origin, open, close, roots) {
    for (const bytes of this.policy.heads) {
      const head = noteWithHead(() => Note.parse(bytes));
      if (head !== null && head.origin === origin && this.#cosigners(WITNESS, head.note).length > 0) checkHead(head, roots);
    }
    this.#cosigners(WITNESS, open.note);
    const cosigned = this.#cosigners(WITNESS, close.note);
    const enough = this.policy.isWitnessed(new Set(cosigned.map(({ name }) => name)));
    const others = close.note.signatures.length - 1;
    const strangers = others - Math.min(cosigned.length, others);
    let detail = "none of your witnesses cosigned the closing checkpoint";
    if (cosigned.length > 0) {
      const list = cosigned.map(({ name, time }) => `${name} at ${utcOfSeconds(time)}`).join(", ");
      detail = `closing checkpoint cosigned by ${list}${enough ? "" : "; your policy asks for more"}`;
    } else if (this.policy.witnesses.length === 0) {
      detail =
        "no witness is named by your policy; the closing checkpoint has " +
        `${strangers} cosignature(s) that you have no key for`;
    }
    this.claim(WITNESS, enough ? "holds" : "unproven", detail);
    return enough;
  }

  /** Known witnesses whose cosignature stands on the note and holds, with its time. */
  #cosigners(what, note) {
    const found = [];
    for (const { name, key } of this.policy.witnesses) {
      let time;
      try {
        time = note.signedBy(key);
      } catch (error) {
        if (!(error instanceof Wrong)) throw error;
        fails(what, error.message);
      }
      if (time !== undefined) found.push({ name, time });
    }
    return found;
  }

  checkTime(origin, beforeEntry, shown, roots, close, witnessed) {
    const firstOwn = shown.find(({ incident }) => incident !== null)?.seq ?? 0n;
    let after = null;
    for (const entry of beforeEntry === null ? shown : [beforeEntry, ...shown]) {
      if (entry.kind !== "time" || entry.body.cosigned === null) continue;
      const head = noteWithHead(() => Note.parse(utf8(entry.body.cosigned)));
      if (head === null || head.origin !== origin || head.size > entry.seq) continue;
      for (const { time } of this.#cosigners(TIME, head.note)) {
        checkHead(head, roots);
        if (entry.seq < firstOwn && (after === null || time > after)) after = time;
      }
    }
    // The latest of the witnesses' times: the weakest of the bounds, and true if any of them is honest.
    const times = witnessed ? this.#cosigners(TIME, close.note).map(({ time }) => time) : [];
    const before = times.length === 0 ? null : times.reduce((latest, time) => (time > latest ? time : latest));
    const said = shown.filter((entry) => entry.incident !== null && entry.wall_ms !== null).map((entry) => entry.wall_ms);
    const [first, last] = [said.reduce(least, said[0]), said.reduce(most, said[0])];
    const device = said.length === 0 ? "the device knew no time" : `the device said ${utc(first)} to ${utc(last)}`;
    if (after !== null && before !== null && after > before) fails(TIME, "the witnesses' times contradict each other");
    const bounded = after !== null && before !== null;
    let detail = `no outside time; ${device}, by its own clock`;
    if (bounded) detail = `between ${utcOfSeconds(after)} and ${utcOfSeconds(before)}, by witnesses; ${device}`;
    else if (before !== null) detail = `before ${utcOfSeconds(before)}, by witnesses; nothing bounds it from below; ${device}`;
    else if (after !== null) detail = `after ${utcOfSeconds(after)}, by a witness; nothing bounds it from above; ${device}`;
    this.claim(TIME, bounded ? "holds" : "unproven", detail);
    return bounded;
  }

  checkDevice(origin, identity) {
    const id = keyId(identity);
    if (this.policy.devices.length === 0) {
      this.claim(DEVICE, "unproven", `the key is the bundle's own: compare ${id} with the device's enrolment card`);
      return false;
    }
    if (!this.policy.knows(origin, identity)) {
      fails(DEVICE, `the bundle is signed by device ${id}, which is none of those in your policy`);
    }
    this.claim(
      DEVICE,
      "holds",
      `key ${id} is in your policy; that it was in this very device is as certain as its enrolment and its storage`,
    );
    return true;
  }
}

const least = (a, b) => (b < a ? b : a);
const most = (a, b) => (b > a ? b : a);

function utcOfSeconds(time) {
  return utc(saturated(time * 1000n));
}

/** The head that a note carries; null when it is no note or carries none. */
function noteWithHead(read) {
  try {
    const note = read();
    return { note, ...parseCheckpoint(note.text) };
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return null;
  }
}

/** A head that a witness cosigned and that this bundle's tree contradicts is a fork. */
function checkHead(head, roots) {
  const root = roots.at(head.size);
  if (root !== null && !sameBytes(root, head.root)) {
    fails(WITNESS, `a witness cosigned another log of the same name at size ${head.size}: a fork`);
  }
}

/** `audio/01-microphone-16000.wav`: number, stream, first sample. */
function wavName(number, stream, firstSample) {
  return `audio/${String(number + 1).padStart(2, "0")}-${stream}-${firstSample}.wav`;
}

function streamOf({ stream, first, next }) {
  return { stream, first, next };
}

/** The 44 bytes before mono samples of 16 bits. */
function wavHeader(rate, pcmBytes) {
  const header = new Uint8Array(WAV_HEADER_BYTES);
  const view = new DataView(header.buffer);
  header.set(utf8("RIFF"), 0);
  view.setUint32(4, pcmBytes + 36, true);
  header.set(utf8("WAVEfmt "), 8);
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true); // PCM
  view.setUint16(22, 1, true); // mono
  view.setUint32(24, Number(rate), true);
  view.setUint32(28, Number((rate * 2n) & 0xffff_ffffn), true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  header.set(utf8("data"), 36);
  view.setUint32(40, pcmBytes, true);
  return header;
}
