// The one spelling of a ZIP file that a bundle has: stored files, no dates, nothing optional. The reader makes every
// header anew and compares, so that no byte of a bundle can change unseen.

import { fromUtf8, joinBytes, utf8 } from "./bytes.js";
import { Wrong } from "./stop.js";

const FILES_MAX = 4096;
const FILE_NAME_BYTES_MAX = 128;
/** Bytes that are read between two reports of progress. */
export const SLICE = 1 << 22;

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

/** CRC-32 as ZIP has it (ISO 3309). `seen` hears how many bytes were read. */
export function crc32(bytes, seen = () => {}) {
  let crc = -1;
  for (let from = 0; from < bytes.length; from += SLICE) {
    const to = Math.min(from + SLICE, bytes.length);
    for (let at = from; at < to; at += 1) crc = CRC_TABLE[(crc ^ bytes[at]) & 0xff] ^ (crc >>> 8);
    seen(to - from);
  }
  return ~crc >>> 0;
}

function little(width, value) {
  return Uint8Array.from({ length: width }, (_, at) => Math.floor(value / 2 ** (8 * at)) & 0xff);
}

/** Flags to extra length: the part that both headers share. */
function sharedFields(file, crc) {
  const size = little(4, file.bytes.length);
  return joinBytes(new Uint8Array(6), little(2, 0x21), little(4, crc), size, size, little(2, file.name.length), little(2, 0));
}

function localHeader(file, crc) {
  return joinBytes(utf8("PK\x03\x04"), little(2, 10), sharedFields(file, crc), utf8(file.name));
}

function centralHeader(file, crc, at) {
  const fields = sharedFields(file, crc);
  return joinBytes(utf8("PK\x01\x02"), little(2, 10), little(2, 10), fields, new Uint8Array(10), little(4, at), utf8(file.name));
}

function endRecord(files, central, at) {
  return joinBytes(utf8("PK\x05\x06\0\0\0\0"), little(2, files), little(2, files), little(4, central), little(4, at), little(2, 0));
}

function spelling(at) {
  return new Wrong(`the bundle is not spelled as bundles are (at byte ${at}); was it packed again by another program?`);
}

function compare(zip, at, expected) {
  for (let index = 0; index < expected.length; index += 1) {
    if (zip[at + index] !== expected[index]) throw spelling(at + index);
  }
}

/** Letters, digits, dot, dash; at most one folder; no part begins with a dot. */
function checkFileName(bytes) {
  const text = bytes.length <= FILE_NAME_BYTES_MAX ? fromUtf8(bytes) : null;
  const parts = text?.split("/") ?? [];
  if (text === null || !/^[A-Za-z0-9.\-/]*$/.test(text) || parts.length > 2 || parts.some((part) => part === "" || part.startsWith("."))) {
    throw new Wrong("a name in the bundle is not allowed (letters, digits, dot, dash and one folder only)");
  }
  return text;
}

/** The files, each with its name, its bytes and where they begin. */
export function readZip(zip, seen = () => {}) {
  const view = new DataView(zip.buffer, zip.byteOffset, zip.byteLength);
  const files = [];
  const names = new Set();
  const central = [];
  let at = 0;
  const notABundle = () => new Wrong("the file does not begin as a bundle does");
  while (at + 4 <= zip.length && view.getUint32(at) === 0x504b0304) {
    if (files.length === FILES_MAX) throw new Wrong(`more than ${FILES_MAX} files in the bundle`);
    if (at + 30 > zip.length) throw notABundle();
    const size = view.getUint32(at + 18, true);
    const start = at + 30 + view.getUint16(at + 26, true);
    const name = checkFileName(start <= zip.length ? zip.subarray(at + 30, start) : utf8("/"));
    if (names.has(name)) throw new Wrong(`file ${name} stands twice in the bundle`, true);
    if (start + size > zip.length) throw new Wrong(`file "${name}" of the bundle is cut short`);
    const file = { name, bytes: zip.subarray(start, start + size), start };
    const crc = crc32(file.bytes, seen);
    if (view.getUint32(at + 14, true) !== crc) throw new Wrong(`the bytes of ${name} are not those that were written`, true);
    compare(zip, at, localHeader(file, crc));
    central.push(centralHeader(file, crc, at));
    files.push(file);
    names.add(name);
    at = start + size;
  }
  if (files.length === 0) throw notABundle();
  const directory = joinBytes(...central);
  const rest = joinBytes(directory, endRecord(files.length, directory.length, at));
  compare(zip, at, rest);
  if (zip.length !== at + rest.length) throw spelling(at + rest.length);
  return files;
}
