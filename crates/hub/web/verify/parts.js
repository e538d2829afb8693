// The files of a bundle, read and checked one by one.

import { fromBase64, fromHex, fromUtf8, readU64, sameBytes, utf8 } from "./bytes.js";
import { publicKey, verifies } from "./ed25519.js";
import { placedBytes, readEntry, readPlaced } from "./entry.js";
import { readJson } from "./json.js";
import { Note, NoteKey, keyId, parseCheckpoint } from "./note.js";
import { KEYS, ORDER, TIME, Wrong, concerning, fails, unreadable } from "./stop.js";
import { Frontier, leafHash, verifyInclusion } from "./tree.js";

const ENTRIES_MAX = 1_000_000;
export const LINES_MAX = 100_000;

export const PATH = {
  readme: "README.txt",
  summary: "summary.html",
  certification: "certification.txt",
  entries: "entries.jsonl",
  salts: "audio/salts.jsonl",
  open: "log/open.note",
  close: "log/close.note",
  frontier: "frontier.txt",
  enrolment: "keys/enrolment.note",
  epochs: "keys/epochs.jsonl",
  timeBefore: "time/before.jsonl",
};
export const MANIFEST = "manifest.note";

export function isKnownFile(name) {
  return Object.values(PATH).includes(name) || (name.startsWith("audio/") && name.endsWith(".wav"));
}

export function parseNote(what, name, bytes) {
  return concerning(what, name, () => Note.parse(bytes));
}

/** Lines with their ends, at most `max` of them. */
export function linesOf(what, name, bytes, max) {
  if (bytes.length === 0) return [];
  if (bytes[bytes.length - 1] !== 10) unreadable(what, `${name}: the last line has no end`);
  const lines = [];
  for (let from = 0; from < bytes.length; ) {
    const end = bytes.indexOf(10, from);
    lines.push(bytes.subarray(from, end));
    if (lines.length > max) unreadable(what, `${name}: more than ${max} lines`);
    from = end + 1;
  }
  return lines;
}

export function jsonLine(what, name, line, read) {
  const json = concerning(what, name, () => readJson(line));
  try {
    return read(json);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    return unreadable(what, `${name}: a line has other fields`);
  }
}

const ENROLMENT = "hearthline enrolment v1";

/** Origin and identity key out of the enrolment note. It vouches for itself only. */
export function readEnrolment(note) {
  const shape = () => new Wrong("note text: it is not an enrolment note");
  const lines = note.text.slice(0, -1).split("\n");
  const [title, origin, device, key] = lines;
  const fits = lines.length === 4 && title === ENROLMENT && origin.startsWith("origin ") && device.startsWith("device ");
  if (!fits || !key.startsWith("key ")) throw shape();
  const noteKey = NoteKey.parse(key.slice("key ".length));
  if (noteKey.name !== origin.slice("origin ".length) || keyId(noteKey.key) !== device.slice("device ".length)) throw shape();
  note.mustBeSignedBy(noteKey);
  return { origin: noteKey.name, identity: noteKey.key };
}

const MANIFEST_FORMAT = "hearthline bundle v1";

/** What the manifest says, when it is spelled as manifests are. */
export function readManifest(text) {
  const wrong = () => new Wrong("note text: it is not a manifest of this version");
  const lines = text.slice(0, -1).split("\n");
  if (lines[0] !== MANIFEST_FORMAT) throw wrong();
  const names = ["incident", "origin", "open", "close", "exported_ms", "wording"];
  const [incident, origin, openText, closeText, exportedText, wordingText] = names.map((name, index) => {
    const line = lines[index + 1];
    if (line === undefined || !line.startsWith(`${name} `)) throw wrong();
    return line.slice(name.length + 1);
  });
  const number = (digits) => {
    const value = readU64(digits);
    if (value === null || String(value) !== digits) throw wrong();
    return value;
  };
  const [open, close] = [number(openText), number(closeText)];
  const exportedMs = exportedText === "-" ? null : number(exportedText);
  const wording = number(wordingText);
  if (wording > 0xffff_ffffn) throw wrong();
  const files = lines.slice(names.length + 1).map((line) => {
    const [keyword, digest, bytes, ...path] = line.split(" ");
    if (keyword !== "file" || path.length === 0 || fromHex(digest, 32) === null) throw wrong();
    return { digest, bytes: number(bytes), path: path.join(" ") };
  });
  return { incident, origin, open, close, exportedMs, wording, files };
}

/** What the signatures of a key entry cover. */
function statement(origin, seq, epoch, publicText) {
  return utf8(`hearthline epoch key v1\norigin ${origin}\nentry ${seq}\nepoch ${epoch}\nkey ${publicText}\n`);
}

function checkKeyEntry(body, origin, seq, identity, previous) {
  const bytes = fromBase64(body.public);
  const key = bytes === null ? null : publicKey(bytes);
  if (key === null) return fails(KEYS, "not an Ed25519 public key");
  const text = statement(origin, seq, body.epoch, body.public);
  const holds = (signer, encoded) => {
    const signature = fromBase64(encoded);
    return signature !== null && verifies(signer, text, signature);
  };
  const wrong = (by) => fails(KEYS, `key of epoch ${body.epoch}: the signature ${by} is missing or does not hold`);
  if (!holds(identity, body.by_identity)) wrong("by the identity key");
  if (!holds(key, body.by_next)) wrong("by the new key");
  if (body.by_previous !== null && previous !== null && !holds(previous, body.by_previous)) wrong("by the epoch before");
  return key;
}

/** The chain of epoch keys: each signed by the identity, contiguous, each by the one before it unless lost. */
export function readEpochs(bytes, origin, identity) {
  const epochs = [];
  for (const line of linesOf(KEYS, PATH.epochs, bytes, LINES_MAX)) {
    const placed = jsonLine(KEYS, PATH.epochs, line, readPlaced);
    const { seq } = placed;
    const entryBytes = placedBytes(placed);
    const entry = concerning(KEYS, PATH.epochs, () => readEntry(entryBytes));
    if (entry.kind !== "key") fails(KEYS, `entry ${seq} is no key entry`);
    const { body } = entry;
    const before = epochs.at(-1) ?? null;
    if (entry.seq !== seq || (before !== null && (before.seq >= seq || before.number + 1n !== body.epoch))) {
      fails(KEYS, `the key of epoch ${body.epoch} is out of turn`);
    }
    const key = checkKeyEntry(body, origin, seq, identity, before === null ? null : before.key);
    const proof = placed.proof.map((hash) => fromHex(hash, 32));
    const orphan = body.epoch > 0n && body.by_previous === null;
    epochs.push({ seq, bytes: entryBytes, proof, key, number: body.epoch, orphan });
  }
  return epochs.length === 0 ? unreadable(KEYS, "no epoch key") : epochs;
}

export function deviceKey(origin, key) {
  return concerning(KEYS, null, () => NoteKey.device(origin, key));
}

/** A checkpoint signed by the key of its own epoch and no other. */
export function readHead(name, bytes, origin, size, epochs) {
  const note = parseNote(ORDER, name, bytes);
  const checkpoint = concerning(ORDER, name, () => parseCheckpoint(note.text));
  if (checkpoint.origin !== origin || checkpoint.size !== size) {
    fails(ORDER, `${name} is not the checkpoint that the manifest names`);
  }
  const epoch = epochs.findLast((key) => key.seq < size);
  if (epoch === undefined) fails(KEYS, `no epoch key was in force at ${name}`);
  const key = deviceKey(origin, epoch.key);
  concerning(ORDER, name, () => note.mustBeSignedBy(key));
  return { note, ...checkpoint };
}

export function readFrontier(bytes, open) {
  const [first, ...rest] = linesOf(ORDER, PATH.frontier, bytes, 65);
  const peaks = rest.map((line) => {
    const peak = fromBase64(fromUtf8(line) ?? "?");
    return peak?.length === 32 ? peak : unreadable(ORDER, `${PATH.frontier}: a line is no hash`);
  });
  const named = first !== undefined && sameBytes(first, utf8(String(open.size)));
  const frontier = named ? Frontier.fromPeaks(open.size, peaks) : null;
  if (frontier === null || !sameBytes(frontier.root(), open.root)) {
    fails(ORDER, "the frontier is not that of the opening checkpoint");
  }
  return frontier;
}

/** `{"leaf":"…"}`, spelled exactly so. */
function hiddenLeaf(line) {
  if (line.length !== 75) return null;
  const digits = fromUtf8(line)?.match(/^\{"leaf":"([0-9a-f]{64})"\}$/)?.[1];
  return digits === undefined ? null : fromHex(digits, 32);
}

export function readEntries(bytes, manifest, seen) {
  const lines = linesOf(ORDER, PATH.entries, bytes, ENTRIES_MAX);
  if (manifest.close < manifest.open || manifest.close - manifest.open !== BigInt(lines.length)) {
    fails(ORDER, `${lines.length} entries between checkpoints at ${manifest.open} and ${manifest.close}`);
  }
  const [leaves, shown] = [[], []];
  let seq = manifest.open;
  for (const line of lines) {
    const leaf = hiddenLeaf(line);
    if (leaf === null) {
      const entry = concerning(ORDER, `entry ${seq}`, () => readEntry(line));
      if (entry.seq !== seq) fails(ORDER, `entry ${seq} says that it is entry ${entry.seq}`);
      shown.push(entry);
    }
    leaves.push(leaf ?? leafHash(line));
    seen(line.length);
    seq += 1n;
  }
  return { leaves, shown };
}

/** The tree between the checkpoints, for its root at any size there. */
export class Roots {
  constructor(open, leaves) {
    this.open = open;
    this.leaves = leaves;
  }

  /** The root, or null when the size lies outside. */
  at(size) {
    const more = size - this.open.size;
    if (more < 0n || more > BigInt(this.leaves.length)) return null;
    const frontier = this.open.copy();
    for (let at = 0; at < Number(more); at += 1) frontier.push(this.leaves[at]);
    return frontier.root();
  }
}

export function checkRoots(open, leaves, close) {
  const roots = new Roots(open, leaves);
  const root = roots.at(close.size);
  if (root === null || !sameBytes(root, close.root)) fails(ORDER, "the entries are not those that the closing checkpoint signed");
  return roots;
}

/** An earlier entry of the log that carries a witness's answer, at its place in the closing tree; or null. */
export function readTimeBefore(bytes, close) {
  const [line] = linesOf(TIME, PATH.timeBefore, bytes, 1);
  if (line === undefined) return null;
  const placed = jsonLine(TIME, PATH.timeBefore, line, readPlaced);
  const entryBytes = placedBytes(placed);
  let entry;
  try {
    entry = readEntry(entryBytes);
  } catch (error) {
    if (!(error instanceof Wrong)) throw error;
    unreadable(TIME, `${PATH.timeBefore}: no entry`);
  }
  const proof = placed.proof.map((hash) => fromHex(hash, 32));
  if (entry.seq !== placed.seq || !verifyInclusion(leafHash(entryBytes), placed.seq, close.size, proof, close.root)) {
    fails(TIME, `the time evidence does not stand in the log at entry ${placed.seq}`);
  }
  return entry;
}

/** The key entries stand in the tree where they say, and no other is shown. */
export function checkEpochPositions(epochs, shown, open, close) {
  for (const { seq, bytes, proof, number } of epochs) {
    const placed = seq >= close.size ? proof.length === 0 : verifyInclusion(leafHash(bytes), seq, close.size, proof, close.root);
    if (!placed) fails(KEYS, `the key of epoch ${number} does not stand in the log at entry ${seq}`);
  }
  const listed = epochs.map(({ seq }) => seq).filter((seq) => seq >= open.size && seq < close.size);
  const found = shown.filter(({ kind }) => kind === "key").map(({ seq }) => seq);
  if (listed.join() !== found.join()) {
    fails(KEYS, "the key entries among the entries are not those in keys/epochs.jsonl");
  }
}

