// C2SP signed notes, checkpoints and cosignatures: a text, an empty line, and a line for each signature.

import { fromBase64, fromHex, fromUtf8, joinBytes, readU64, sameBytes, toBase64, toHex, utf8 } from "./bytes.js";
import { publicKey, verifies } from "./ed25519.js";
import { sha256 } from "./sha2.js";
import { Wrong } from "./stop.js";

const NOTE_BYTES_MAX = 65536;
const SIGNATURES_MAX = 64;
const NAME_BYTES_MAX = 256;
const LOG = 1;
const WITNESS_KEY = 4;

// White space and control characters as Unicode has them.
const NOT_IN_NAMES = /[\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000+]/u;

function checkName(name) {
  if (name === "" || utf8(name).length > NAME_BYTES_MAX || NOT_IN_NAMES.test(name)) {
    throw new Wrong(`key name must be 1 to ${NAME_BYTES_MAX} bytes without spaces, control characters and +`);
  }
}

const textWrong = (what) => new Wrong(`note text: ${what}`);

function checkText(text) {
  if (!text.endsWith("\n")) throw textWrong("it does not end with a line end");
  if (/[\u0000-\u0009\u000b-\u001f]/.test(text)) throw textWrong("it has control characters");
}

/** A key that checks signatures on notes: a log's or a witness's. */
export class NoteKey {
  constructor(name, type, key) {
    checkName(name);
    this.name = name;
    this.type = type;
    this.key = key;
    this.id = sha256(utf8(`${name}\n`), Uint8Array.of(type), key.bytes).subarray(0, 4);
  }

  static device(name, key) {
    return new NoteKey(name, LOG, key);
  }

  get isWitness() {
    return this.type === WITNESS_KEY;
  }

  /** Reads `name+id+base64(type, key)`; the id must be the key's. */
  static parse(text) {
    const wrong = (what) => new Wrong(`verifier key: ${what}`);
    const parts = text.split("+");
    if (parts.length < 3) throw wrong("expected name+id+key");
    const [name, id, encoded] = [parts[0], parts[1], parts.slice(2).join("+")]; // base64 may hold more of them
    const bytes = fromBase64(encoded);
    if (bytes === null) throw wrong("the key is not base64");
    if (bytes[0] !== LOG && bytes[0] !== WITNESS_KEY) {
      throw wrong("only Ed25519 keys (type 1) and Ed25519 cosignature keys (type 4) are known");
    }
    if (bytes.length !== 33) throw wrong("the key is not 32 bytes long");
    const key = publicKey(bytes.subarray(1));
    if (key === null) throw wrong("not an Ed25519 public key");
    const read = new NoteKey(name, bytes[0], key);
    const given = fromHex(id, 4);
    if (given === null || !sameBytes(given, read.id)) throw wrong("the key id does not belong to the key");
    return read;
  }
}

/** SHA-256 of a public key, in hexadecimal: what stands on the device's enrolment card. */
export function keyId(key) {
  return toHex(sha256(key.bytes));
}

/** A signed note. */
export class Note {
  constructor(text, signatures) {
    this.text = text;
    this.signatures = signatures;
  }

  /** Reads a note strictly. */
  static parse(bytes) {
    if (bytes.length > NOTE_BYTES_MAX) {
      throw new Wrong(`note of ${bytes.length} bytes; at most ${NOTE_BYTES_MAX} are allowed`);
    }
    const note = fromUtf8(bytes);
    if (note === null) throw textWrong("it is not UTF-8");
    const at = note.lastIndexOf("\n\n");
    if (at < 0) throw textWrong("no empty line before the signatures");
    const [text, lines] = [note.slice(0, at + 1), note.slice(at + 2)];
    checkText(text);
    if (!lines.endsWith("\n")) throw textWrong("the last signature line has no end");
    const signatures = lines.slice(0, -1).split("\n").map(readSignature);
    const parsed = new Note(text, signatures);
    if (parsed.spelled() !== note) throw textWrong("it is not spelled as notes are");
    return parsed;
  }

  spelled() {
    const line = ({ name, id, bytes }) => `\u2014 ${name} ${toBase64(joinBytes(id, bytes))}\n`;
    return `${this.text}\n${this.signatures.map(line).join("")}`;
  }

  /** The time of the key's cosignature (null for a log's), or undefined when this key did not sign. Every line by
   * this key must hold. */
  signedBy(key) {
    let found;
    for (const { name, id, bytes } of this.signatures) {
      if (name !== key.name || !sameBytes(id, key.id)) continue;
      let [time, text, signature] = [null, this.text, bytes];
      if (key.isWitness && bytes.length >= 8) {
        time = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);
        text = `cosignature/v1\ntime ${time}\n${this.text}`;
        signature = bytes.subarray(8);
      }
      if ((key.isWitness && time === null) || !verifies(key.key, utf8(text), signature)) {
        throw new Wrong(`the signature by ${key.name} does not hold`, true);
      }
      // Two cosignatures by one witness: the earlier one is the tighter statement.
      if (found === undefined || time < found) found = time;
    }
    return found;
  }

  /** The same; that the key did not sign is wrong too. */
  mustBeSignedBy(key) {
    if (this.signedBy(key) === undefined) throw new Wrong(`the note has no signature by ${key.name}`, true);
  }
}

function readSignature(whole, index) {
  const wrong = (what) => new Wrong(`signature line ${index + 1} of the note: ${what}`);
  // A carriage return is found later, where the spelling is compared.
  const line = whole.endsWith("\r") ? whole.slice(0, -1) : whole;
  if (index >= SIGNATURES_MAX) throw wrong("too many signatures");
  if (!line.startsWith("\u2014 ")) throw wrong("it does not begin with a dash");
  const rest = line.slice(2);
  const space = rest.indexOf(" ");
  if (space < 0) throw wrong("no signature after the name");
  const name = rest.slice(0, space);
  try {
    checkName(name);
  } catch {
    throw wrong("bad key name");
  }
  const bytes = fromBase64(rest.slice(space + 1));
  if (bytes === null) throw wrong("the signature is not base64");
  if (bytes.length < 4) throw wrong("the signature has no key id");
  if (bytes.length === 4) throw wrong("the signature is empty");
  return { name, id: bytes.subarray(0, 4), bytes: bytes.subarray(4) };
}

/** The head of a log at one size (C2SP tlog-checkpoint). */
export function parseCheckpoint(text) {
  if (!text.endsWith("\n")) throw textWrong("it does not end with a line end");
  const [origin, digits, encoded, ...extensions] = text.slice(0, -1).split("\n");
  checkName(origin);
  if (digits === undefined) throw textWrong("checkpoint without a size");
  const size = readU64(digits);
  if (size === null) throw textWrong("the size is no number");
  if (String(size) !== digits) throw textWrong("the size is not spelled as numbers are");
  const root = encoded === undefined ? null : fromBase64(encoded);
  if (root === null || root.length !== 32) throw textWrong("the root is not 32 bytes of base64");
  if (extensions.includes("")) throw textWrong("empty extension line");
  return { origin, size, root };
}
